//! The IAM policy that the documentation shows is what runs make use of: nothing is missing from it, and nothing in it
//! is of no use.

use std::collections::BTreeSet;

use cloud_publish_aws::{Feature, actions};
use cloud_publish_tests::aws_site::Cloud;
use serde_json::json;

use crate::world::{IMPORT, World};

/// What only a disturbed or a changed run makes use of.
const RARE: [&str; 7] = [
    // tags that the configuration has no more
    "ec2:DeleteTags",
    // images that became public when the limit was never raised
    "servicequotas:GetAWSDefaultServiceQuota",
    "ssm:GetParameters",
    // an import that was interrupted
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:GetBucketLocation",
    "iam:PassRole",
];

fn allowed(features: &[Feature]) -> BTreeSet<&'static str> {
    features.iter().flat_map(|feature| actions(*feature)).map(|action| action.name).collect()
}

/// What the requests of ours at this cloud made use of so far.
fn used(cloud: &Cloud) -> BTreeSet<String> {
    cloud.requests().into_iter().flat_map(|entry| entry.actions).collect()
}

/// Asserts that no more was made use of, and returns what was not.
fn unused(cloud: &Cloud, features: &[Feature]) -> BTreeSet<&'static str> {
    let (allowed, used) = (allowed(features), used(cloud));
    let missing: Vec<_> = used.iter().filter(|name| !allowed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in the policy for {features:?}: {missing:?}");
    allowed.into_iter().filter(|name| !used.contains(*name)).collect()
}

#[test]
#[ignore = "needs what tests/run installs"]
fn each_feature_needs_the_permissions_of_its_statement_and_no_other() {
    let world = World::with("deprecate_after_days = { release = 36500 }\n", json!({}));
    world.publish().expect(0);
    let mut rest = unused(&world.cloud, &[Feature::Publish]);
    world.run("verify --prove=all --release bookworm-20240101 --to aws").expect(0);
    rest.extend(unused(&world.cloud, &[Feature::Publish, Feature::Prove]));

    let importing = World::with(IMPORT, json!({}));
    importing.publish().expect(0);
    rest.extend(unused(&importing.cloud, &[Feature::Publish, Feature::S3Import]));
    println!("{rest:?}");
    rest.retain(|name| !RARE.contains(name));
    assert!(rest.is_empty(), "nobody needs {rest:?}");
}
