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

/// What is left over, as a survey shows it.
pub(super) fn leftovers(view: &View<'_>, images: &[Image], snapshots: &[Snapshot]) -> Vec<FoundStaged> {
    unused(images, snapshots).into_iter().map(|snapshot| staged(view, snapshot)).collect()
}

/// Those that no image uses and none that is being made will use. What is in the recycle bin was deleted.
fn unused<'a>(images: &[Image], snapshots: &'a [Snapshot]) -> Vec<&'a Snapshot> {
    let used: BTreeSet<&str> = images.iter().flat_map(own_snapshots::ids).collect();
    let pending = images.iter().filter(|image| image.state() == Some(&ImageState::Pending));
    let awaited: BTreeSet<String> = pending.filter_map(|image| tags_of(image).remove(KEY)).collect();
    let is_left = |snapshot: &&Snapshot| {
        let tags = snapshot::tags_of(snapshot);
        let binned = matches!(snapshot.state(), Some(SnapshotState::Recoverable | SnapshotState::Recovering));
        !binned && !used.contains(snapshot::id_of(snapshot)) && !tags.get(KEY).is_some_and(|key| awaited.contains(key))
    };
    snapshots.iter().filter(is_left).collect()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, Image, ImageState, Snapshot, SnapshotState, Tag};

    use super::unused;
    use crate::snapshot::id_of;
    use crate::tags::{KEY, list};

    fn keyed(key: &str) -> Option<Vec<Tag>> {
        Some(list(&BTreeMap::from([(KEY.to_owned(), key.to_owned())])))
    }

    fn snapshot(id: &str, key: &str, state: SnapshotState) -> Snapshot {
        Snapshot::builder().snapshot_id(id).state(state).set_tags(keyed(key)).build()
    }

    #[test]
    fn a_snapshot_is_left_over_when_nothing_is_or_will_be_made_of_it() {
        let ebs = EbsBlockDevice::builder().snapshot_id("snap-used").build();
        let mapping = BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
        let images = [
            Image::builder().state(ImageState::Disabled).block_device_mappings(mapping).set_tags(keyed("a")).build(),
            // AWS does not show yet what it will be made of.
            Image::builder().state(ImageState::Pending).set_tags(keyed("b")).build(),
        ];
        let snapshots = [
            snapshot("snap-used", "a", SnapshotState::Completed),
            snapshot("snap-other", "a", SnapshotState::Completed),
            snapshot("snap-awaited", "b", SnapshotState::Pending),
            snapshot("snap-binned", "c", SnapshotState::Recoverable),
            snapshot("snap-failed", "c", SnapshotState::Error),
        ];
        let left: Vec<&str> = unused(&images, &snapshots).into_iter().map(id_of).collect();
        assert_eq!(left, ["snap-other", "snap-failed"]);
    }
}
