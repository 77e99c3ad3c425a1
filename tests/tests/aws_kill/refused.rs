//! What AWS will not let us do is said before anything is made.

use cloud_publish_aws::Feature;
use cloud_publish_tests::aws::ACCOUNT;
use serde_json::{Value, json};

use crate::disturbed::BY_BLOCKS;
use crate::policy::used;
use crate::world::{BYSTANDER, IMPORT, REGIONS, World};

/// The only failure of a refused run, which made nothing.
fn refusal(world: &World) -> Value {
    let summary = world.publish().expect(2).summary();
    assert_eq!(summary["outcome"], "refused", "{summary}");
    let failures = summary["failures"].as_array().unwrap();
    let [failure] = failures.as_slice() else { panic!("{summary:#}") };
    assert_eq!(failure["step"], "preflight", "{summary}");
    assert_nothing_written(world);
    failure.clone()
}

fn assert_nothing_written(world: &World) {
    let writes = world.cloud.writes();
    assert!(writes.is_empty(), "{writes:#?}");
}

fn says(failure: &Value, field: &str, part: &str) {
    assert!(failure[field].as_str().unwrap().contains(part), "no `{part}` in {failure:#}");
}

fn denied(actions: &[&str]) -> Value {
    let each = |action: &&str| json!({"account": ACCOUNT, "action": action});
    json!({"denied": actions.iter().map(each).collect::<Value>()})
}

#[test]
#[ignore = "needs what tests/run installs"]
fn credentials_of_another_account_are_refused() {
    let other = format!("account = \"{BYSTANDER}\"");
    let world = World::changed(&[("account = \"111111111111\"", &other)], json!({}));
    let ran = world.publish().expect(2);
    assert!(ran.err.contains(ACCOUNT) && ran.err.contains(BYSTANDER), "{}", ran.err);
    assert_nothing_written(&world);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_permission_that_a_dry_run_shows_to_be_missing_is_named() {
    for action in ["ec2:RegisterImage", "ec2:CopyImage", "ec2:ModifyImageAttribute", "ec2:CreateTags"] {
        let world = World::with("", denied(&[action]));
        let summary = world.publish().expect(2).summary();
        let failures = summary["failures"].as_array().unwrap();
        assert!(!failures.is_empty(), "{action}: {summary:#}");
        for failure in failures {
            says(failure, "error", action);
        }
        assert_nothing_written(&world);
    }
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_full_quota_of_public_images_is_refused_with_the_command_that_raises_it() {
    let full = json!({"quota_exceptions": [{"region": REGIONS[1], "quotas": {"public_images": 1}}], "ec2": {"images": [
        {"account": ACCOUNT, "region": REGIONS[1], "name": "an old one", "public": true},
    ]}});
    let failure = refusal(&World::with("", full));
    assert_eq!(failure["region"], REGIONS[1]);
    says(&failure, "error", "0 of 1 left");
    says(&failure, "hint", "request-service-quota-increase");
}

#[test]
#[ignore = "needs what tests/run installs"]
fn blocked_public_access_is_refused_unless_the_configuration_lets_it_be_switched_off() {
    let blocked = json!({"block_public_access": [
        {"account": ACCOUNT, "region": REGIONS[2], "images": true, "snapshots": "block-new-sharing"},
    ]});
    let world = World::with("", blocked.clone());
    let summary = world.publish().expect(2).summary();
    let failures = summary["failures"].as_array().unwrap();
    assert!(!failures.is_empty() && failures.iter().all(|failure| failure["region"] == REGIONS[2]), "{summary:#}");
    says(&failures[0], "error", "Block Public Access");
    says(&failures[0], "hint", "manage_block_public_access");
    assert_nothing_written(&world);

    let world = World::with("manage_block_public_access = true\n", blocked);
    world.publish().expect(0);
    assert_eq!(world.seen(), BY_BLOCKS.seen);
    used(&world.cloud, &[Feature::Publish, Feature::BlockPublicAccess]);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_name_that_another_image_has_is_refused_with_its_id() {
    let name = "debian-12-genericcloud-amd64-20240101-1614";
    let taken = json!({"ec2": {"images": [{"account": ACCOUNT, "region": REGIONS[0], "name": name}]}});
    let world = World::with("", taken);
    let failure = refusal(&world);
    assert_eq!(failure["region"], REGIONS[0]);
    let id = &world.cloud.holdings(&[ACCOUNT], &REGIONS)[ACCOUNT].regions[REGIONS[0]].images[0].id;
    says(&failure, "error", id);
    says(&failure, "error", name);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_region_that_is_not_enabled_is_refused_with_the_command_that_enables_it() {
    let world = World::changed(&[("\"us-west-2\"", "\"af-south-1\"")], json!({}));
    let failure = refusal(&world);
    assert_eq!(failure["region"], "af-south-1");
    says(&failure, "error", "not enabled");
    says(&failure, "hint", "enable-region");
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_bucket_of_another_region_refuses_an_import() {
    let elsewhere = json!({"s3": {"buckets": {"staging": [ACCOUNT, REGIONS[1]]}}});
    let failure = refusal(&World::with(IMPORT, elsewhere));
    says(&failure, "error", "the bucket is in another region");
}

#[test]
#[ignore = "needs what tests/run installs"]
fn who_may_not_write_blocks_is_told_by_the_first_call_and_at_once() {
    let world = World::with("", denied(&["ebs:StartSnapshot"]));
    let summary = world.publish().expect(1).summary();
    let failures = summary["failures"].as_array().unwrap();
    says(&failures[0], "error", "StartSnapshot");
    assert_eq!(failures[0]["region"], REGIONS[0], "{summary:#}");
    let writes = world.cloud.writes();
    let [only] = writes.as_slice() else { panic!("asked again: {writes:#?}") };
    assert_eq!((only.operation.as_str(), only.status), ("StartSnapshot", Some(403)), "{only:#?}");
    let here = &world.cloud.holdings(&[ACCOUNT], &REGIONS)[ACCOUNT];
    assert!(here.regions.values().all(|held| held.images.is_empty() && held.snapshots.is_empty()), "{here:#?}");
}
