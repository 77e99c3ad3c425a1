//! What a world is like: its accounts, regions, delays, quotas and permissions. Everything has a default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ec2, marketplace, s3};
use crate::fake::{glob, merge};

/// The account that defaults and [`super::FakeAws::environment`] use.
pub const ACCOUNT: &str = "111111111111";

/// The region that defaults use.
pub const REGION: &str = "us-east-1";

/// How a world begins. Changes take effect with the next request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// By their twelve digits. Access keys of other accounts are unknown.
    pub accounts: BTreeMap<String, Account>,
    /// By name.
    pub regions: BTreeMap<String, Region>,
    /// Most items of any page, whatever the client asks for.
    pub page_size: usize,
    /// How long things take.
    pub delays: Delays,
    /// Of every account and region without an entry in `quota_exceptions`.
    pub quotas: Quotas,
    /// The first that fits counts.
    pub quota_exceptions: Vec<QuotaException>,
    /// Whether sharing with everybody is blocked at the beginning; the first that fits counts, none means unblocked.
    pub block_public_access: Vec<BlockPublicAccess>,
    /// What is refused although it is well-formed.
    pub denied: Vec<Denied>,
    /// Nobody may ask Service Quotas anything.
    pub no_service_quota_access: bool,
    /// Images and snapshots that are there from the beginning.
    pub ec2: ec2::Seed,
    /// Buckets that are there from the beginning.
    pub s3: s3::Seed,
    /// Products that are there from the beginning.
    pub marketplace: marketplace::Seed,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub partition: String,
    /// Where it differs from the region's own state.
    pub opt_in: BTreeMap<String, OptIn>,
    /// By name.
    pub roles: BTreeMap<String, Role>,
}

/// A role of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// Account numbers and service names (`vmie.amazonaws.com`) that may assume it; `*` is every account.
    pub trusts: Vec<String>,
    /// What callers of other accounts and services must know.
    pub external_id: Option<String>,
    /// Issuers of web identity tokens that may assume it, without `https://`.
    pub web_identity: Vec<String>,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// Inline policies, by name.
    pub policies: BTreeMap<String, Value>,
}

/// A region.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub partition: String,
    /// Of accounts that say nothing else.
    pub opt_in: OptIn,
}

/// Whether a region can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptIn {
    /// Always.
    OptInNotRequired,
    /// Yes, on request.
    OptedIn,
    /// Not yet.
    NotOptedIn,
}

impl OptIn {
    /// Tells whether calls are answered.
    pub fn is_enabled(self) -> bool {
        self != Self::NotOptedIn
    }

    /// As `DescribeRegions` writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OptInNotRequired => "opt-in-not-required",
            Self::OptedIn => "opted-in",
            Self::NotOptedIn => "not-opted-in",
        }
    }
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// From `CompleteSnapshot` to `completed`.
    pub snapshot_completion: u64,
    /// From `RegisterImage` to `available`.
    pub image_available: u64,
    /// From `CopyImage` or `CopySnapshot` to the end.
    pub copy: u64,
    /// From `ImportSnapshot` to the end.
    pub import: u64,
    /// Until a new snapshot is found.
    pub snapshot_visible: u64,
    /// Until a new image is found.
    pub image_visible: u64,
    /// Until a changed Block Public Access counts.
    pub block_public_access: u64,
    /// Of each stage of a marketplace change set.
    pub change_set: u64,
    /// Until a parameter of type `aws:ec2:image` has its new version.
    pub parameter_validation: u64,
}

/// Limits of an account in a region.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Images that everybody sees.
    pub public_images: u64,
    /// Images of any kind.
    pub images: u64,
    /// Snapshots of any state.
    pub snapshots: u64,
    /// Snapshots that are not complete.
    pub pending_snapshots: u64,
    /// Copies under way into a region.
    pub concurrent_copies: u64,
}

/// Other quotas for some.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaException {
    /// Absent: every account.
    pub account: Option<String>,
    /// Absent: every region.
    pub region: Option<String>,
    /// What counts there.
    pub quotas: Quotas,
}

/// Whether an account may share with everybody in a region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockPublicAccess {
    /// Absent: every account.
    pub account: Option<String>,
    /// Absent: every region.
    pub region: Option<String>,
    /// Whether new public sharing of images is refused.
    pub images: bool,
    /// `unblocked`, `block-new-sharing` or `block-all-sharing`.
    pub snapshots: BlockSnapshots,
}

/// The states of the block of snapshots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockSnapshots {
    /// Sharing with everybody is possible.
    #[default]
    Unblocked,
    /// What is public remains so.
    BlockNewSharing,
    /// Nothing is public.
    BlockAllSharing,
}

/// A permission that is missing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Denied {
    /// Absent: every account.
    pub account: Option<String>,
    /// Absent: with every role and without one.
    pub role: Option<String>,
    /// `ebs:StartSnapshot`, `ec2:*`.
    pub action: String,
    /// Absent: every region.
    pub region: Option<String>,
}

impl Settings {
    /// A region's state for an account; none if the region does not exist or belongs to another partition.
    pub fn opt_in(&self, account: &str, region: &str) -> Option<OptIn> {
        let (account, place) = (self.accounts.get(account)?, self.regions.get(region)?);
        (account.partition == place.partition).then(|| account.opt_in.get(region).copied().unwrap_or(place.opt_in))
    }

    /// The partition of an account; `aws` if there is none such.
    pub(crate) fn partition(&self, account: &str) -> &str {
        self.accounts.get(account).map_or("aws", |account| account.partition.as_str())
    }

