//! A release that changes while it is being published stops, and nothing of it is public.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::event::{Event, Reporter};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::{RunOutcome, Summary};

use crate::world::{World, store};

const RELEASE: &str = "bookworm-20240101";

/// Does something to the release once its first upload has begun.
#[derive(Debug)]
struct Meddler {
    folder: PathBuf,
    act: fn(&Path),
}

impl Reporter for Meddler {
    fn report(&self, event: &Event) {
        if matches!(event, Event::StepStarted { step, .. } if step.as_str().contains("upload")) {
            (self.act)(&self.folder);
        }
    }
}

fn disk(folder: &Path) -> PathBuf {
    folder.join("genericcloud-20240101-1614.raw")
}

fn manifest(folder: &Path) -> PathBuf {
    folder.join(format!("{RELEASE}.toml"))
}

async fn meddled(world: &World, act: fn(&Path)) -> Summary {
    let (config, request) = world.request(RELEASE);
    let mut environment = world.environment(config, store());
    environment.reporter = Arc::new(Meddler { folder: world.path().to_owned(), act });
    world.run(&environment, &request).await.unwrap()
}

fn assert_stopped(world: &World, summary: &Summary, why: &str) {
    assert_eq!(summary.outcome, RunOutcome::Incomplete, "{why}: {summary:?}");
    assert!(summary.failures.iter().any(|failure| failure.error.contains(why)), "{why}: {:?}", summary.failures);
    assert!(world.images().is_empty(), "an image was made of it");
    assert!(world.seen().iter().all(|image| image.visibility == Visibility::Private));
    assert!(world.cloud.exposures().is_empty());
}

#[tokio::test]
async fn a_disk_that_is_written_to_in_the_middle_is_noticed() {
    for replication in [Replication::None, Replication::Batch] {
        let world = World::new(replication);
        let write = |folder: &Path| {
            let mut bytes = std::fs::read(disk(folder)).unwrap();
            bytes[4096] ^= 1;
            std::fs::write(disk(folder), bytes).unwrap();
        };
        let summary = meddled(&world, write).await;
        assert_stopped(&world, &summary, "changed while it was being read");
    }
}

#[tokio::test]
async fn a_disk_that_is_replaced_in_the_middle_is_noticed() {
    let world = World::new(Replication::None);
    let replace = |folder: &Path| {
        std::fs::copy(disk(folder), folder.join("new")).unwrap();
        std::fs::rename(folder.join("new"), disk(folder)).unwrap();
    };
    let summary = meddled(&world, replace).await;
    assert_stopped(&world, &summary, "changed while it was being read");
}

#[tokio::test]
async fn a_manifest_that_is_changed_in_the_middle_is_noticed() {
    let world = World::new(Replication::None);
    let summary = meddled(&world, |folder| {
        let text = std::fs::read_to_string(manifest(folder)).unwrap();
        std::fs::write(manifest(folder), text.replace("20240101-1614\"\n", "20240101-1615\"\n")).unwrap();
    });
    let summary = summary.await;
    assert_stopped(&world, &summary, "manifest was changed");
    let gone = World::new(Replication::None);
    let summary = meddled(&gone, |folder| std::fs::remove_file(manifest(folder)).unwrap_or_default()).await;
    assert_stopped(&gone, &summary, "manifest was changed");
}

#[tokio::test]
async fn the_same_line_publishes_it_once_it_is_whole_again() {
    let world = World::new(Replication::None);
    let touch = |folder: &Path| {
        let bytes = std::fs::read(disk(folder)).unwrap();
        std::fs::write(disk(folder), bytes).unwrap();
    };
    let summary = meddled(&world, touch).await;
    assert_stopped(&world, &summary, "changed while it was being read");
    let again = world.publish(&store()).await.unwrap();
    assert_eq!(again.outcome, RunOutcome::Complete, "{:?}", again.failures);
    std::fs::write(disk(world.path()), [7; 512]).unwrap();
    let broken = World::new(Replication::None);
    std::fs::write(disk(broken.path()), [7; 512]).unwrap();
    assert_eq!(broken.publish(&store()).await.unwrap_err().kind(), Kind::InvalidInput);
}
