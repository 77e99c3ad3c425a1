//! A run that dies anywhere is finished by the next one: same end state, no duplicate, no orphan, nothing public early.

use cloud_publish_core::memory::{Fault, Verb, What};
use cloud_publish_core::publisher::Probe;
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::{RunOutcome, carry_out, prepare};

use crate::world::{ALL, Seen, World, store};

/// Every boundary with `tests/run --full`, else every seventh, shifted so that clouds complement each other.
fn kill_points(boundaries: u64, shift: u64) -> impl Iterator<Item = u64> {
    let stride = if cloud_publish_tests::is_full_run() { 1 } else { 7 };
    (1..=boundaries).filter(move |point| (point + shift).is_multiple_of(stride))
}

async fn unkilled(replication: Replication) -> (Vec<Seen>, u64) {
    let world = World::new(replication);
    world.publish(&store()).await.unwrap();
    (world.seen(), world.cloud.requests_seen())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_finished_by_the_next_with_or_without_its_state() {
    for (shift, replication) in (0..).zip(ALL) {
        let (wanted, boundaries) = unkilled(replication).await;
        for point in kill_points(boundaries, shift) {
            for keeps_state in [true, false] {
                let (world, state) = (World::new(replication), store());
                world.cloud.kill_at(point);
                let killed = world.publish(&state).await;
                if let Ok(summary) = &killed {
                    assert_ne!(summary.outcome, RunOutcome::Waiting);
                }
                world.cloud.behave();
                let state = if keeps_state { state } else { store() };
                let summary = world.publish(&state).await.unwrap();
                let at = format!("{replication:?}, killed at {point}, state kept: {keeps_state}");
                assert_eq!(summary.outcome, RunOutcome::Complete, "{at}: {:?}", summary.failures);
                assert_eq!(world.seen(), wanted, "{at}");
                assert_eq!(world.orphans(), Vec::<String>::new(), "{at}");
                world.assert_nothing_public_early();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publishers_with_separate_states_end_with_one_set_of_images() {
    for replication in ALL {
        let (wanted, _) = unkilled(replication).await;
        for _ in 0..4 {
            let world = World::new(replication);
            let (one, two) = (store(), store());
            let (first, second) = tokio::join!(world.publish(&one), world.publish(&two));
            let (first, second) = (first.unwrap(), second.unwrap());
            // Each may have met the other half-way and said so; typing the line again is all it takes.
            let last = world.publish(&one).await.unwrap();
            let at = format!("{replication:?}: {:?} and {:?}", first.failures, second.failures);
            assert_eq!(last.outcome, RunOutcome::Complete, "{at}: {:?}", last.failures);
            assert_eq!(world.seen(), wanted, "{at}");
            world.assert_nothing_public_early();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_stops_begins_nothing_more_and_is_continued() {
    let (world, state) = (World::new(Replication::PerRegion), store());
    let (config, request) = world.request("bookworm-20240101");
    let environment = world.environment(config, state.clone());
    world.cloud.inject(Fault::new(What::Hang).on(Verb::Replicate));
    let prepared = prepare(&environment, &request).await.unwrap();
    let preflight = prepared.preflight(&environment, Probe::MayWrite).await.unwrap();
    let stop = environment.stop.clone();
    let run = tokio::spawn(async move { carry_out(&environment, &request, prepared, preflight).await });
    while !world.cloud.requests().iter().any(|request| request.verb == Verb::Replicate) {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    let summary = run.await.unwrap().unwrap();
    assert!(summary.stopped);
    assert_eq!(summary.outcome, RunOutcome::Incomplete);
    assert!(world.cloud.exposures().is_empty());
    world.cloud.behave();
    let again = world.publish(&state).await.unwrap();
    assert_eq!(again.outcome, RunOutcome::Complete, "{:?}", again.failures);
    assert_eq!(world.seen(), unkilled(Replication::PerRegion).await.0);
}
