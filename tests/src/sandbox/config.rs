//! Reads the user's publish.toml, with all providers that it may name.

use std::path::Path;

use cloud_publish_core::local::LocalConfig;
use cloud_publish_core::manifest::{Config, ProviderSchema};

/// Reads it.
pub(super) fn read(file: &Path) -> Result<Config, String> {
    let schemas = [
        ProviderSchema::of::<LocalConfig>(),
        cloud_publish_aws::provider_schema(),
        cloud_publish_azure::provider_schema(),
        cloud_publish_gce::provider_schema(),
        cloud_publish_openstack::provider_schema(),
    ];
    let file = std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Config::read(&file, &schemas).map_err(|error| {
        let hint = error.advice().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{}{hint}", error.chain().join(": "))
    })
}
