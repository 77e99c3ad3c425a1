//! The IAM policy that the documentation shows is what runs make use of: nothing is missing from it, and nothing in it
//! is of no use.

use std::collections::BTreeSet;

use cloud_publish_aws::{Feature, actions};
use cloud_publish_tests::aws_site::Cloud;
use serde_json::json;

use crate::world::{IMPORT, World};

/// What only a disturbed or a changed run makes use of, in the order of the names.
const RARE: [&str; 6] = [
    "ec2:DeleteSnapshot",
    "ec2:DeleteTags",
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "servicequotas:GetAWSDefaultServiceQuota",
    "ssm:ListTagsForResource",
];

fn allowed(features: &[Feature]) -> BTreeSet<&'static str> {
    features.iter().flat_map(|feature| actions(*feature)).map(|action| action.name).collect()
}

/// What the requests of ours at this cloud made use of so far: nothing but what is in the policy for these features.
pub(crate) fn used(cloud: &Cloud, features: &[Feature]) -> BTreeSet<String> {
    let used: BTreeSet<String> = cloud.requests().into_iter().flat_map(|entry| entry.actions).collect();
    let allowed = allowed(features);
    let missing: Vec<_> = used.iter().filter(|name| !allowed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in the policy for {features:?}: {missing:?}");
    used
}

#[test]
#[ignore = "needs what tests/run installs"]
fn each_feature_needs_the_permissions_of_its_statement_and_no_other() {
    let world = World::with("deprecate_after_days = { release = 30 }\n", json!({}));
    world.date_today();
    world.publish().expect(0);
    let mut all = used(&world.cloud, &[Feature::Publish]);
    world.run("verify --prove=all --release bookworm-20240101 --to aws").expect(0);
    all.extend(used(&world.cloud, &[Feature::Publish, Feature::Prove]));

    let importing = World::with(IMPORT, json!({}));
    importing.publish().expect(0);
    let features = [Feature::Publish, Feature::S3Import];
    all.extend(used(&importing.cloud, &features));

    let everything = allowed(&[Feature::Publish, Feature::Prove, Feature::S3Import]);
    let unused: Vec<_> = everything.into_iter().filter(|name| !all.contains(*name)).collect();
    assert_eq!(unused, RARE, "the policy names what no run makes use of, or a rare one is common now");
}
