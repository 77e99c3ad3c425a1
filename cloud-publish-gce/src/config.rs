//! The keys of a `[target.NAME]` with `provider = "gce"`. Credentials are not among them.

use cloud_publish_core::error::Result;
use cloud_publish_core::manifest::{ProviderConfig, ProviderSchema, Visibility};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Google Cloud project and the bucket through which images get there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GceConfig {
    /// The project that owns the images: `debian-cloud`.
    pub project: String,
    /// The Cloud Storage bucket in which a disk lies while its image is made.
    pub bucket: String,
    /// Where the images are stored, one multi-region or region: `["eu"]`; Google chooses when absent.
    /// <https://cloud.google.com/compute/docs/images/create-custom#storage_locations>
    #[serde(default)]
    pub storage_locations: Vec<String>,
}

impl ProviderConfig for GceConfig {
    const PROVIDER: &'static str = "gce";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = false;

    fn place(&self) -> String {
        self.project.clone()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The description of these keys, for reading publish.toml.
pub fn provider_schema() -> ProviderSchema {
    ProviderSchema::of::<GceConfig>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cloud_publish_core::manifest::{Config, collisions};
    use cloud_publish_core::names::TargetName;

    use super::{GceConfig, provider_schema};

    const TARGET: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.gce]
provider = "gce"
project = "debian-cloud"
bucket = "staging"
storage_locations = ["eu"]
visibility = "public"
"#;

    #[test]
    fn the_example_target_loads() {
        let config = Config::parse(Path::new("publish.toml"), TARGET, &[provider_schema()]).unwrap();
        let own: GceConfig = config.targets[&TargetName::new("gce").unwrap()].own().unwrap();
        assert_eq!((own.project.as_str(), own.storage_locations.as_slice()), ("debian-cloud", &["eu".to_owned()][..]));
    }

    #[test]
    fn two_targets_of_one_project_are_one_place() {
        let again = TARGET.lines().skip(5).fold(format!("{TARGET}[target.again]\n"), |text, line| text + line + "\n");
        let config = Config::parse(Path::new("publish.toml"), &again, &[provider_schema()]).unwrap();
        assert_eq!(collisions(&config, &[]).len(), 1);
    }
}
