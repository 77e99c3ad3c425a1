//! The permissions that this crate's calls need, with the reason of each: data, from which the IAM policy is made.
//!
//! `policy.json` beside this file is that policy; a test keeps it so, and another keeps the list to the calls that the
//! crate's sources make.

use serde_json::{Value, json};

/// What permissions are needed for; each is one statement of the policy and can be left out where it is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Preflight, survey, upload, registration, copies, visibility, tags, parameters.
    Publish,
    /// `verify --prove`: reading snapshots back.
    Prove,
    /// `cleanup`, `withdraw` and `restore`: hiding, retiring, deleting, and their undoing.
    Cleanup,
    /// `upload = "s3-import"`.
    S3Import,
    /// `marketplace`.
    Marketplace,
    /// `manage_block_public_access = true`.
    BlockPublicAccess,
    /// `roles` and `region_roles`: for those credentials that assume them.
    Roles,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Publish,
        Self::Prove,
        Self::Cleanup,
        Self::S3Import,
        Self::Marketplace,
        Self::BlockPublicAccess,
        Self::Roles,
    ];
}

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// As policies name it: `ec2:RegisterImage`.
    pub name: &'static str,
    /// What it is needed for.
    pub why: &'static str,
    calls: &'static [&'static str],
}

impl Action {
    /// A permission that is called like the operation which needs it.
    const fn of(name: &'static str, why: &'static str) -> Self {
        Self { name, why, calls: &[] }
    }

    /// One that operations of other names need; or none, when it is needed beside another permission.
    const fn for_calls(name: &'static str, calls: &'static [&'static str], why: &'static str) -> Self {
        Self { name, why, calls }
    }

    /// The API's operations that need it: `RegisterImage`.
    pub fn operations(&self) -> Vec<&'static str> {
        let own = self.name.split_once(':').map(|(_, operation)| operation);
        match self.calls {
            [] => own.into_iter().collect(),
            [NO_CALL] => Vec::new(),
            calls => calls.to_vec(),
        }
    }
}

/// In place of operations: no call of ours has this permission's name.
const NO_CALL: &str = "";

const PUBLISH: &[Action] = &[
    Action::of("ec2:DescribeRegions", "which regions are enabled"),
    Action::of("ec2:DescribeImages", "what is there already; whose a name is; AWS asks for it with parameters too"),
    Action::of("ec2:DescribeSnapshots", "what is staged; whether it is complete"),
    Action::of("ec2:DescribeImageAttribute", "whom an image is shared with"),
    Action::of("ec2:DescribeSnapshotAttribute", "whom its snapshot is shared with"),
    Action::of("ec2:GetImageBlockPublicAccessState", "preflight of public images"),
    Action::of("ec2:GetSnapshotBlockPublicAccessState", "preflight of public snapshots"),
    Action::of("ec2:GetEbsEncryptionByDefault", "preflight: encrypted images cannot be public"),
    Action::of("servicequotas:GetServiceQuota", "preflight: room for public images and snapshots"),
    Action::of("servicequotas:GetAWSDefaultServiceQuota", "the same, where the quota was never raised"),
    Action::of("ebs:StartSnapshot", "the upload"),
    Action::of("ebs:PutSnapshotBlock", "the upload"),
    Action::of("ebs:CompleteSnapshot", "the upload"),
    Action::of("ec2:DeleteSnapshot", "a snapshot that is not what was sent: it is removed and sent anew"),
    Action::of("ec2:CreateTags", "tags in the creating calls; marks"),
    Action::of("ec2:DeleteTags", "marks that go, tags that the configuration has no more"),
    Action::of("ec2:RegisterImage", "the image in the home region"),
    Action::of("ec2:CopyImage", "the image in every other region"),
    Action::of("ec2:EnableImageDeregistrationProtection", "`deregistration_protection`"),
    Action::of("ec2:EnableImageDeprecation", "`deprecate_after_days`; to hide"),
    Action::of("ec2:ModifyImageAttribute", "who may use the image"),
    Action::of("ec2:ModifySnapshotAttribute", "who may make volumes of it"),
    Action::of("ssm:GetParameter", "where a parameter leads"),
    Action::of("ssm:GetParameters", "where parameters lead"),
    Action::of("ssm:ListTagsForResource", "whose a parameter is"),
    Action::of("ssm:PutParameter", "`parameters`"),
    Action::for_calls("ssm:AddTagsToResource", &[NO_CALL], "tags of a parameter in the call that makes it"),
];

const PROVE: &[Action] = &[
    Action::of("ebs:ListSnapshotBlocks", "which blocks there are"),
    Action::of("ebs:GetSnapshotBlock", "what is in them"),
];

