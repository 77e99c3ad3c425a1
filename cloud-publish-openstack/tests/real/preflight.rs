//! What is found before the first byte.

use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{Context, Replication};
use cloud_publish_core::publisher::{Finding, PreflightRequest, Probe, Severity};
use serde_json::json;

use crate::foreign::variable;
use crate::world::{World, one, owner, target, two};

async fn findings(world: &World, probe: Probe) -> Vec<Finding> {
    let additions = vec![(Arc::new(world.spec("1")), one())];
    world
        .target
        .preflight(&world.context, &PreflightRequest { exposures: additions.clone(), additions, probe })
        .await
        .unwrap()
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_target_knows_its_project_and_its_regions() {
    let info = target("publisher-admin", &owner()).info(&Context::detached()).await.unwrap();
    assert_eq!(info.place.account.as_str(), variable("OPENSTACK_TEST_PUBLISHER_PROJECT"));
    let regions: Vec<_> = info.regions.into_iter().map(|wanted| wanted.region).collect();
    assert_eq!((info.home, regions), (one(), vec![one(), two()]));
    assert_eq!(info.capability.replication, Replication::Independent);
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn who_may_publish_finds_nothing_and_leaves_nothing() {
    let world = World::new().await;
    assert_eq!(findings(&world, Probe::MayWrite).await, []);
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_probe_that_a_killed_run_left_is_deleted_and_nothing_else() {
    let world = World::new().await;
    let place = world.target.info(&world.context).await.unwrap().place;
    let mut tags = world.spec("0").tags;
    tags.rendition = "probe".parse().unwrap();
    let mut left = json!({"name": "left", "visibility": "public", "os_hidden": true});
    left.as_object_mut()
        .unwrap()
        .extend(tags.to_map(&place, &one()).into_iter().map(|(name, value)| (name, value.into())));
    world.foreign.create(&left).await;
    let foreign = json!({"name": "made by hand", "cloud-publish-owner": world.owner.as_str(),
        "cloud-publish-rendition": "probe"});
    world.foreign.create(&foreign).await;
    assert_eq!(findings(&world, Probe::MayWrite).await, []);
    let kept = world.foreign.images_of(world.owner.as_str()).await;
    assert_eq!(kept.iter().map(|image| image["name"].as_str().unwrap()).collect::<Vec<_>>(), ["made by hand"]);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn who_may_not_publish_is_told_but_only_by_a_probe() {
    let world = World::of("member", 1 << 20).await;
    assert_eq!(findings(&world, Probe::ReadOnly).await, []);
    let found = findings(&world, Probe::MayWrite).await;
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!((finding.severity, finding.region.clone()), (Severity::Error, Some(one())));
    assert!(finding.hint.as_deref().unwrap().contains("visibility"));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_quota_that_is_too_small_is_found() {
    let world = World::of("smallquota", 9 << 20).await;
    let found = findings(&world, Probe::ReadOnly).await;
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.message.contains("image_size_total"), "{finding:?}");
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_name_that_is_taken_is_found_with_its_holder_s_id() {
    let world = World::new().await;
    let holder = json!({"name": world.spec("1").name.as_str(), "cloud-publish-owner": world.owner.as_str(),
        "os_hidden": true});
    let holder = world.foreign.create(&holder).await;
    let found = findings(&world, Probe::ReadOnly).await;
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert!(finding.message.contains(holder.get("id").unwrap().as_str().unwrap()), "{finding:?}");
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_wrong_password_is_said_without_repeating_it() {
    let error = target("denied", &owner()).info(&Context::detached()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthenticated);
    assert!(error.advice().unwrap().contains("clouds.yaml"));
    assert!(!format!("{error:?} {:?}", error.chain()).contains("a wrong password"));
}
