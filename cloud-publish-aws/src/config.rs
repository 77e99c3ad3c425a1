//! The keys of a `[target.NAME]` with `provider = "aws"`. No secret is among them: credentials come from where the AWS
//! command line finds its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::manifest::{Placeholder, ProviderConfig, ProviderSchema, Template, Visibility};
use cloud_publish_core::names::{Arch, Class, Region, Suite, Variant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An AWS account and what its images are like.
///
/// `regions` and `best_effort` are keys of every target; without `regions` only the home region has the image. Several
/// accounts, and several partitions (`aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`), are several targets: nothing is copied
/// from one to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsConfig {
    /// The region in which snapshots are written and images registered, before they are copied: `us-east-1`.
    #[schemars(with = "String")]
    pub home_region: Region,
    /// The account that the credentials must turn out to be, 12 digits; another one is refused.
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub account: Option<String>,
    /// The profile of the AWS configuration files to start from; the usual one when absent.
    pub profile: Option<String>,
    /// Roles to assume one after the other, ARNs; the last one is who publishes.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Further roles to assume for one region, after `roles`; asked of the home region's STS.
    #[serde(default)]
    pub region_roles: BTreeMap<String, Vec<String>>,
    /// The external id that the roles ask for.
    pub external_id: Option<String>,
    /// How the bytes get to EC2.
    #[serde(default)]
    pub upload: Upload,
    /// Where and as whom `upload = "s3-import"` stages.
    pub import: Option<Import>,
    /// Who may make volumes of the snapshots: without it users of a public image cannot copy it.
    #[serde(default)]
    pub snapshots: SnapshotVisibility,
    /// Lets a run switch off Block Public Access (of images, and of snapshots where they become public) in a region
    /// where it stands in the way. Otherwise it is an error that says how.
    #[serde(default)]
    pub manage_block_public_access: bool,
    /// What machines made from the images are like.
    #[serde(default)]
    pub image: ImageDefaults,
    /// The classes whose images cannot be deregistered by mistake.
    #[serde(default = "release_only")]
    pub deregistration_protection: BTreeSet<Class>,
    /// Days after the release's date at which its images are deprecated, by class; a class not named has no date of
    /// ours. AWS itself gives every public image one: two years after its making.
    #[serde(default)]
    pub deprecate_after_days: BTreeMap<Class, u32>,
    /// Names of SSM parameters that lead to the image, as templates: `/debian/{class}/{suite}/{variant}/latest/{arch}`.
    /// One with `{version}`, `{release}` or `{date}` in it is the image's own; another leads to the newest of its line.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub parameters: Vec<Template>,
    /// Marketplace listings that get a new version, by a name of your own.
    #[serde(default)]
    pub marketplace: BTreeMap<String, MarketplaceListing>,
}

/// How the bytes get to EC2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Upload {
    /// Block by block into a snapshot: no bucket, no role, only what is not zero.
    #[default]
    EbsDirect,
    /// Through a bucket of the home region and `ImportSnapshot`: for accounts that may not write blocks.
    S3Import,
}

/// Where and as whom `upload = "s3-import"` stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// A bucket in the home region.
    pub bucket: String,
    /// In front of the names of staged objects.
    #[serde(default)]
    pub prefix: String,
    /// The service role that reads the bucket: <https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html>.
    #[serde(default = "vmimport")]
    pub role: String,
}

fn vmimport() -> String {
    "vmimport".to_owned()
}

/// Who may make volumes of an image's snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotVisibility {
    /// The account alone.
    #[default]
    Private,
    /// Those who may use the image, as far as AWS can: accounts and everybody, not organisations.
    AsImage,
}

