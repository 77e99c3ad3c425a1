//! What needs a person's word stays private until it was given for this very content.

use std::sync::Arc;

use cloud_publish_core::error::Result;
use cloud_publish_core::execute::Approval;
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::{RunOutcome, approvable, approve, prepare};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::judge::{Judge, not_yet};
use crate::world::{World, store};

fn world(replication: Replication) -> World {
    World::new(replication).with_keys("approve = true\n")
}

/// Says yes to all that is there.
async fn say_yes(world: &World, state: &Arc<dyn ObjectStore>) -> Result<Approval> {
    let (config, request) = world.request("bookworm-20240101");
    let environment = world.environment(config, state.clone());
    let prepared = prepare(&environment, &request).await?;
    let target = "t-acc".parse().unwrap();
    let images = approvable(&prepared, &target);
    approve(&environment, &prepared, &target, (&images, "alice")).await
}

#[tokio::test]
async fn a_run_waits_for_an_approval_and_the_next_one_publishes() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch, Replication::None] {
        let (world, state) = (world(replication), store());
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Waiting, "{replication:?}: {:?}", summary.failures);
        let hint = summary.failures[0].hint.clone().unwrap();
        assert!(hint.contains("`publish approve --release bookworm-20240101 --target t-acc`"), "{hint}");
        assert!(world.cloud.exposures().is_empty());
        let approval = say_yes(&world, &state).await.unwrap();
        assert_eq!((approval.by.as_str(), approval.subjects.len()), ("alice", 1));
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {:?}", summary.failures);
        world.assert_nothing_public_early();
    }
}

#[tokio::test]
async fn nothing_can_be_approved_that_is_not_there_or_was_approved_or_published() {
    let (world, state) = (world(Replication::None), store());
    assert!(say_yes(&world, &state).await.is_err(), "nothing is there");
    world.publish(&state).await.unwrap();
    say_yes(&world, &state).await.unwrap();
    assert!(say_yes(&world, &state).await.is_err(), "it is approved");
    world.publish(&state).await.unwrap();
    assert!(say_yes(&world, &state).await.is_err(), "it is published");
}

#[tokio::test]
async fn an_approval_of_another_content_does_not_count() {
    let (world, state) = (world(Replication::PerRegion), store());
    world.publish(&state).await.unwrap();
    say_yes(&world, &state).await.unwrap();
    // The same account, emptied, and the release built anew under the same name.
    let world = self::world(Replication::PerRegion);
    let file = world.path().join("genericcloud-20240101-1614.raw");
    let mut disk = std::fs::read(&file).unwrap();
    disk[4096] ^= 1;
    std::fs::write(&file, &disk).unwrap();
    let manifest = world.path().join("bookworm-20240101.toml");
    let sha256 = cloud_publish_core::digest::hex(&<sha2::Sha256 as sha2::Digest>::digest(&disk));
    let lines = std::fs::read_to_string(&manifest).unwrap();
    let old = lines.lines().find(|line| line.starts_with("sha256")).unwrap();
    std::fs::write(&manifest, lines.replace(old, &format!("sha256 = \"{sha256}\""))).unwrap();

    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Waiting, "{:?}", summary.failures);
    assert!(world.cloud.exposures().is_empty());
    say_yes(&world, &state).await.unwrap();
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
}

#[tokio::test]
async fn an_approval_that_cannot_be_read_approves_nothing_and_is_reported() {
    let (world, state) = (world(Replication::None), store());
    world.publish(&state).await.unwrap();
    state.put(&Path::from("approval/v1/bookworm-20240101/torn.json"), "{\"schema\": 1, ".into()).await.unwrap();
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Waiting);
    let warned = world.events.all().iter().any(|event| format!("{event:?}").contains("torn.json"));
    assert!(warned && world.cloud.exposures().is_empty());
}

#[tokio::test]
async fn a_gate_and_a_person_are_both_needed_in_any_order() {
    let mut world = world(Replication::None);
    let judge = Judge::new(&world.cloud, "boot");
    world.gate = Some(judge.clone());
    judge.say("genericcloud", not_yet());
    let state = store();
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Waiting);
    say_yes(&world, &state).await.unwrap();
    judge.say("genericcloud", not_yet());
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Waiting, "the gate has not passed");
    assert!(world.cloud.exposures().is_empty());
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
}

#[tokio::test]
async fn with_the_ledger_lost_what_is_not_published_has_to_be_approved_again() {
    let (world, state) = (world(Replication::None), store());
    world.publish(&state).await.unwrap();
    say_yes(&world, &state).await.unwrap();
    assert_eq!(world.publish(&store()).await.unwrap().outcome, RunOutcome::Waiting);
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
    assert_eq!(world.publish(&store()).await.unwrap().outcome, RunOutcome::Complete, "what is published needs no word");
}
