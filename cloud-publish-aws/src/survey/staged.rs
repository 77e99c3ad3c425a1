//! Snapshots of ours of which there is no image.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Image, ImageState, Snapshot, SnapshotState};
use cloud_publish_core::survey::FoundStaged;
use jiff::Timestamp;

use super::image::View;
use crate::guard::tags_of;
use crate::own_snapshots;
use crate::snapshot;
use crate::tags::{KEY, decode};

/// Those that no image uses and none that is being made will use. What is in the recycle bin was deleted.
pub(super) fn leftovers(view: &View<'_>, images: &[Image], snapshots: &[Snapshot]) -> Vec<FoundStaged> {
    let used: BTreeSet<&str> = images.iter().flat_map(own_snapshots::ids).collect();
    let pending = images.iter().filter(|image| image.state() == Some(&ImageState::Pending));
    let awaited: BTreeSet<String> = pending.filter_map(|image| tags_of(image).remove(KEY)).collect();
    let is_left = |snapshot: &&Snapshot| {
        let tags = snapshot::tags_of(snapshot);
        let binned = matches!(snapshot.state(), Some(SnapshotState::Recoverable | SnapshotState::Recovering));
        !binned && !used.contains(snapshot::id_of(snapshot)) && !tags.get(KEY).is_some_and(|key| awaited.contains(key))
    };
    snapshots.iter().filter(is_left).map(|snapshot| staged(view, snapshot)).collect()
}

fn staged(view: &View<'_>, snapshot: &Snapshot) -> FoundStaged {
    let started = snapshot.start_time().and_then(|time| Timestamp::from_second(time.secs()).ok());
    FoundStaged {
        region: view.here.region.clone(),
        id: snapshot::id_of(snapshot).to_owned(),
        tags: decode(&snapshot::tags_of(snapshot), &view.here.place, &view.here.region).tags.ok(),
        created: started,
        busy: snapshot::is_busy(snapshot, view.now),
    }
}
