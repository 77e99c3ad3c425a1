//! A target's own table in `publish.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Which of a service's endpoints in the catalogue to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interface {
    /// The one for everybody.
    #[default]
    Public,
    /// The one inside the cloud.
    Internal,
    /// The operator's.
    Admin,
}

/// The keys of a target with `provider = "openstack"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenStackConfig {
    /// An entry of `clouds.yaml`.
    pub cloud: String,
    /// Which endpoints to use; unset: as `clouds.yaml` says.
    #[serde(default)]
    pub interface: Option<Interface>,
    /// Further properties for every image; an empty value leaves a default out.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// SCS-0102 `replace_frequency`.
    #[serde(default)]
    pub replace_frequency: Option<String>,
    /// SCS-0102 `uuid_validity`.
    #[serde(default)]
    pub uuid_validity: Option<String>,
    /// SCS-0102 `provided_until`.
    #[serde(default)]
    pub provided_until: Option<String>,
    /// SCS-0102 `image_source`.
    #[serde(default)]
    pub image_source: Option<String>,
}