/// What machines made from the images are like; `[artifact.properties.aws]` of a manifest says it for one artifact, in
/// the same words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageDefaults {
    /// `legacy-bios`, `uefi` or `uefi-preferred`; what the artifact boots with when absent.
    pub boot_mode: Option<String>,
    /// IMDSv2 only.
    pub imdsv2: bool,
    /// NitroTPM 2.0; needs `uefi`.
    pub tpm: bool,
    /// Enhanced networking with ENA.
    pub ena: bool,
    /// Enhanced networking with the Intel 82599 VF.
    pub sriov: bool,
    /// The root volume's type.
    pub volume_type: String,
    /// The root volume's size in GiB; the disk's when absent.
    pub volume_size: Option<u32>,
    /// The root volume's operations per second.
    pub iops: Option<u32>,
    /// The root volume's throughput in MiB/s.
    pub throughput: Option<u32>,
    /// The root device's name.
    pub root_device: String,
    /// A file with UEFI variables in AWS's format (base64): Secure Boot keys.
    #[schemars(extend("format" = "path"))]
    pub uefi_data: Option<PathBuf>,
    /// Billing product codes.
    pub billing_products: Vec<String>,
}

impl Default for ImageDefaults {
    fn default() -> Self {
        Self {
            boot_mode: None,
            imdsv2: true,
            tpm: false,
            ena: true,
            sriov: true,
            volume_type: "gp3".to_owned(),
            volume_size: None,
            iops: None,
            throughput: None,
            root_device: "/dev/xvda".to_owned(),
            uefi_data: None,
            billing_products: Vec::new(),
        }
    }
}

fn release_only() -> BTreeSet<Class> {
    BTreeSet::from([Class::Release])
}

/// A marketplace product that gets a new version: <https://docs.aws.amazon.com/marketplace/latest/APIReference/ami-products.html>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketplaceListing {
    /// The product's entity id: `prod-abcdefghijklm`.
    pub product: String,
    /// The suite it offers: `bookworm`. Buyers of one product never get an image of another suite.
    #[schemars(with = "String")]
    pub suite: Suite,
    /// The classes whose images it offers.
    #[serde(default = "release_only")]
    pub classes: BTreeSet<Class>,
    /// The variant it offers.
    #[schemars(with = "String")]
    pub variant: Variant,
    /// The architecture it offers.
    #[schemars(with = "String")]
    pub arch: Arch,
    /// The version's title, a template.
    #[schemars(with = "String")]
    pub version_title: Template,
    /// The version's release notes, a template.
    #[schemars(with = "String")]
    pub release_notes: Template,
    /// How to use it, for buyers.
    pub usage_instructions: String,
    /// The role with which AWS copies the image.
    pub access_role: String,
    /// The first user's name on a machine.
    pub user_name: String,
    /// The operating system's name as AWS writes it: `DEBIAN`.
    pub operating_system: String,
    /// The operating system's version.
    pub operating_system_version: String,
    /// The instance type to recommend.
    pub instance_type: String,
    /// Ports that the recommended security group opens.
    #[serde(default = "ssh")]
    pub ports: Vec<u16>,
    /// Only lets AWS check it.
    #[serde(default)]
    pub validate_only: bool,
}

fn ssh() -> Vec<u16> {
    vec![22]
}

impl MarketplaceListing {
    /// Whether an image is one of those that the product offers.
    pub(crate) fn offers(&self, image: &ImageTags) -> bool {
        self.suite == image.suite
            && self.classes.contains(&image.class)
            && self.variant == image.variant
            && self.arch == image.arch
    }
}

impl AwsConfig {
    /// Whether a parameter's template is one image's own: it carries what tells releases apart.
    pub(crate) fn is_own(template: &Template) -> bool {
        [Placeholder::Version, Placeholder::Release, Placeholder::Date].iter().any(|word| template.mentions(*word))
    }
}

impl ProviderConfig for AwsConfig {
    const PROVIDER: &'static str = "aws";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    /// The account, or what leads to it; that two ways lead to one account is seen only when connected.
    fn place(&self) -> String {
        let last_role = self.roles.last().cloned();
        let who = self.account.clone().or(last_role).or_else(|| self.profile.clone());
        who.unwrap_or_else(|| "the account of the credentials".to_owned())
    }

