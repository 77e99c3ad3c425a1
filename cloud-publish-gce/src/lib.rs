//! Publishes disk images to Google Compute Engine.

mod config;

pub use config::{GceConfig, provider_schema};
