//! Copies: one per region, whoever starts them and whatever gets lost.

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{Note, Publisher as _, Registered};
use cloud_publish_core::survey::Native;
use futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::images::{COPIES, Images, at, count, images_in, nth, only_image, snapshot_of, target};
use crate::world::{World, region};

/// The image in the home region, and what came of its copies.
async fn copied(world: &World, images: &Images, keys: Value) -> (Registered, Vec<Registered>) {
    let target = target(world, keys);
    let home = images.register(&target, &images.spec).await.unwrap();
    let results = images.copy(&target, (&images.spec, &home), &COPIES).await;
    (home, results.into_iter().map(|(_, result)| result.unwrap()).collect())
}

#[tokio::test]
async fn a_copy_has_all_that_its_source_has() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let keys = json!({"deprecate_after_days": {"release": 30}, "image": {"tpm": true, "boot_mode": "uefi"}});
    let (home, copies) = copied(&world, &images, keys.clone()).await;
    let source = only_image(&world, "us-east-1");
    for copy in &copies {
        let there = only_image(&world, copy.region.as_str());
        assert_eq!(there["id"], copy.id.as_str());
        assert_eq!(there["source"], json!([home.id.as_str(), "us-east-1"]));
        for same in ["name", "boot_mode", "tpm_support", "imds_support", "protection", "deprecate_at"] {
            assert_eq!(there[same], source[same], "{same}");
        }
        assert_ne!(there["tags"]["cloud-publish-key"], source["tags"]["cloud-publish-key"]);
        let snapshot = snapshot_of(&world, &there);
        assert_eq!(there["tags"], snapshot["tags"]);
        assert_eq!(snapshot["content"], snapshot_of(&world, &source)["content"]);
    }
    let target = target(&world, keys);
    let survey = images.survey(&target).await;
    assert_eq!((survey.images.len(), survey.staged.len()), (3, 0));
    for found in &survey.images {
        let expected = target.expect(&images.spec, &found.region).unwrap().attributes;
        let differs = expected.iter().find(|(name, value)| found.attributes.get(*name) != Some(value));
        assert_eq!((differs, found.native), (None, Native::Available));
    }
}

#[tokio::test]
async fn copying_again_answers_in_order_and_writes_nothing() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let (home, copies) = copied(&world, &images, json!({})).await;
    let before = world.writes().len();
    let order = ["us-west-2", "us-east-1", "eu-west-1"];
    let again = images.copy(&target(&world, json!({})), (&images.spec, &home), &order).await;
    let answered: Vec<&str> = again.iter().map(|(region, _)| region.as_str()).collect();
    assert_eq!(answered, order);
    let again: Vec<Registered> = again.into_iter().map(|(_, result)| result.unwrap()).collect();
    assert_eq!(again, [copies[1].clone(), home, copies[0].clone()]);
    assert_eq!(world.writes().len(), before);
}

#[tokio::test]
async fn a_lost_reply_leaves_one_copy() {
    let world = World::start(json!({"delays": {"image_visible": 800, "copy": 1200}}));
    world.hurt(nth("CopyImage", 1, json!("lost")));
    let images = Images::new(1);
    copied(&world, &images, json!({})).await;
    assert_eq!(count(&world, "CopyImage"), 3);
    for region in COPIES {
        only_image(&world, region);
    }
}

#[tokio::test]
async fn two_publishers_at_once_make_one_copy_per_region() {
    let world = World::start(json!({"delays": {"image_visible": 600, "copy": 900}}));
    let (images, others) = (Images::new(1), Images::new(1));
    let (one, other) = (target(&world, json!({})), target(&world, json!({})));
    let home = images.register(&one, &images.spec).await.unwrap();
    let both =
        join(images.copy(&one, (&images.spec, &home), &COPIES), others.copy(&other, (&images.spec, &home), &COPIES));
    let (first, second) = both.await;
    for ((region, first), (_, second)) in first.into_iter().zip(second) {
        assert_eq!(first.unwrap(), second.unwrap());
        only_image(&world, region.as_str());
    }
}

