//! The keys of a `[target.NAME]` with `provider = "openstack"`. Addresses and credentials are in clouds.yaml.

mod upload;

use std::collections::{BTreeMap, BTreeSet};

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::{Placeholder, ProviderConfig, ProviderSchema, Template, Visibility};
use cloud_publish_core::names::Class;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::upload::check as check_upload;
pub use self::upload::{Stores, UploadWay};

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
    /// How the bytes get to Glance.
    #[serde(default)]
    pub upload: UploadWay,
    /// The stores that get them: `"all"` or a list of ids; the cloud's default store when absent.
    pub stores: Option<Stores>,
    /// Seconds that a cloud's import may take, after which the bytes are sent by `PUT`.
    #[serde(default = "half_an_hour")]
    #[schemars(range(min = 1))]
    pub import_timeout: u32,
    /// Where the cloud finds the file, for `upload = "web-download"`: a template such as
    /// `https://images.example.org/{suite}/{version}/debian-{suite_id}-{variant}-{arch}-{version}.qcow2`.
    #[schemars(with = "Option<String>", extend("format" = "template"))]
    pub web_download_url: Option<Template>,
    /// A name that always the newest image of its line has, as a template: `debian-{suite_id}-{variant}-{arch}`.
    #[schemars(with = "Option<String>", extend("format" = "template"))]
    pub stable_name: Option<Template>,
    /// The classes whose images are protected: they cannot be deleted by mistake.
    #[serde(default)]
    pub protected: BTreeSet<Class>,
}

fn half_an_hour() -> u32 {
    1800
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
        check_upload(self)?;
        let own = [Placeholder::Version, Placeholder::Release, Placeholder::Date];
        match &self.stable_name {
            Some(name) if own.iter().any(|word| name.mentions(*word)) => {
                Err(unusable("stable_name", &name.to_string()).hint("leave out what changes with every release"))
            }
            _ => Ok(()),
        }
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

    use super::{Interface, OpenStackConfig, Stores, UploadWay, provider_schema};

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
    fn ways_to_upload_stores_and_names_are_read() {
        let put = own("stores = [\"fast\"]");
        assert_eq!((put.upload, put.stores), (UploadWay::Put, Some(Stores::These(vec!["fast".to_owned()]))));
        let import = own("upload = \"import\"\nstores = \"all\"\nimport_timeout = 60");
        assert_eq!((import.upload, import.stores, import.import_timeout), (UploadWay::Import, Some(Stores::All), 60));
        let download = own("upload = \"web-download\"\nweb_download_url = \"https://x.example.org/{version}\"");
        assert_eq!(download.upload, UploadWay::WebDownload);
        let named = own("stable_name = \"debian-{suite_id}\"\nprotected = [\"release\"]");
        assert_eq!((named.stable_name.is_some(), named.protected.len()), (true, 1));
    }

    #[test]
    fn mistakes_are_named_where_they_are() {
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
                "stable_name = \"debian-{version}\"",
                "publish.toml:10:15: `target.openstack.stable_name`: `debian-{version}` is not a usable",
            ),
            ("stable_name = \"debian-{x}\"", "publish.toml:10:15: `target.openstack.stable_name`"),
            ("upload = \"ftp\"", "publish.toml:10:10: `target.openstack.upload` is `ftp`"),
            ("upload = \"web-download\"", "publish.toml:10:10: `target.openstack.upload`: `web-download` needs"),
            (
                "web_download_url = \"https://x.example.org\"",
                "publish.toml:10:20: `target.openstack.web_download_url`: nothing is downloaded",
            ),
            ("stores = \"all\"", "publish.toml:10:10: `target.openstack.stores`: `PUT` reaches one store"),
            ("stores = [\"fast\", \"slow\"]", "publish.toml:10:10: `target.openstack.stores`: `PUT` reaches one store"),
            ("protected = [\"releases\"]", "publish.toml:10:14: `target.openstack.protected[0]`"),
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
