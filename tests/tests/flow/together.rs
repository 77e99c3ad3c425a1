//! How much must be there before anything is published: an artifact, or all of a target.

use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::memory::{Fault, Verb, What};
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::RunOutcome;

use crate::world::{World, store};

async fn one_artifact_fails(together: &'static str) -> World {
    let world = World::new(Replication::None).with_two_artifacts(together);
    world.cloud.inject(Fault::new(What::Denied).on(Verb::Register).times(1));
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Incomplete);
    world
}

#[tokio::test]
async fn an_artifact_does_not_wait_for_another_that_failed() {
    let world = one_artifact_fails("artifact").await;
    let public = world.seen().into_iter().filter(|image| image.visibility == Visibility::Public).count();
    assert_eq!(public, 1);
}

#[tokio::test]
async fn together_means_all_or_none() {
    let world = one_artifact_fails("target").await;
    assert!(world.cloud.exposures().is_empty());
    world.publish(&store()).await.unwrap();
    assert_eq!(world.seen().into_iter().filter(|image| image.published).count(), 2);
}