#[tokio::test]
async fn publishers_with_different_descriptions_share_one_copy() {
    let world = World::start(json!({"delays": {"image_visible": 600, "copy": 900}}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    let mut other = images.spec.clone();
    other.description = "Debian 12 for all clouds".to_owned();
    let both =
        join(images.copy(&target, (&images.spec, &home), &COPIES), images.copy(&target, (&other, &home), &COPIES));
    let (first, second) = both.await;
    for ((region, first), (_, second)) in first.into_iter().zip(second) {
        assert_eq!(first.unwrap(), second.unwrap());
        only_image(&world, region.as_str());
    }
}

#[tokio::test]
async fn more_copies_than_the_region_takes_wait_their_turn() {
    let world = World::start(json!({"quotas": {"concurrent_copies": 2}, "delays": {"copy": 300}}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let variants = ["a", "b", "c", "d", "e", "f"].map(|variant| images.variant(variant));
    let mut homes = Vec::new();
    for spec in &variants {
        homes.push(images.register(&target, spec).await.unwrap());
    }
    let copies = variants.iter().zip(&homes).map(|(spec, home)| images.copy(&target, (spec, home), &["eu-west-1"]));
    for results in join_all(copies).await {
        results[0].1.as_ref().unwrap();
    }
    assert_eq!(images_in(&world, "eu-west-1").len(), 6);
    let refused =
        world.fake.world.requests().iter().filter(|it| it.code.as_deref() == Some("ResourceLimitExceeded")).count();
    assert!((1..=12).contains(&refused), "{refused} copies were refused");
    let said = images.kept.said();
    assert!(said.iter().any(|line| line == "waiting for a place among the copies into eu-west-1"), "{said:?}");
}

#[tokio::test]
async fn a_region_that_fails_is_alone_with_it() {
    let world = World::start(json!({}));
    let refuse = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    world.hurt(json!([{"region": "eu-west-1", "operation": "CopyImage", "what": refuse}]));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    let results = images.copy(&target, (&images.spec, &home), &COPIES).await;
    let error = results[0].1.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.context("region")), (Kind::PermissionDenied, Some("eu-west-1")));
    assert_eq!(count(&world, "CopyImage"), 2, "what is denied is not asked again");
    results[1].1.as_ref().unwrap();
    world.hurt(json!([]));
    let before = world.writes().len();
    let again = images.copy(&target, (&images.spec, &home), &COPIES).await;
    assert!(again.iter().all(|(_, result)| result.is_ok()));
    let written: Vec<_> = world.writes().split_off(before).into_iter().map(|entry| entry.region).collect();
    assert!(!written.is_empty() && written.iter().all(|region| region == "eu-west-1"), "{written:?}");
}

#[tokio::test]
async fn a_token_whose_copy_was_deregistered_is_dead_and_the_next_is_taken() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    let first = images.copy(&target, (&images.spec, &home), &["eu-west-1"]).await.remove(0).1.unwrap();
    target.delete(&images.context(), &at(&images.spec, &first)).await.unwrap();
    let second = images.copy(&target, (&images.spec, &home), &["eu-west-1"]).await.remove(0).1.unwrap();
    assert_ne!(first.id, second.id);
    let notes = images.context().earlier_notes();
    let [Note::DeadGeneration { generation: 0, reason }] = notes.as_slice() else { panic!("one note: {notes:?}") };
    assert!(reason.contains(first.id.as_str()), "{reason}");
    assert_eq!(only_image(&world, "eu-west-1")["id"], second.id.as_str());
}

#[tokio::test]
async fn a_copy_that_was_not_finished_shows_as_being_made() {
    let world = World::start(json!({}));
    let refuse = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    world.hurt(json!([{"operation": "EnableImageDeregistrationProtection", "what": refuse}]));
    images.copy(&target, (&images.spec, &home), &["eu-west-1"]).await.remove(0).1.unwrap_err();
    let native = |survey: cloud_publish_core::survey::Survey| {
        survey.images.into_iter().map(|image| (image.region, image.native)).collect::<Vec<_>>()
    };
    let shown = native(images.survey(&target).await);
    assert_eq!(shown, [(region("eu-west-1"), Native::Pending), (region("us-east-1"), Native::Available)]);
    world.hurt(json!([]));
    images.copy(&target, (&images.spec, &home), &["eu-west-1"]).await.remove(0).1.unwrap();
    assert!(native(images.survey(&target).await).iter().all(|(_, native)| *native == Native::Available));
    only_image(&world, "eu-west-1");
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_said_to_be_so() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    let results = images.copy(&target, (&images.spec, &home), &["af-south-1", "us-west-2"]).await;
    assert!(matches!(results[0].1.as_ref().unwrap_err().kind(), Kind::PermissionDenied | Kind::Unauthenticated));
    results[1].1.as_ref().unwrap();
}

#[tokio::test]
async fn a_tenth_of_failures_changes_nothing_in_the_end() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let rules: Vec<Value> = ["throttle", "reset", "error500", "lost"]
        .iter()
        .zip(0_u64..)
        .map(|(what, seed)| json!({"rate": 0.025, "seed": seed, "what": what}))
        .collect();
    let staged = images.staged(&target, &images.spec).await;
    world.hurt(json!(rules));
    let mut tries = 0;
    let home = loop {
        tries += 1;
        match images.register_of(&target, &images.spec, staged.clone()).await {
            Ok(home) => break home,
            Err(error) => assert!(tries < 5, "{error}"),
        }
    };
    let mut results = images.copy(&target, (&images.spec, &home), &COPIES).await;
    while results.iter().any(|(_, result)| result.is_err()) {
        tries += 1;
        assert!(tries < 10, "{results:?}");
        results = images.copy(&target, (&images.spec, &home), &COPIES).await;
    }
    for (region, result) in results {
        assert_eq!(only_image(&world, region.as_str())["id"], result.unwrap().id.as_str());
    }
}
