//! A release is published once; typing the line again does the rest and nothing else.

use cloud_publish_core::catalogue;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::memory::Verb;
use cloud_publish_core::publisher::{Probe, Replication};
use cloud_publish_core::run::{ProofScope, RunOutcome, Verdict, carry_out, prepare, prove, verify};
use cloud_publish_core::survey::Life;

use crate::world::{ALL, World, region, store};

#[tokio::test]
async fn a_release_is_public_everywhere_after_one_run_on_every_kind_of_cloud() {
    for replication in ALL {
        let world = World::new(replication);
        let summary = world.publish(&store()).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {:?}", summary.failures);
        let seen = world.seen();
        assert_eq!(seen.len(), world.regions().len(), "{replication:?}");
        assert!(seen.iter().all(|image| image.published && image.visibility == Visibility::Public));
        assert!(summary.images.iter().all(|image| image.state == Life::Published && image.id.is_some()));
        let pointed = world.cloud.pointers(&"acc".parse().unwrap());
        assert!(!pointed.is_empty() && pointed.iter().all(|pointer| pointer.to.is_some()));
        assert_eq!(world.orphans(), Vec::<String>::new());
        world.assert_nothing_public_early();
    }
}

#[tokio::test]
async fn a_finished_release_costs_one_survey_per_region_and_no_write() {
    for replication in ALL {
        let (world, state) = (World::new(replication), store());
        world.publish(&state).await.unwrap();
        let (before, writes) = (world.cloud.requests().len(), world.cloud.writes().len());
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete);
        assert_eq!(world.cloud.writes().len(), writes, "{replication:?}");
        let since = &world.cloud.requests()[before..];
        assert!(since.iter().all(|request| matches!(request.verb, Verb::Survey | Verb::Info)), "{since:?}");
        for name in world.regions() {
            let here = since.iter().filter(|request| request.region == Some(region(name))).count();
            assert!(here <= 3, "{replication:?}: {here} requests to {name}");
        }
    }
}

#[tokio::test]
async fn a_marketplace_that_reviews_for_days_is_waited_for_by_later_runs() {
    let mut world = World::new(Replication::PerRegion);
    world.listings.insert("shop", 2);
    let state = store();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let summary = world.publish(&state).await.unwrap();
        assert!(summary.images.iter().all(|image| image.state == Life::Published), "{:?}", summary.images);
        outcomes.push(summary.outcome);
    }
    assert_eq!(outcomes, [RunOutcome::Waiting, RunOutcome::Waiting, RunOutcome::Complete, RunOutcome::Complete]);
    let submissions = world.cloud.writes().iter().filter(|write| write.verb == Verb::ListInMarketplace).count();
    assert_eq!(submissions, 1);
}

#[tokio::test]
async fn with_the_state_lost_a_rerun_adopts_everything() {
    let world = World::new(Replication::PerRegion);
    world.publish(&store()).await.unwrap();
    let writes = world.cloud.writes().len();
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!((summary.outcome, world.cloud.writes().len()), (RunOutcome::Complete, writes));
}

#[tokio::test]
async fn the_catalogue_lists_every_image_and_is_rebuilt_when_lost() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.publish(&state).await.unwrap();
    let first = catalogue::read(state.as_ref()).await.unwrap();
    assert_eq!(first.rows.len(), 3);
    assert!(first.rows.iter().all(|row| row.state == Life::Published && row.published_at.is_some()));
    let lost = store();
    world.publish(&lost).await.unwrap();
    let again = catalogue::read(lost.as_ref()).await.unwrap();
    assert_eq!(
        again.rows.iter().map(|row| &row.id).collect::<Vec<_>>(),
        first.rows.iter().map(|row| &row.id).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_older_release_published_late_becomes_public_and_moves_no_pointer() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.write("bookworm-20240201", "20240201-1", "2024-02-01");
    world.publish_release("bookworm-20240201", &state).await.unwrap();
    let pointed = world.pointers("latest");
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Complete);
    assert_eq!(world.pointers("latest"), pointed);
    assert_eq!(world.pointers("20240101-1614").len(), 3, "its own pointer leads to it all the same");
    assert_eq!(world.seen().iter().filter(|image| image.published).count(), 6);
}

#[tokio::test]
async fn verify_finds_what_somebody_changed_by_hand() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.publish(&state).await.unwrap();
    let account = "acc".parse().unwrap();
    let images = world.images();
    world.cloud.remove_image(&account, &images[0].1.region, &images[0].1.id);
    world.cloud.edit_image(&account, &images[1].1.region, &images[1].1.id, |image| {
        image.visibility = Visibility::Private;
    });
    let (config, request) = world.request("bookworm-20240101");
    let environment = world.environment(config, state);
    let prepared = prepare(&environment, &request).await.unwrap();
    let mut checks = verify(&prepared);
    prove(&environment, &prepared, (ProofScope::All, &mut checks)).await.unwrap();
    let verdicts: Vec<Verdict> = checks.iter().map(|check| check.verdict).collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Missing).count(), 1, "{checks:#?}");
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Incorrect).count(), 1, "{checks:#?}");
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Correct).count(), 1, "{checks:#?}");
}

#[tokio::test]
async fn a_plan_made_before_somebody_else_s_run_is_made_again() {
    let (world, state) = (World::new(Replication::Independent), store());
    world.write("bookworm-20240201", "20240201-1", "2024-02-01");
    let (config, request) = world.request("bookworm-20240101");
    let environment = world.environment(config, state.clone());
    let prepared = prepare(&environment, &request).await.unwrap();
    let preflight = prepared.preflight(&environment, Probe::MayWrite).await.unwrap();
    // While a person thinks about the question, a newer release is published by another run.
    world.publish_release("bookworm-20240201", &state).await.unwrap();
    let pointed = world.pointers("latest");
    let summary = carry_out(&environment, &request, prepared, preflight).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Complete, "{:?}", summary.failures);
    assert_eq!(world.pointers("latest"), pointed, "no pointer moves backwards");
}

#[tokio::test]
async fn runs_that_end_together_keep_each_other_s_rows() {
    let world = World::new(Replication::None).with_accounts(&["a", "b", "c", "d"]);
    let state = store();
    let runs = world.accounts.iter().map(|account| {
        let (config, mut request) = world.request("bookworm-20240101");
        request.targets.retain(|target| target.config.name.as_str() == format!("t-{account}"));
        let environment = world.environment(config, state.clone());
        async move {
            let prepared = prepare(&environment, &request).await.unwrap();
            let preflight = prepared.preflight(&environment, Probe::MayWrite).await.unwrap();
            carry_out(&environment, &request, prepared, preflight).await.unwrap()
        }
    });
    for summary in futures::future::join_all(runs).await {
        assert_eq!(summary.outcome, RunOutcome::Complete, "{:?}", summary.failures);
    }
    assert_eq!(catalogue::read(state.as_ref()).await.unwrap().rows.len(), 4);
}
