//! The example files that the manual shows, for the tests of this module.

use std::path::Path;

use super::{Config, Problems, ProviderConfig, ProviderSchema, Release, Visibility};
use crate::error::Result;
use crate::local::LocalConfig;

pub(super) const RELEASE: &str = r#"schema = 1
name = "bookworm-20240101"
suite = "bookworm"
suite_id = "12"
version = "20240101-1614"
class = "release"                       # release | daily | dev
date = 2024-01-01T00:00:00Z
build_job = "https://ci.example.org/jobs/1"
[[artifact]]
variant = "genericcloud"
arch = "amd64"
file = "debian-12-genericcloud-amd64-20240101-1614.qcow2"    # relative to this file
format = "qcow2"
sha512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
boot = "uefi-preferred"                 # uefi | uefi-preferred | bios
build_manifest = "debian-12-genericcloud-amd64-20240101-1614.json"
"#;

pub(super) const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[naming]
image = "debian-{suite_id}-{variant}-{arch}{class_suffix}-{version}"
family = "debian-{suite_id}-{variant}-{arch}{class_suffix}"
[target.local]
provider = "local"
path = "public"
formats = ["as-is"]
[target.cloud]
provider = "cloud"
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1"]    # or "all"
best_effort = ["me-central-1"]
visibility = "public"
"#;

/// A made-up provider with regions, as the crates of the clouds describe theirs.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloudConfig {
    /// The region in which images are made.
    pub(super) home_region: String,
    /// The account.
    pub(super) account: Option<String>,
}

impl ProviderConfig for CloudConfig {
    const PROVIDER: &'static str = "cloud";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    fn place(&self) -> String {
        self.account.clone().unwrap_or_default()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

pub(super) fn providers() -> [ProviderSchema; 2] {
    [ProviderSchema::of::<LocalConfig>(), ProviderSchema::of::<CloudConfig>()]
}

pub(super) fn parse_config(text: &str) -> Result<Config, Problems> {
    Config::parse(Path::new("etc/publish.toml"), text, &providers())
}

pub(super) fn parse_release(text: &str) -> Result<Release, Problems> {
    Release::parse(Path::new("releases/x.toml"), text)
}

pub(super) fn config() -> Config {
    parse_config(CONFIG).unwrap()
}

pub(super) fn release() -> Release {
    parse_release(RELEASE).unwrap()
}
