//! Registering: everything arrives, names are judged by tags, and nothing is made twice.

use cloud_publish_aws::Aws;
use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Publisher as _, Registered, ReplicateRequest, Staged};
use cloud_publish_core::survey::{FoundImage, Life, Native};
use serde_json::json;

use crate::images::{Images, at, count, images_in, nth, only_image, snapshot_of};
use crate::planted::ask;
use crate::world::{World, region};

const HOME: &str = "us-east-1";

#[tokio::test]
async fn every_attribute_arrives_and_is_what_the_survey_shows() {
    let world = World::start(json!({}));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "QU1aTlVFRkk=\n").unwrap();
    let target = world.target(json!({
        "image": {"boot_mode": "uefi", "tpm": true, "volume_size": 20, "iops": 4000, "throughput": 500,
            "root_device": "/dev/sda1", "uefi_data": keys},
        "deprecate_after_days": {"release": 730},
        "snapshots": "as-image",
    }));
    let mut images = Images::new(1);
    images.spec.visibility = Visibility::SharedWith(vec!["222222222222".to_owned()]);
    let made = images.register(&target, &images.spec).await.unwrap();
    images.publish(&target, &images.spec, &made).await;

    let there = only_image(&world, HOME);
    assert_eq!(there["id"], made.id.as_str());
    assert_eq!((&there["boot_mode"], &there["tpm_support"]), (&json!("uefi"), &json!("v2.0")));
    assert_eq!((&there["imds_support"], &there["uefi_data"]), (&json!("v2.0"), &json!("QU1aTlVFRkk=")));
    assert_eq!(there["protection"], "enabled-without-cooldown");
    let expected = target.expect(&images.spec, &region(HOME)).unwrap();
    let survey = images.survey(&target).await;
    let [found] = survey.images.as_slice() else { panic!("one image: {:?}", survey.images) };
    for (name, value) in &expected.attributes {
        assert_eq!(found.attributes.get(name), Some(value), "{name}");
    }
    assert_eq!((found.visibility.clone(), found.life()), (images.spec.visibility.clone(), Life::Published));
    assert_eq!((&found.tags, &found.extra_tags), (&Some(images.spec.tags.clone()), &images.spec.extra_tags));
    assert_eq!((&found.links, &found.problems), (&made.links, &Vec::new()));
    assert_eq!(survey.staged, []);
}

#[tokio::test]
async fn an_image_is_made_of_defaults_where_nothing_is_said() {
    let world = World::start(json!({}));
    let target = world.target(json!({"deregistration_protection": []}));
    let images = Images::new(1);
    let made = images.register(&target, &images.spec).await.unwrap();
    let there = only_image(&world, HOME);
    assert_eq!((&there["boot_mode"], &there["protection"]), (&json!("uefi-preferred"), &json!("disabled")));
    assert_eq!(there["deprecate_at"], json!(null));
    images.publish(&target, &images.spec, &made).await;
    let expected = target.expect(&images.spec, &region(HOME)).unwrap();
    let found = &images.survey(&target).await.images[0];
    let differs = expected.attributes.iter().find(|(name, value)| found.attributes.get(*name) != Some(value));
    assert_eq!(differs, None, "{:?}", found.attributes);
}

#[tokio::test]
async fn registering_again_finds_the_image_and_writes_nothing() {
    let world = World::start(json!({}));
    let target = world.target(json!({"deprecate_after_days": {"release": 30}}));
    let images = Images::new(1);
    let first = images.register(&target, &images.spec).await.unwrap();
    let before = world.writes().len();
    let again = images.register(&world.target(json!({})), &images.spec).await.unwrap();
    assert_eq!((again, world.writes().len()), (first, before));
}

