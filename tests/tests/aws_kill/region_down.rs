//! A region where copies fail for good, or everything.

use cloud_publish_tests::aws::ACCOUNT;
use serde_json::{Value, json};

use crate::disturbed::BY_BLOCKS;
use crate::world::{REGIONS, World};

const BROKEN: &str = REGIONS[1];

fn broken() -> Value {
    json!([{"service": "ec2", "operation": "CopyImage", "region": BROKEN, "what": "error500"}])
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_broken_required_region_keeps_the_image_private_and_the_next_run_does_only_that_region() {
    let world = World::new();
    world.cloud.hurt(broken());
    let summary = world.publish().expect(1).summary();
    assert_eq!(summary["outcome"], "incomplete", "{summary}");
    let failures = summary["failures"].as_array().unwrap();
    assert!(failures.iter().any(|failure| failure["region"] == BROKEN), "{summary}");
    assert!(world.cloud.world().exposures().is_empty(), "{:#?}", world.cloud.world().exposures());
    let seen = world.seen();
    let images = |region: &str| seen[ACCOUNT].regions[region].images.len();
    assert_eq!(REGIONS.map(images), [1, 0, 1]);

    world.cloud.hurt(json!([]));
    let before = world.cloud.writes().len();
    world.publish().expect(0);
    let writes = world.cloud.writes();
    let makes = ["CreateTags", "ModifyImageAttribute", "ModifySnapshotAttribute", "PutParameter", "AddTagsToResource"];
    let made = writes[before..].iter().filter(|entry| !makes.contains(&entry.operation.as_str()));
    assert!(made.clone().any(|entry| entry.operation == "CopyImage"), "{writes:#?}");
    for entry in made {
        assert_eq!(entry.region, BROKEN, "{entry:#?}");
    }
    assert_eq!(world.seen(), BY_BLOCKS.seen);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_broken_best_effort_region_is_a_warning_and_filled_when_it_is_mended() {
    let required = r#"regions = ["us-east-1", "eu-west-1", "us-west-2"]"#;
    let best_effort = "regions = [\"us-east-1\", \"us-west-2\"]\nbest_effort = [\"eu-west-1\"]";
    let world = World::changed(&[(required, best_effort)], json!({}));
    world.cloud.hurt(broken());
    let ran = world.publish().expect(0);
    assert!(ran.err.contains(BROKEN), "{}", ran.err);
    assert_eq!(ran.summary()["outcome"], "complete");
    let mut wanted = BY_BLOCKS.seen.clone();
    let missing = wanted.get_mut(ACCOUNT).unwrap().regions.get_mut(BROKEN).unwrap();
    missing.images.clear();
    missing.snapshots.clear();
    missing.parameters.clear();
    assert_eq!(world.seen(), wanted);

    world.cloud.hurt(json!([]));
    world.publish().expect(0);
    assert_eq!(world.seen(), BY_BLOCKS.seen);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn a_required_region_that_does_not_answer_refuses_the_run() {
    let world = World::new();
    world.cloud.hurt(json!([{"service": "ec2", "region": BROKEN, "what": "reset"}]));
    let summary = world.publish().expect(2).summary();
    assert_eq!(summary["outcome"], "refused", "{summary}");
    let failures = summary["failures"].as_array().unwrap();
    assert!(failures.iter().all(|failure| failure["region"] == BROKEN), "{summary:#}");
    assert!(failures.iter().any(|failure| failure["hint"].as_str().unwrap().contains("best_effort")), "{summary:#}");
    assert!(world.cloud.writes().is_empty());
}