    fn check(&self) -> Result<()> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(account) = self.account.as_deref().filter(|account| !is_account(account)) {
            return Err(Error::new(Kind::InvalidInput, format!("`{account}` is no AWS account"))
                .with("key", "account")
                .hint("an account has 12 digits: `aws sts get-caller-identity` shows yours"));
        }
        if self.upload == Upload::S3Import && self.import.is_none() {
            return Err(Error::new(Kind::InvalidInput, "`upload = \"s3-import\"` needs a bucket")
                .with("key", "upload")
                .hint("add a table `import` with `bucket = \"...\"`, in the home region"));
        }
        let all_alike = |(_, listing): &(&String, &MarketplaceListing)| !Self::is_own(&listing.version_title);
        if let Some((name, listing)) = self.marketplace.iter().find(all_alike) {
            let title = &listing.version_title;
            return Err(Error::new(Kind::InvalidInput, format!("`{title}` titles every version of `{name}` alike"))
                .with("key", "marketplace")
                .hint("add `{version}`, `{release}` or `{date}` to `version_title`"));
        }
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

    use cloud_publish_core::manifest::{Config, Problems, collisions};
    use cloud_publish_core::names::TargetName;

    use super::{AwsConfig, Upload, provider_schema};

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

    fn own(text: &str) -> AwsConfig {
        parse(text).unwrap().targets[&TargetName::new("aws").unwrap()].own().unwrap()
    }

    #[test]
    fn the_example_target_loads_with_safe_defaults() {
        let own = own(TARGET);
        assert_eq!(own.home_region.as_str(), "us-east-1");
        assert_eq!(own.upload, Upload::EbsDirect);
        assert!(own.image.imdsv2 && !own.manage_block_public_access);
    }

    #[test]
    fn two_accounts_are_two_targets() {
        let second = "[target.daily]\nprovider = \"aws\"\nhome_region = \"us-east-1\"\naccount = \"222233334444\"\n";
        let two = parse(&format!("{TARGET}{second}")).unwrap();
        assert!(collisions(&two, &[]).is_empty());
        let one = parse(&format!("{TARGET}{}", second.replace("account = \"222233334444\"\n", ""))).unwrap();
        assert!(collisions(&one, &[]).to_string().contains("`target.daily` is the same place as `target.aws`"));
    }

    #[test]
    fn an_account_has_twelve_digits_and_an_import_a_bucket() {
        let bad = parse(&format!("{TARGET}account = \"12345\"\n")).unwrap_err();
        assert!(bad.to_string().contains("`12345` is no AWS account"), "{bad}");
        let bad = parse(&format!("{TARGET}upload = \"s3-import\"\n")).unwrap_err();
        assert!(bad.to_string().contains("needs a bucket"), "{bad}");
        assert_eq!(
            own(&format!("{TARGET}upload = \"s3-import\"\nimport.bucket = \"b\"\n")).import.unwrap().role,
            "vmimport"
        );
    }

    #[test]
    fn a_product_has_a_suite_and_its_versions_titles_that_differ() {
        let listing = "[target.aws.marketplace.shop]\nproduct = \"prod-1\"\nsuite = \"bookworm\"\nvariant = \"v\"\narch = \"amd64\"\n\
                       version_title = \"Debian\"\nrelease_notes = \"n\"\nusage_instructions = \"u\"\naccess_role = \"r\"\n\
                       user_name = \"admin\"\noperating_system = \"DEBIAN\"\noperating_system_version = \"12\"\n\
                       instance_type = \"t3.micro\"\n";
        let bad = parse(&format!("{TARGET}{listing}")).unwrap_err();
        assert!(bad.to_string().contains("`Debian` titles every version of `shop` alike"), "{bad}");
        let good = listing.replace("\"Debian\"", "\"Debian {version}\"");
        own(&format!("{TARGET}{good}"));
        let bad = parse(&format!("{TARGET}{}", good.replace("suite = \"bookworm\"\n", ""))).unwrap_err();
        assert!(bad.to_string().contains("missing key `suite`"), "{bad}");
    }

    #[test]
    fn a_home_region_is_required_and_not_empty() {
        let missing = parse(&TARGET.replace("home_region = \"us-east-1\"\n", "")).unwrap_err();
        assert_eq!(missing.to_string(), "publish.toml:5:1: missing key `home_region` in `target.aws`");
        let empty = parse(&TARGET.replace("home_region = \"us-east-1\"", "home_region = \"\"")).unwrap_err();
        assert!(empty.to_string().starts_with("publish.toml:7:15: `target.aws.home_region`: `` is not"), "{empty}");
    }
}
