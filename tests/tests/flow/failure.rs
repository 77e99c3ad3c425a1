//! What goes wrong at one place stays there, and is said.

use cloud_publish_core::error::Kind;
use cloud_publish_core::event::Event;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::memory::{Fault, Verb, What};
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::RunOutcome;
use cloud_publish_core::survey::Native;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use crate::world::{ALL, World, region, store};

#[tokio::test]
async fn a_broken_required_region_keeps_the_artifact_private_everywhere() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let (world, state) = (World::new(replication), store());
        let verb = if replication == Replication::Independent { Verb::Register } else { Verb::Replicate };
        world.cloud.inject(Fault::new(What::Denied).on(verb).in_region(region("two")).always());
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Incomplete, "{replication:?}");
        assert!(summary.failures.iter().any(|failure| failure.required), "{:?}", summary.failures);
        assert!(world.seen().iter().all(|image| image.visibility == Visibility::Private), "{replication:?}");
        assert!(world.cloud.exposures().is_empty());

        world.cloud.behave();
        let again = world.publish(&state).await.unwrap();
        assert_eq!(again.outcome, RunOutcome::Complete, "{replication:?}: {:?}", again.failures);
        world.assert_nothing_public_early();
    }
}

#[tokio::test]
async fn a_broken_best_effort_region_is_a_warning() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let (world, state) = (World::new(replication), store());
        let verb = if replication == Replication::Independent { Verb::Register } else { Verb::Replicate };
        world.cloud.inject(Fault::new(What::Denied).on(verb).in_region(region("far")).always());
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {:?}", summary.failures);
        assert!(!summary.failures.is_empty() && summary.failures.iter().all(|failure| !failure.required));
        assert_eq!(world.seen().iter().filter(|image| image.published).count(), 2, "{replication:?}");
    }
}

#[tokio::test]
async fn throttles_lost_replies_and_outages_change_nothing_in_the_end() {
    for replication in ALL {
        let unhindered = World::new(replication);
        unhindered.publish(&store()).await.unwrap();
        for what in [What::Throttle, What::Unavailable, What::LostReply] {
            for nth in 1..=12 {
                let world = World::new(replication);
                for verb in [Verb::Upload, Verb::Register, Verb::Replicate, Verb::SetVisibility, Verb::Tag, Verb::Point]
                {
                    world.cloud.inject(Fault::new(what).on(verb).nth(nth));
                }
                let summary = world.publish(&store()).await.unwrap();
                assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?} {what:?} {nth}: {summary:?}");
                assert_eq!(world.seen(), unhindered.seen(), "{replication:?} {what:?} {nth}");
                assert_eq!(world.orphans(), Vec::<String>::new());
            }
        }
    }
}

#[tokio::test]
async fn retries_are_reported_with_their_reason() {
    let world = World::new(Replication::None);
    world.cloud.inject(Fault::new(What::Throttle).on(Verb::Upload).times(2));
    world.publish(&store()).await.unwrap();
    let retried: Vec<Event> =
        world.events.all().into_iter().filter(|event| matches!(event, Event::StepRetried { .. })).collect();
    assert_eq!(retried.len(), 2);
    assert!(matches!(&retried[0], Event::StepRetried { trouble, .. } if trouble.kind == Kind::Throttled));
}

#[tokio::test]
async fn a_full_quota_refuses_the_run_before_anything_is_made() {
    let world = World::new(Replication::PerRegion);
    world.cloud.adjust(&region("two"), |rules| rules.image_quota = Some(0));
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Refused);
    assert!(summary.failures.iter().any(|failure| failure.region == Some(region("two"))));
    assert_eq!(world.cloud.writes(), vec![]);
}

#[tokio::test]
async fn a_full_quota_in_a_best_effort_region_is_a_warning() {
    let world = World::new(Replication::PerRegion);
    world.cloud.adjust(&region("far"), |rules| rules.image_quota = Some(0));
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Complete, "{:?}", summary.failures);
    assert_eq!(world.seen().iter().filter(|image| image.published).count(), 2);
}

#[tokio::test]
async fn one_target_s_preflight_refuses_all_unless_told_to_keep_going() {
    let mut world = World::new(Replication::None).with_accounts(&["bad", "good"]);
    world.cloud.inject(Fault::new(What::Denied).on(Verb::Info).nth(1).always());
    let refused = world.publish(&store()).await.unwrap();
    assert_eq!((refused.outcome, world.images().len()), (RunOutcome::Refused, 0));

    world.cloud.behave();
    world.cloud.inject(Fault::new(What::Denied).on(Verb::Info).nth(1));
    world.options.keep_going = true;
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!((summary.outcome, world.images().len()), (RunOutcome::Incomplete, 1), "{:?}", summary.failures);
}

