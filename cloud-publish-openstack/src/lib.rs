//! Publishes disk images to OpenStack clouds.

mod config;

pub use config::{Interface, OpenStackConfig, provider_schema};
