//! Publishes disk images to Azure.

mod config;

pub use config::{AzureConfig, Staging, provider_schema};