    /// The limits of an account in a region.
    pub fn quotas(&self, account: &str, region: &str) -> Quotas {
        self.quota_exceptions
            .iter()
            .find(|exception| fits(&exception.account, account) && fits(&exception.region, region))
            .map_or(self.quotas, |exception| exception.quotas)
    }

    /// The block that an account begins with in a region.
    pub fn block_public_access(&self, account: &str, region: &str) -> BlockPublicAccess {
        let found =
            self.block_public_access.iter().find(|block| fits(&block.account, account) && fits(&block.region, region));
        found.cloned().unwrap_or_default()
    }

    /// These settings with some members replaced, as JSON merge patch does.
    ///
    /// # Errors
    /// What is wrong with the result.
    pub fn merged(&self, patch: Value) -> Result<Self, serde_json::Error> {
        let mut whole = serde_json::to_value(self)?;
        merge(&mut whole, patch);
        serde_json::from_value(whole)
    }
}

impl Denied {
    /// Tells whether it forbids this.
    pub(crate) fn forbids(&self, account: &str, role: Option<&str>, action: &str, region: &str) -> bool {
        fits(&self.account, account)
            && self.role.as_deref().is_none_or(|wanted| Some(wanted) == role)
            && fits(&self.region, region)
            && glob(&self.action.to_ascii_lowercase(), &action.to_ascii_lowercase())
    }
}

fn fits(wanted: &Option<String>, value: &str) -> bool {
    wanted.as_deref().is_none_or(|wanted| wanted == value)
}

impl Default for Settings {
    fn default() -> Self {
        let partitions = [("1", "aws"), ("2", "aws"), ("3", "aws-cn"), ("4", "aws-us-gov"), ("5", "aws-eusc")];
        let accounts = partitions.map(|(digit, partition)| {
            let account = Account { partition: partition.to_owned(), roles: roles(), ..Account::default() };
            (digit.repeat(12), account)
        });
        let regions = [
            ("us-east-1", "aws", OptIn::OptInNotRequired),
            ("us-west-2", "aws", OptIn::OptInNotRequired),
            ("eu-central-1", "aws", OptIn::OptInNotRequired),
            ("eu-west-1", "aws", OptIn::OptInNotRequired),
            ("eu-south-1", "aws", OptIn::OptedIn),
            ("af-south-1", "aws", OptIn::NotOptedIn),
            ("cn-north-1", "aws-cn", OptIn::OptInNotRequired),
            ("cn-northwest-1", "aws-cn", OptIn::OptInNotRequired),
            ("us-gov-west-1", "aws-us-gov", OptIn::OptInNotRequired),
            ("us-gov-east-1", "aws-us-gov", OptIn::OptInNotRequired),
            ("eusc-de-east-1", "aws-eusc", OptIn::OptInNotRequired),
        ];
        let regions = regions
            .map(|(name, partition, opt_in)| (name.to_owned(), Region { partition: partition.to_owned(), opt_in }));
        Self {
            accounts: BTreeMap::from(accounts),
            regions: BTreeMap::from(regions),
            page_size: 5,
            delays: Delays::default(),
            quotas: Quotas::default(),
            quota_exceptions: Vec::new(),
            block_public_access: Vec::new(),
            denied: Vec::new(),
            no_service_quota_access: false,
            ec2: ec2::Seed::default(),
            s3: s3::Seed::default(),
            marketplace: marketplace::Seed::default(),
        }
    }
}

/// What every account has at first: a role that its neighbour, the default account, may assume, and those of imports and of
/// the marketplace.
fn roles() -> BTreeMap<String, Role> {
    let publisher = Role { trusts: vec![ACCOUNT.to_owned()], ..Role::default() };
    // https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["ec2:ModifySnapshotAttribute", "ec2:CopySnapshot", "ec2:RegisterImage", "ec2:Describe*"],
         "Resource": "*"},
    ]});
    let vmimport = Role {
        trusts: vec!["vmie.amazonaws.com".to_owned()],
        external_id: Some("vmimport".to_owned()),
        policies: BTreeMap::from([("vmimport".to_owned(), policy)]),
        ..Role::default()
    };
    // https://docs.aws.amazon.com/marketplace/latest/userguide/single-ami-marketplace-ami-access.html
    let policy = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Resource": "*",
        "Action": ["ec2:DescribeImageAttribute", "ec2:DescribeImages", "ec2:DescribeSnapshotAttribute",
                   "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"],
    }});
    let ingestion = Role {
        trusts: vec!["assets.marketplace.amazonaws.com".to_owned()],
        policies: BTreeMap::from([("ingestion".to_owned(), policy)]),
        ..Role::default()
    };
    BTreeMap::from([
        ("publisher".to_owned(), publisher),
        ("vmimport".to_owned(), vmimport),
        ("AwsMarketplaceAmiIngestion".to_owned(), ingestion),
    ])
}

impl Default for Account {
    fn default() -> Self {
        Self { partition: "aws".to_owned(), opt_in: BTreeMap::new(), roles: BTreeMap::new() }
    }
}

impl Default for Role {
    fn default() -> Self {
        Self {
            trusts: Vec::new(),
            external_id: None,
            web_identity: Vec::new(),
            max_session_seconds: 3600,
            policies: BTreeMap::new(),
        }
    }
}

impl Default for Region {
    fn default() -> Self {
        Self { partition: "aws".to_owned(), opt_in: OptIn::OptInNotRequired }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            snapshot_completion: 100,
            image_available: 100,
            copy: 200,
            import: 200,
            snapshot_visible: 50,
            image_visible: 50,
            block_public_access: 100,
            change_set: 100,
            parameter_validation: 50,
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self { public_images: 5, images: 50_000, snapshots: 100_000, pending_snapshots: 100, concurrent_copies: 20 }
    }
}
