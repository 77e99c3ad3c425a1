//! Looks for snapshots, and at what one is: whose, how far, used by which images. Makes and removes none.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, Image, Snapshot, SnapshotState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Context;
use jiff::Timestamp;

use crate::attributes;
use crate::error::{classify, code, is_missing};
use crate::guard::{find as find_image, is_dead as is_dead_image};
use crate::ownership::{Shown, only};
use crate::publisher::Here;
use crate::tags::{KEY, map};

/// How long an id that was just returned may "not exist", as bottlerocket's tools have seen it.
/// <https://github.com/awslabs/coldsnap/blob/develop/src/wait.rs>
pub(crate) const APPEARING: Duration = Duration::from_secs(120);

/// How often to look at a snapshot that is being completed, and for how long. As a rule it takes a quarter of a minute, and
/// every region waits for it.
pub(crate) const COMPLETING: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(3), deadline: Duration::from_secs(3600) };

/// How long after its start a pending snapshot counts as somebody's: AWS does not show when a block was last written.
const BUSY: Duration = Duration::from_secs(6 * 3600);

/// The snapshot under an id, in whatever state; `None` when there is none, or not yet.
pub(crate) async fn by_id(here: &Here, context: &Context, id: &str) -> Result<Option<Snapshot>> {
    let call = here.clients.ec2.describe_snapshots().snapshot_ids(id);
    match context.or_cancelled(call.send()).await? {
        Ok(answer) => Ok(answer.snapshots.unwrap_or_default().into_iter().find(|it| it.snapshot_id() == Some(id))),
        Err(error) if code(&error).is_some_and(is_missing) => Ok(None),
        Err(error) => Err(classify(&error, "DescribeSnapshots")),
    }
}

/// The snapshot under an id, if it is in our account and carries exactly these tags.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Refused`].
pub(crate) async fn ours(here: &Here, context: &Context, (id, tags): (&str, &ImageTags)) -> Result<Snapshot> {
    let snapshot = by_id(here, context, id).await?.ok_or_else(|| gone(id))?;
    confirm(here, &snapshot, tags)?;
    Ok(snapshot)
}

/// The one living snapshot of these tags in this region, whoever made it; it may be pending. Dead ones are left out.
///
/// # Errors
/// [`Kind::Conflict`] naming every candidate, when there are several or one has our key and other content or tags.
pub(crate) async fn find(here: &Here, context: &Context, tags: &ImageTags) -> Result<Option<Snapshot>> {
    let mut living = of_key(here, context, tags).await?;
    living.retain(|snapshot| !is_dead(snapshot));
    let hint = "keep the one that an image uses and delete the others with `aws ec2 delete-snapshot`";
    let snapshot = only(living, shown, hint)?;
    snapshot.iter().try_for_each(|snapshot| shown(snapshot).same(here, tags))?;
    Ok(snapshot)
}

/// The snapshot of the image that was made already of what these tags say: its own tags may have been taken off.
///
/// # Errors
/// [`Kind::Conflict`] for an image without a root snapshot, and what [`wait_completed`] fails with.
pub(crate) async fn of_image(here: &Here, context: &Context, tags: &ImageTags) -> Result<Option<Snapshot>> {
    let Some(image) = find_image(here, context, tags).await? else { return Ok(None) };
    let image_id = image.image_id().unwrap_or_default();
    let id = root(&image)
        .ok_or_else(|| Error::new(Kind::Conflict, "the image of our key has no root snapshot").with("id", image_id))?;
    wait_completed(here, context, id).await.map(Some).map_err(|error| match error.kind() {
        Kind::NotFound => gone(id).with("image", image_id),
        _ => error,
    })
}

/// Every snapshot of our account with the key of these tags, dead ones too.
async fn of_key(here: &Here, context: &Context, tags: &ImageTags) -> Result<Vec<Snapshot>> {
    let key = tags.key(&here.place, &here.region);
    let filter = Filter::builder().name(format!("tag:{KEY}")).values(key.as_str()).build();
    let call = here.clients.ec2.describe_snapshots().owner_ids("self").filters(filter);
    let mut pages = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(snapshot) = context.or_cancelled(pages.next()).await? {
        found.push(snapshot.map_err(|error| classify(&error, "DescribeSnapshots"))?);
    }
    Ok(found)
}

/// Waits until a snapshot is completed; one that was just made may not be there yet.
///
/// # Errors
/// [`Kind::NotFound`] when it stays away for [`APPEARING`] or goes away again, [`Kind::Unexpected`] when AWS gave it
/// up, [`Kind::TimedOut`].
pub(crate) async fn wait_completed(here: &Here, context: &Context, id: &str) -> Result<Snapshot> {
    let from = context.clock().elapsed();
    poll_until(context, &format!("completing snapshot {id}"), COMPLETING, || async {
        let Some(snapshot) = by_id(here, context, id).await? else {
            let late = context.clock().elapsed().saturating_sub(from) >= APPEARING;
            return if late { Err(gone(id)) } else { Ok(None) };
        };
        if is_dead(&snapshot) {
            return Err(given_up(&snapshot));
        }
        Ok(is_completed(&snapshot).then_some(snapshot))
    })
    .await
}