const CLEANUP: &[Action] = &[
    Action::of("ec2:EnableImageDeprecation", "to hide"),
    Action::of("ec2:DisableImageDeprecation", "to restore what was hidden"),
    Action::of("ec2:DisableImage", "to retire"),
    Action::of("ec2:EnableImage", "to restore what was retired"),
    Action::of("ec2:DisableImageDeregistrationProtection", "to delete what is protected"),
    Action::of("ec2:DeregisterImage", "to delete"),
    Action::of("ec2:DeleteSnapshot", "to delete; leftovers of uploads"),
    Action::of("ec2:CreateImageUsageReport", "whether other accounts use an image"),
    Action::of("ec2:DescribeImageUsageReports", "the same"),
    Action::of("ec2:DescribeImageUsageReportEntries", "the same"),
    Action::of("ec2:DescribeImageReferences", "whether the account itself uses an image"),
];

const S3_IMPORT: &[Action] = &[
    Action::for_calls("s3:ListBucket", &["HeadBucket", "ListObjectsV2"], "the bucket's region; staged objects"),
    Action::for_calls("s3:GetBucketLocation", &[NO_CALL], "AWS asks it of who starts an import"),
    Action::for_calls("s3:GetObject", &["HeadObject"], "whether the staged object is complete; read by the import"),
    Action::for_calls(
        "s3:PutObject",
        &["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
        "the staged object",
    ),
    Action::for_calls("s3:ListBucketMultipartUploads", &["ListMultipartUploads"], "what an earlier run began"),
    Action::for_calls("s3:ListMultipartUploadParts", &["ListParts"], "what of it has arrived"),
    Action::of("s3:AbortMultipartUpload", "leftovers"),
    Action::of("s3:DeleteObject", "the staged object, once it is imported"),
    Action::of("ec2:ImportSnapshot", "the snapshot"),
    Action::of("ec2:DescribeImportSnapshotTasks", "how far it is"),
    Action::of("iam:GetRole", "preflight of the role that reads the bucket"),
];

const MARKETPLACE: &[Action] = &[
    Action::of("aws-marketplace:DescribeEntity", "which versions a product has"),
    Action::of("aws-marketplace:ListChangeSets", "what is under review"),
    Action::of("aws-marketplace:DescribeChangeSet", "how far it is"),
    Action::of("aws-marketplace:StartChangeSet", "a new version; restricting old ones"),
    Action::for_calls("iam:PassRole", &[NO_CALL], "the role with which AWS copies the image"),
];

const BLOCK_PUBLIC_ACCESS: &[Action] = &[
    Action::of("ec2:DisableImageBlockPublicAccess", "switching it off for images"),
    Action::of("ec2:DisableSnapshotBlockPublicAccess", "switching it off for snapshots"),
];

const ROLES: &[Action] = &[Action::of("sts:AssumeRole", "the roles of the configuration")];

/// The permissions of a feature.
pub fn actions(feature: Feature) -> &'static [Action] {
    match feature {
        Feature::Publish => PUBLISH,
        Feature::Prove => PROVE,
        Feature::Cleanup => CLEANUP,
        Feature::S3Import => S3_IMPORT,
        Feature::Marketplace => MARKETPLACE,
        Feature::BlockPublicAccess => BLOCK_PUBLIC_ACCESS,
        Feature::Roles => ROLES,
    }
}

/// The IAM policy for these features, one or more statements each.
///
/// Words in capitals (`BUCKET`, `ROLE`) are to be replaced. EC2's permissions are for every resource: those of images
/// that do not exist yet cannot be told by tags, and preflight asks with ids that nobody has.
///
/// ```
/// use cloud_publish_aws::{Feature, policy};
/// let policy = policy(&[Feature::Prove]);
/// assert_eq!(policy["Statement"][0]["Action"], serde_json::json!(["ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks"]));
/// ```
pub fn policy(features: &[Feature]) -> Value {
    let statements: Vec<Value> = features.iter().flat_map(|feature| statements(*feature)).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn statements(feature: Feature) -> Vec<Value> {
    let kinds = [On::Everything, On::Bucket, On::Role];
    let of = |kind: On| {
        let mut names: Vec<&str> = actions(feature).iter().map(|action| action.name).collect();
        names.retain(|name| On::of(name) == kind);
        names.sort_unstable();
        (!names.is_empty()).then(|| {
            let id = format!("{feature:?}{}", kind.suffix());
            json!({"Sid": id, "Effect": "Allow", "Action": names, "Resource": kind.resources()})
        })
    };
    kinds.into_iter().filter_map(of).collect()
}

/// What a permission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Everything,
    Bucket,
    Role,
}

impl On {
    fn of(name: &str) -> Self {
        match name.split_once(':').map(|(service, _)| service) {
            Some("s3") => Self::Bucket,
            Some("iam" | "sts") => Self::Role,
            _ => Self::Everything,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Bucket => "Bucket",
            Self::Role => "Role",
        }
    }

    fn resources(self) -> Value {
        match self {
            Self::Everything => json!("*"),
            Self::Bucket => json!(["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"]),
            Self::Role => json!("arn:aws:iam::ACCOUNT:role/ROLE"),
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