#[tokio::test]
async fn a_release_of_long_ago_gets_no_date_of_the_past() {
    let world = World::start(json!({}));
    let target = world.target(json!({"deprecate_after_days": {"release": 30}}));
    let mut images = Images::new(1);
    images.spec.tags.date = "2020-01-01T00:00:00Z".parse().unwrap();
    images.spec.visibility = Visibility::Private;
    images.register(&target, &images.spec).await.unwrap();
    assert_eq!(count(&world, "EnableImageDeprecation"), 0);
    let found = &images.survey(&target).await.images[0];
    assert_eq!((found.native, found.attributes["deprecation"].as_str()), (Native::Available, "as configured"));
}

#[tokio::test]
async fn a_name_held_by_an_image_that_is_not_ours_is_refused_naming_it() {
    let images = Images::new(1);
    let name = images.spec.name.as_str();
    for (tags, whose) in [
        (json!({}), "which cloud-publish has not made"),
        (json!({"cloud-publish-owner": "debian", "cloud-publish-release": "other"}), "of debian's release other"),
    ] {
        let world = World::start(json!({"ec2": {"images": [{"name": name, "tags": tags}]}}));
        let seeded = only_image(&world, HOME);
        let target = world.target(json!({}));
        let refused = images.register(&target, &images.spec).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::NameTaken);
        let told = refused.to_string();
        assert!(told.contains(seeded["id"].as_str().unwrap()) && told.contains(whose), "{told}");
        assert_eq!(images_in(&world, HOME).len(), 1);
    }
}

#[tokio::test]
async fn a_lost_reply_leaves_one_image() {
    let world = World::start(json!({"delays": {"image_visible": 800, "image_available": 1200}}));
    world.hurt(nth("RegisterImage", 1, json!("lost")));
    let images = Images::new(1);
    let made = images.register(&world.target(json!({})), &images.spec).await.unwrap();
    assert_eq!(only_image(&world, HOME)["id"], made.id.as_str());
    assert_eq!(count(&world, "RegisterImage"), 2);
}

#[tokio::test]
async fn two_publishers_at_once_make_one_image() {
    let world = World::start(json!({"delays": {"image_visible": 600, "image_available": 900}}));
    let images = Images::new(1);
    let (one, other) = (world.target(json!({})), world.target(json!({})));
    let staged = images.staged(&one, &images.spec).await;
    let (first, second) = futures::future::join(
        images.register_of(&one, &images.spec, staged.clone()),
        images.register_of(&other, &images.spec, staged),
    )
    .await;
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(images_in(&world, HOME).len(), 1);
}

#[tokio::test]
async fn a_registration_that_was_not_finished_shows_as_being_made_and_is_finished_by_the_next() {
    let world = World::start(json!({}));
    let target = world.target(json!({"deprecate_after_days": {"release": 30}}));
    let images = Images::new(1);
    for operation in ["EnableImageDeregistrationProtection", "EnableImageDeprecation"] {
        world.hurt(nth(operation, 1, json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}})));
        let refused = images.register(&target, &images.spec).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::PermissionDenied);
        assert_eq!(images.survey(&target).await.images[0].native, Native::Pending, "{operation}");
    }
    world.hurt(json!([]));
    images.register(&target, &images.spec).await.unwrap();
    let there = only_image(&world, HOME);
    assert_eq!(there["protection"], "enabled-without-cooldown");
    assert!(there["deprecate_at"].is_string());
    assert_eq!(images.survey(&target).await.images[0].native, Native::Available);
}

#[tokio::test]
async fn what_is_registered_must_be_the_snapshot_of_this_very_image() {
    let world = World::start(json!({}));
    let target = world.target(json!({}));
    let images = Images::new(1);
    let missing = Staged { region: region(HOME), id: "snap-0123456789abcdef0".to_owned(), sent: 0 };
    let refused = images.register_of(&target, &images.spec, missing).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    let staged = images.staged(&target, &images.variant("nocloud")).await;
    let refused = images.register_of(&target, &images.spec, staged).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert_eq!(count(&world, "RegisterImage"), 0);
}

