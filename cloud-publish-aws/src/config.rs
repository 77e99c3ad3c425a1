//! The keys of a `[target.NAME]` with `provider = "aws"`. Credentials are not among them.

use cloud_publish_core::error::Result;
use cloud_publish_core::manifest::{ProviderConfig, ProviderSchema, Visibility};
use cloud_publish_core::names::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An AWS account and the region in which its images are made.
///
/// `regions` and `best_effort` are keys of every target; without `regions` only the home region has the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsConfig {
    /// The region in which snapshots are written and images registered, before they are copied: `us-east-1`.
    #[schemars(with = "String")]
    pub home_region: Region,
}

impl ProviderConfig for AwsConfig {
    const PROVIDER: &'static str = "aws";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    /// The account is that of the credentials, the same for all targets.
    fn place(&self) -> String {
        "the account of the credentials".to_owned()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The description of these keys, for reading publish.toml.
pub fn provider_schema() -> ProviderSchema {
    ProviderSchema::of::<AwsConfig>()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cloud_publish_core::manifest::{Config, Problems};
    use cloud_publish_core::names::TargetName;

    use super::{AwsConfig, provider_schema};

    const TARGET: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.aws]
provider = "aws"
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1"]
best_effort = ["me-central-1"]
visibility = "public"
"#;

    fn parse(text: &str) -> Result<Config, Problems> {
        Config::parse(Path::new("publish.toml"), text, &[provider_schema()])
    }

    #[test]
    fn the_example_target_loads() {
        let config = parse(TARGET).unwrap();
        let own: AwsConfig = config.targets[&TargetName::new("aws").unwrap()].own().unwrap();
        assert_eq!(own.home_region.as_str(), "us-east-1");
    }

    #[test]
    fn a_home_region_is_required_and_not_empty() {
        let missing = parse(&TARGET.replace("home_region = \"us-east-1\"\n", "")).unwrap_err();
        assert_eq!(missing.to_string(), "publish.toml:5:1: missing key `home_region` in `target.aws`");
        let empty = parse(&TARGET.replace("home_region = \"us-east-1\"", "home_region = \"\"")).unwrap_err();
        assert!(empty.to_string().starts_with("publish.toml:7:15: `target.aws.home_region`: `` is not"), "{empty}");
    }
}