/// Every image of our account that uses a snapshot, deprecated and disabled ones too.
pub(crate) async fn images_of(here: &Here, context: &Context, id: &str) -> Result<Vec<Image>> {
    let filter = Filter::builder().name("block-device-mapping.snapshot-id").values(id).build();
    let call = here.clients.ec2.describe_images().owners("self").filters(filter);
    let mut pages = call.include_deprecated(true).include_disabled(true).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(image) = context.or_cancelled(pages.next()).await? {
        let image = image.map_err(|error| classify(&error, "DescribeImages"))?;
        found.extend(Some(image).filter(|image| !is_dead_image(image)));
    }
    Ok(found)
}

/// What an answer shows of a snapshot.
fn shown(snapshot: &Snapshot) -> Shown<'_> {
    Shown { what: "snapshot", id: id_of(snapshot), owner: snapshot.owner_id(), tags: snapshot.tags() }
}

/// Refuses a snapshot of another account or with other tags.
pub(crate) fn confirm(here: &Here, snapshot: &Snapshot, tags: &ImageTags) -> Result<()> {
    shown(snapshot).confirm(here, tags)
}

/// A snapshot that is not there.
pub(crate) fn gone(id: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no snapshot {id}"))
        .hint("run the same command again: it makes another one")
}

fn given_up(snapshot: &Snapshot) -> Error {
    let why = snapshot.state_message().unwrap_or("AWS does not say why");
    Error::new(Kind::Unexpected, format!("AWS gave up snapshot {}: {why}", id_of(snapshot)))
        .hint("run the same command again: it makes another one")
}

/// The snapshot of an image's root volume.
pub(crate) fn root(image: &Image) -> Option<&str> {
    attributes::root(image)?.snapshot_id()
}

/// An answer's id; empty if it has none, which is the id of nothing.
pub(crate) fn id_of(snapshot: &Snapshot) -> &str {
    snapshot.snapshot_id().unwrap_or_default()
}

/// An answer's tags as a map.
pub(crate) fn tags_of(snapshot: &Snapshot) -> BTreeMap<String, String> {
    map(snapshot.tags())
}

/// Whether images can be made of it.
pub(crate) fn is_completed(snapshot: &Snapshot) -> bool {
    snapshot.state() == Some(&SnapshotState::Completed)
}

/// Whether nothing can be made of it any more: given up, or in the recycle bin.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html>
pub(crate) fn is_dead(snapshot: &Snapshot) -> bool {
    matches!(snapshot.state(), Some(SnapshotState::Error | SnapshotState::Recoverable | SnapshotState::Recovering))
}

/// Whether somebody may be sending blocks to it: it is pending and was started not long ago.
pub(crate) fn is_busy(snapshot: &Snapshot, now: Timestamp) -> bool {
    let started = snapshot.start_time().and_then(|time| Timestamp::from_second(time.secs()).ok());
    let recent = started.is_none_or(|started| now.duration_since(started).unsigned_abs() < BUSY);
    snapshot.state() == Some(&SnapshotState::Pending) && recent
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, Image, Snapshot, SnapshotState};
    use aws_smithy_types::DateTime;
    use jiff::Timestamp;

    use super::{is_busy, is_completed, is_dead, root};

    fn snapshot(state: &str, started: i64) -> Snapshot {
        Snapshot::builder().state(SnapshotState::from(state)).start_time(DateTime::from_secs(started)).build()
    }

    #[test]
    fn only_a_young_pending_snapshot_is_busy() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert!(is_busy(&snapshot("pending", 999_000), now));
        assert!(is_busy(&snapshot("pending", 1_000_060), now), "the clouds' clock may be ahead of ours");
        assert!(!is_busy(&snapshot("pending", 900_000), now));
        assert!(!is_busy(&snapshot("completed", 999_000), now));
    }

    #[test]
    fn a_state_is_living_dead_or_usable() {
        let judged = |state| (is_completed(&snapshot(state, 0)), is_dead(&snapshot(state, 0)));
        assert_eq!(judged("completed"), (true, false));
        assert_eq!(judged("pending"), (false, false));
        assert_eq!(judged("error"), (false, true));
        assert_eq!(judged("recoverable"), (false, true));
    }

    #[test]
    fn the_root_snapshot_is_that_of_the_root_device() {
        let mapping = |device: &str, id: &str| {
            let ebs = EbsBlockDevice::builder().snapshot_id(id).build();
            BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
        };
        let image = Image::builder()
            .root_device_name("/dev/xvda")
            .block_device_mappings(mapping("/dev/sdb", "snap-b"))
            .block_device_mappings(mapping("/dev/xvda", "snap-a"))
            .build();
        assert_eq!(root(&image), Some("snap-a"));
        assert_eq!(root(&Image::builder().build()), None);
    }
}