#[tokio::test]
async fn a_withdrawn_release_is_refused_by_a_guard() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.publish(&state).await.unwrap();
    let (_, image) = world.images().remove(0);
    world.cloud.edit_image(&"acc".parse().unwrap(), &image.region, &image.id, |image| {
        image.tags.insert("cloud-publish-withdrawn".into(), "2024-01-03T00:00:00Z".into());
    });
    let writes = world.cloud.writes().len();
    let summary = world.publish(&state).await.unwrap();
    assert_eq!((summary.outcome, summary.guarded), (RunOutcome::Refused, true));
    assert_eq!(world.cloud.writes().len(), writes);
}

#[tokio::test]
async fn a_file_that_is_not_what_the_manifest_says_is_refused_before_any_request_that_changes() {
    let world = World::new(Replication::None);
    let file = world.path().join("genericcloud-20240101-1614.raw");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = world.publish(&store()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert_eq!(world.cloud.writes(), vec![]);
}

#[tokio::test]
async fn torn_and_foreign_ledger_entries_are_reported_and_passed_over() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.publish(&state).await.unwrap();
    for name in ["ledger/v1/bookworm-20240101/torn/0000000001.json", "ledger/v1/bookworm-20240101/README"] {
        state.put(&Path::from(name), "{\"schema\": 1, \"ru".into()).await.unwrap();
    }
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Complete);
    let warned = world.events.all().iter().filter(|event| matches!(event, Event::Warning { .. })).count();
    assert_eq!(warned, 2);
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_is_refused_and_nothing_is_guessed() {
    for mark in ["cloud-publish-withdrawn", "cloud-publish-published"] {
        let (world, state) = (World::new(Replication::Independent), store());
        world.publish(&state).await.unwrap();
        let (_, image) = world.images().remove(0);
        world.cloud.edit_image(&"acc".parse().unwrap(), &image.region, &image.id, |image| {
            image.tags.insert(mark.into(), "yes".into());
            image.visibility = Visibility::Private;
        });
        let writes = world.cloud.writes().len();
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Refused, "{mark}");
        assert_eq!(world.cloud.writes().len(), writes, "{mark}");
    }
}

#[tokio::test]
async fn a_state_that_fails_at_the_end_does_not_hide_what_was_published() {
    let (world, state) = (World::new(Replication::Independent), store());
    state.put(&Path::from("catalogue.json"), "{\"sch".into()).await.unwrap();
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Incomplete);
    assert!(summary.images.iter().all(|image| image.id.is_some()), "{:?}", summary.images);
    assert_eq!(summary.failures.iter().map(|failure| failure.step.as_str()).collect::<Vec<_>>(), ["catalogue"]);
}

#[tokio::test]
async fn what_cleanup_retired_is_no_complete_release() {
    for replication in [Replication::PerRegion, Replication::Batch, Replication::Independent] {
        let (world, state) = (World::new(replication), store());
        world.publish(&state).await.unwrap();
        let account = "acc".parse().unwrap();
        let home = world.images().into_iter().find(|(_, image)| image.region == region("one")).unwrap().1;
        world.cloud.edit_image(&account, &home.region, &home.id, |image| image.native = Native::Retired);
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Incomplete, "{replication:?}");
        assert!(summary.failures.iter().all(|failure| failure.step == "plan"), "{:?}", summary.failures);
    }
}

#[tokio::test]
async fn nothing_is_copied_from_a_home_image_that_must_be_left_alone() {
    for replication in [Replication::PerRegion, Replication::Batch] {
        let (world, state) = (World::new(replication), store());
        world.publish(&state).await.unwrap();
        let account = "acc".parse().unwrap();
        for (_, image) in world.images() {
            if image.region == region("one") {
                world.cloud.edit_image(&account, &image.region, &image.id, |image| image.native = Native::Retired);
            } else {
                world.cloud.remove_image(&account, &image.region, &image.id);
            }
        }
        let writes = world.cloud.writes().len();
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Incomplete, "{replication:?}");
        assert!(summary.failures.iter().any(|failure| failure.error.contains("cannot be copied")), "{summary:?}");
        assert_eq!(world.cloud.writes().len(), writes);
    }
}

#[tokio::test]
async fn a_tombstone_that_cannot_be_read_forbids_the_release() {
    let (mut world, state) = (World::new(Replication::None), store());
    let torn = Path::from("tombstone/v1/bookworm-20240101/01JH000000000000000000000A/0000000001.json");
    state.put(&torn, "{\"schema\": 1, \"ru".into()).await.unwrap();
    assert_eq!(world.publish(&state).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(world.cloud.writes(), vec![]);
    world.options.permissions.republish = true;
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
}
