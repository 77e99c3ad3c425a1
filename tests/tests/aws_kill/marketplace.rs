//! A review at the Marketplace takes hours: a run does not wait for it, a later one sees that it is over.

use cloud_publish_aws::Feature;
use cloud_publish_tests::aws::{ACCOUNT, Entry};
use serde_json::{Value, json};

use crate::policy::used;
use crate::world::World;

const LISTING: &str = r#"[target.aws.marketplace.debian]
product = "prod-debian12"
suite = "bookworm"
variant = "genericcloud"
arch = "amd64"
version_title = "Debian {suite_id} {version}"
release_notes = "https://www.debian.org/releases/{suite}/"
usage_instructions = "ssh admin@<address>"
access_role = "arn:aws:iam::111111111111:role/marketplace"
user_name = "admin"
operating_system = "DEBIAN"
operating_system_version = "12"
instance_type = "t3.micro"
"#;

const HOUR: i64 = 3_600_000;

/// A product, the role through which the Marketplace copies images, and reviews of an hour for each stage.
fn settings() -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"], "Resource": "*"},
    ]});
    let role = json!({"trusts": ["assets.marketplace.amazonaws.com"], "policies": {"ingest": policy}});
    json!({
        "delays": {"change_set": HOUR},
        "accounts": {ACCOUNT: {"roles": {"marketplace": role}}},
        "marketplace": {"products": {"prod-debian12": {}}},
    })
}

fn submissions(world: &World) -> Vec<Entry> {
    world.cloud.writes().into_iter().filter(|entry| entry.operation == "StartChangeSet").collect()
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_review_is_waited_for_by_a_later_run() {
    let world = World::with(LISTING, settings());
    let summary = world.publish().expect(4).summary();
    assert_eq!(summary["outcome"], "waiting", "{summary}");
    assert!(summary["images"].as_array().unwrap().iter().all(|image| image["state"] == "published"), "{summary}");
    let submitted = submissions(&world);
    let [only] = submitted.as_slice() else { panic!("{submitted:#?}") };
    assert_eq!((only.region.as_str(), only.status), ("us-east-1", Some(200)), "{only:#?}");

    world.cloud.world().advance(10 * HOUR);
    world.publish().expect(0);
    world.publish().expect(0);
    assert_eq!(submissions(&world).len(), 1);
    let state = world.cloud.world().dump()["marketplace"].to_string();
    assert!(state.contains("Debian 12 20240101-1614"), "{state}");
    used(&world.cloud, &[Feature::Publish, Feature::Marketplace]);
}
