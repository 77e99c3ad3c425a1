//! The keys of a `[target.NAME]` with `provider = "azure"`. Credentials are not among them.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::{ProviderConfig, ProviderSchema, Visibility};
use cloud_publish_core::names::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two galleries of an Azure subscription: one that is shared, and a private one in which images are tried first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzureConfig {
    /// The id of the subscription: `00000000-0000-0000-0000-000000000000`.
    pub subscription: String,
    /// The resource group of both galleries and of what is staged.
    pub resource_group: String,
    /// The gallery that users see, shared as `visibility` says.
    pub gallery: String,
    /// The private gallery in which a version is registered and tried before it goes to `gallery`.
    pub staging_gallery: String,
    /// The region in which disks are staged and versions made: `westeurope`.
    #[schemars(with = "String")]
    pub home_region: Region,
    /// How the bytes get to Azure.
    #[serde(default)]
    pub staging: Staging,
    /// The storage account of `staging = "blob"`.
    pub storage_account: Option<String>,
    /// The container in that storage account.
    pub container: Option<String>,
}

/// How the bytes of a disk get to Azure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Staging {
    /// Into a managed disk.
    #[default]
    Disk,
    /// Into a page blob of `storage_account` and `container`; a marketplace offer needs one.
    Blob,
}

impl ProviderConfig for AzureConfig {
    const PROVIDER: &'static str = "azure";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    /// The shared gallery: one subscription may have one for releases and one for dailies. Azure ignores case.
    fn place(&self) -> String {
        format!("{}/{}/{}", self.subscription, self.resource_group, self.gallery).to_lowercase()
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, message: &'static str| Err(Error::new(Kind::InvalidInput, message).with("key", key));
        if self.gallery.eq_ignore_ascii_case(&self.staging_gallery) {
            return wrong("staging_gallery", "the staging gallery is the shared gallery itself")
                .map_err(|e| e.hint("a version is visible the moment it is in a shared gallery: name a private one"));
        }
        match (self.staging, &self.storage_account, &self.container) {
            (Staging::Blob, None, _) => wrong("staging", "staging = \"blob\" needs `storage_account`"),
            (Staging::Blob, _, None) => wrong("staging", "staging = \"blob\" needs `container`"),
            (Staging::Disk, Some(_), _) => wrong("storage_account", "used only with staging = \"blob\""),
            (Staging::Disk, _, Some(_)) => wrong("container", "used only with staging = \"blob\""),
            _ => Ok(()),
        }
    }
}

/// The description of these keys, for reading publish.toml.
pub fn provider_schema() -> ProviderSchema {
    ProviderSchema::of::<AzureConfig>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cloud_publish_core::manifest::{Config, Problems};
    use cloud_publish_core::names::TargetName;

    use super::{AzureConfig, Staging, provider_schema};

    const TARGET: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.azure]
provider = "azure"
subscription = "00000000-0000-0000-0000-000000000000"
resource_group = "images"
gallery = "debian"
staging_gallery = "debian_staging"
home_region = "westeurope"
regions = ["westeurope", "eastus"]
staging = "disk"
visibility = "community"
"#;

    fn parse(text: &str) -> Result<Config, Problems> {
        Config::parse(Path::new("publish.toml"), text, &[provider_schema()])
    }

    #[test]
    fn the_example_target_loads() {
        let config = parse(TARGET).unwrap();
        let own: AzureConfig = config.targets[&TargetName::new("azure").unwrap()].own().unwrap();
        assert_eq!((own.staging, own.home_region.as_str()), (Staging::Disk, "westeurope"));
    }

    #[test]
    fn one_gallery_for_both_is_refused_whatever_its_case() {
        let problems = parse(&TARGET.replace("debian_staging", "Debian")).unwrap_err();
        let text = problems.to_string();
        assert!(
            text.starts_with("publish.toml:10:19: `target.azure.staging_gallery`: the staging gallery is"),
            "{text}"
        );
    }

    #[test]
    fn staging_in_a_blob_needs_its_container() {
        let blob = TARGET.replace("\"disk\"", "\"blob\"\nstorage_account = \"a\"");
        let problems = parse(&blob).unwrap_err();
        assert!(problems.to_string().ends_with("staging = \"blob\" needs `container`"), "{problems}");
        parse(&blob.replace("\"a\"", "\"a\"\ncontainer = \"vhds\"")).unwrap();
        let unused = parse(&TARGET.replace("\"disk\"", "\"disk\"\ncontainer = \"vhds\"")).unwrap_err();
        assert!(unused.to_string().starts_with("publish.toml:14:13: `target.azure.container`: used only"), "{unused}");
    }
}
