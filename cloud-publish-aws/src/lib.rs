//! Publishes disk images to AWS.

mod config;

pub use config::{AwsConfig, provider_schema};
