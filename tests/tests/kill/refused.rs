//! What the cloud does not let us do is said before anything is made.

use cloud_publish_tests::foreign;
use cloud_publish_tests::servers::{DENIED, MEMBER, REGIONS, SMALL_QUOTA};
use serde_json::{Value, json};

use crate::world::World;

/// The only failure of a refused run.
fn refusal(world: &World) -> Value {
    let summary = world.publish().expect(2).summary();
    assert_eq!(summary["outcome"], "refused", "{summary}");
    let failures = summary["failures"].as_array().unwrap();
    assert!(!failures.is_empty() && failures.iter().all(|failure| failure["hint"].is_string()), "{summary}");
    failures[0].clone()
}

fn says(failure: &Value, field: &str, part: &str) {
    assert!(failure[field].as_str().unwrap().contains(part), "no `{part}` in {failure}");
}

/// How many images another client finds of this owner, asking as an entry of clouds.yaml.
fn count(world: &World, cloud: &str, region: &str) -> usize {
    let owner = format!("cloud-publish-owner={}", world.owner);
    let list = ["image", "list", "--format", "json", "--property", &owner];
    let hidden = [&list[..], &["--hidden"]].concat();
    let count = |list: &[&str]| {
        let found: Value = serde_json::from_str(&foreign::openstack_cli(cloud, region, list)).unwrap();
        found.as_array().unwrap().len()
    };
    count(&list) + count(&hidden)
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_required_region_that_is_not_there_refuses_the_run() {
    let world = World::with("no region", &[("RegionTwo", "Nowhere")]);
    let failure = refusal(&world);
    assert_eq!((&failure["step"], &failure["region"]), (&json!("preflight"), &json!("Nowhere")));
    says(&failure, "error", "no image service in region `Nowhere`");
    says(&failure, "hint", "RegionOne, RegionTwo");
    assert_eq!(world.seen(), []);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_best_effort_region_that_is_not_there_is_a_warning() {
    let regions = r#"regions = ["RegionOne", "RegionTwo"]"#;
    let world = World::with("warning", &[(regions, "regions = [\"RegionOne\"]\nbest_effort = [\"Nowhere\"]")]);
    let ran = world.publish().expect(0);
    assert!(ran.err.contains("Nowhere"), "{}", ran.err);
    let summary = ran.summary();
    assert_eq!(summary["outcome"], "complete", "{summary}");
    let seen = world.seen();
    let public = seen.iter().filter(|image| image.visibility == "public" && image.region == REGIONS[0]).count();
    assert_eq!((public, seen.len()), (2, 2), "{seen:#?}");
    world.wipe();
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_wrong_password_refuses_the_run() {
    let world = World::with("denied", &[("CLOUD", DENIED)]);
    let failure = refusal(&world);
    says(&failure, "error", "sign in");
    says(&failure, "hint", "clouds.yaml");
    assert_eq!(world.seen(), []);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn who_may_not_publish_is_told_before_anything_is_made() {
    for cloud in [MEMBER, SMALL_QUOTA] {
        let world = World::with("not allowed", &[("CLOUD", cloud)]);
        let failure = refusal(&world);
        says(&failure, "error", "may not make an image public");
        says(&failure, "hint", "`visibility`");
        for region in REGIONS {
            assert_eq!(count(&world, cloud, region), 0, "{cloud} in {region}");
        }
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_quota_that_is_too_small_refuses_the_run() {
    let world = World::with_disks("quota", &[("CLOUD", SMALL_QUOTA), ("\"public\"", "\"private\"")], 5 << 20);
    let failure = refusal(&world);
    assert_eq!(failure["step"], "preflight");
    says(&failure, "error", "image_size_total has 8 MiB left, the run needs 10");
    for region in REGIONS {
        assert_eq!(count(&world, SMALL_QUOTA, region), 0, "{region}");
    }
}
