//! The keys of a `[target.NAME]` with `provider = "openstack"`. Addresses and credentials are in clouds.yaml.

use std::collections::BTreeMap;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::{ProviderConfig, ProviderSchema, Visibility};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cloud of clouds.yaml; without `regions`, the region named there.
///
/// The promises to users (`replace_frequency` and what follows) are those of SCS-0102; absent ones are left to what
/// the release's class suggests. <https://docs.scs.community/standards/scs-0102-v1-image-metadata>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenStackConfig {
    /// The entry of clouds.yaml.
    pub cloud: String,
    /// Which of the cloud's endpoints to use; that of clouds.yaml when absent.
    pub interface: Option<Interface>,
    /// Properties that every image gets; those of an artifact win over them.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "tag-name"}))]
    pub properties: BTreeMap<String, String>,
    /// How often users can expect a newer image.
    #[schemars(extend("enum" = ["yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never", null]))]
    pub replace_frequency: Option<String>,
    /// How long an image can be used by its id: `none`, `last-3`, `2028-06-30`, `notice` or `forever`.
    pub uuid_validity: Option<String>,
    /// Until when the line is continued: `none`, `2028-06-30` or `notice`.
    pub provided_until: Option<String>,
    /// Where the image can be downloaded: an address, or `private`.
    pub image_source: Option<String>,
}

/// A kind of endpoint in a cloud's catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interface {
    /// For everybody.
    Public,
    /// Inside the cloud's own network.
    Internal,
    /// For its operators.
    Admin,
}

impl Interface {
    /// The word in the catalogue and in clouds.yaml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

impl ProviderConfig for OpenStackConfig {
    const PROVIDER: &'static str = "openstack";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    /// The entry of clouds.yaml; that two entries are one project is seen only when connected.
    fn place(&self) -> String {
        self.cloud.clone()
    }

    fn check(&self) -> Result<()> {
        let until = self.provided_until.as_deref();
        if let Some(text) = until.filter(|text| !is_date(text) && !matches!(*text, "none" | "notice")) {
            return Err(unusable("provided_until", text).hint("write none, notice or a date such as 2028-06-30"));
        }
        let validity = self.uuid_validity.as_deref();
        let last = |text: &str| text.strip_prefix("last-").is_some_and(|count| count.parse::<u32>().is_ok());
        let word = |text: &str| matches!(text, "none" | "notice" | "forever");
        if let Some(text) = validity.filter(|text| !is_date(text) && !last(text) && !word(text)) {
            let hint = "write none, notice, forever, last-3 or a date such as 2028-06-30";
            return Err(unusable("uuid_validity", text).hint(hint));
        }
        Ok(())
    }
}

fn is_date(text: &str) -> bool {
    text.len() == "2028-06-30".len() && text.parse::<Date>().is_ok()
}

fn unusable(key: &'static str, text: &str) -> Error {
    Error::new(Kind::InvalidInput, format!("`{text}` is not a usable {key}")).with("key", key)
}

/// The description of these keys, for reading publish.toml.
pub fn provider_schema() -> ProviderSchema {
    ProviderSchema::of::<OpenStackConfig>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cloud_publish_core::manifest::{Config, Problems};
    use cloud_publish_core::names::TargetName;

    use super::{Interface, OpenStackConfig, provider_schema};

    const TARGET: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.openstack]
provider = "openstack"
cloud = "mycloud"
regions = ["RegionOne", "RegionTwo"]
visibility = "public"
"#;

    fn parse(more: &str) -> Result<Config, Problems> {
        Config::parse(Path::new("publish.toml"), &format!("{TARGET}{more}\n"), &[provider_schema()])
    }

    fn own(more: &str) -> OpenStackConfig {
        parse(more).unwrap().targets[&TargetName::new("openstack").unwrap()].own().unwrap()
    }

    #[test]
    fn the_example_target_loads() {
        assert_eq!(own("").cloud, "mycloud");
        assert_eq!(own("interface = \"internal\"").interface, Some(Interface::Internal));
        assert_eq!(own("properties.hw_qemu_guest_agent = \"yes\"").properties["hw_qemu_guest_agent"], "yes");
    }

    #[test]
    fn the_promises_to_users_are_those_of_the_standard() {
        for good in ["none", "notice", "2028-06-30", "last-3", "forever"] {
            own(&format!("uuid_validity = \"{good}\""));
        }
        for (more, wanted) in [
            (
                "uuid_validity = \"last\"",
                "publish.toml:10:17: `target.openstack.uuid_validity`: `last` is not a usable",
            ),
            ("provided_until = \"forever\"", "publish.toml:10:18: `target.openstack.provided_until`: `forever`"),
            ("replace_frequency = \"montly\"", "publish.toml:10:21: `target.openstack.replace_frequency` is `montly`"),
            (
                "properties.cloud-publish-owner = \"x\"",
                "publish.toml:10:12: `target.openstack.properties.cloud-publish",
            ),
        ] {
            let problems = parse(more).unwrap_err();
            assert!(problems.to_string().starts_with(wanted), "{problems}");
        }
    }
}