#[tokio::test]
async fn a_retired_image_is_not_made_again() {
    let world = World::start(json!({}));
    let target = world.target(json!({}));
    let images = Images::new(1);
    let made = images.register(&target, &images.spec).await.unwrap();
    target.retire(&images.context(), &at(&images.spec, &made)).await.unwrap();
    let refused = images.register(&target, &images.spec).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(only_image(&world, HOME)["state"], "disabled");
}

#[tokio::test]
async fn image_and_snapshot_have_the_same_tags_from_the_start() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    images.register(&world.target(json!({})), &images.spec).await.unwrap();
    let there = only_image(&world, HOME);
    assert_eq!(there["tags"], snapshot_of(&world, &there)["tags"]);
    assert_eq!(there["tags"]["cloud-publish-size"], images.spec.virtual_size.to_string());
    assert_eq!(there["tags"]["team"], "cloud");
    assert_eq!(count(&world, "CreateTags"), 0);
}

#[tokio::test]
async fn tags_that_the_snapshot_has_lost_are_written_again() {
    let world = World::start(json!({}));
    let target = world.target(json!({}));
    let images = Images::new(1);
    let made = images.register(&target, &images.spec).await.unwrap();
    let snapshot = only_image(&world, HOME)["snapshots"][0].as_str().unwrap().to_owned();
    for (lost, shown) in [("owner", "missing"), ("release", "incomplete")] {
        ask(&world, &format!("Action=DeleteTags&ResourceId.1={snapshot}&Tag.1.Key=cloud-publish-{lost}"));
        let found = seen(&images, &target, |found| found.attributes["snapshot_tags"] == shown).await;
        assert_eq!((found.native, found.problems), (Native::Pending, Vec::new()));
        let again = target.replicate(&images.context(), &copies_of(&images, &made)).await.unwrap();
        assert!(again[0].1.is_ok());
        let there = only_image(&world, HOME);
        assert_eq!(snapshot_of(&world, &there)["tags"], there["tags"]);
    }
    images.publish(&target, &images.spec, &made).await;
    ask(&world, &format!("Action=DeleteTags&ResourceId.1={snapshot}&Tag.1.Key=cloud-publish-owner"));
    let found = seen(&images, &target, |found| found.attributes["snapshot_tags"] == "missing").await;
    assert_eq!(found.life(), Life::Published);
}

#[tokio::test]
async fn a_snapshot_with_tags_of_another_image_is_reported_and_left_alone() {
    let world = World::start(json!({}));
    let target = world.target(json!({}));
    let images = Images::new(1);
    let made = images.register(&target, &images.spec).await.unwrap();
    let snapshot = only_image(&world, HOME)["snapshots"][0].as_str().unwrap().to_owned();
    ask(&world, &format!("Action=CreateTags&ResourceId.1={snapshot}&Tag.1.Key=cloud-publish-suite&Tag.1.Value=trixie"));
    seen(&images, &target, |found| found.problems.iter().any(|problem| problem.contains(&snapshot))).await;
    let before = world.writes().len();
    let again = target.replicate(&images.context(), &copies_of(&images, &made)).await.unwrap().remove(0).1;
    assert_eq!((again.unwrap_err().kind(), world.writes().len()), (Kind::Conflict, before));
}

/// A replication that looks at the home region alone.
fn copies_of(images: &Images, made: &Registered) -> ReplicateRequest {
    let (image, home) = (std::sync::Arc::new(images.spec.clone()), at(&images.spec, made));
    ReplicateRequest { image, home, regions: vec![made.region.clone()] }
}

/// The one image as a survey shows it, once it is like that: a change by others takes its time.
async fn seen(images: &Images, target: &Aws, is_so: impl Fn(&FoundImage) -> bool) -> FoundImage {
    for _ in 0..100 {
        let found = images.survey(target).await.images.remove(0);
        if is_so(&found) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the survey never shows it");
}
