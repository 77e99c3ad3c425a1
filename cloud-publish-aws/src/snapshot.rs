//! Looks for snapshots, and at what one is: whose, how far, used by which images. Makes and removes none.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, Image, Snapshot, SnapshotState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Context;
use jiff::Timestamp;

use crate::error::{classify, code, is_missing};
use crate::guard::is_dead as is_dead_image;
use crate::publisher::Here;
use crate::tags::{KEY, decode, map};

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
    if living.len() > 1 {
        let ids: Vec<&str> = living.iter().map(id_of).collect();
        return Err(Error::new(Kind::Conflict, format!("several snapshots have one key: {}", ids.join(", ")))
            .hint("keep the one that an image uses and delete the others with `aws ec2 delete-snapshot`"));
    }
    let Some(snapshot) = living.pop() else { return Ok(None) };
    let id = id_of(&snapshot);
    match decode(&tags_of(&snapshot), &here.place, &here.region).tags {
        Ok(found) if found == *tags => Ok(Some(snapshot)),
        Ok(found) if found.digest != tags.digest => {
            Err(Error::new(Kind::Conflict, format!("{id} has our key but other content: {}", found.digest))
                .hint("a published version never changes: give the new build a new version"))
        }
        Ok(_) => Err(Error::new(Kind::Conflict, format!("{id} has our key but other tags"))),
        Err(trouble) => {
            Err(Error::new(Kind::Conflict, format!("{id} has our key but its tags cannot be believed"))
                .caused_by(trouble))
        }
    }
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

/// Refuses a snapshot of another account or with other tags.
pub(crate) fn confirm(here: &Here, snapshot: &Snapshot, tags: &ImageTags) -> Result<()> {
    if snapshot.owner_id() != Some(here.place.account.as_str()) {
        let owner = snapshot.owner_id().unwrap_or("nobody");
        return Err(refused("the snapshot belongs to another account").with("owner", owner));
    }
    match decode(&tags_of(snapshot), &here.place, &here.region).tags {
        Ok(found) if found == *tags => Ok(()),
        Ok(found) => Err(refused("the snapshot carries other tags").with("release", found.release)),
        Err(trouble) => Err(refused("the snapshot's tags cannot be believed").caused_by(trouble)),
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(Kind::Refused, message)
        .hint("it was left alone; look at it with `aws ec2 describe-snapshots --snapshot-ids`")
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
    let device = image.root_device_name()?;
    let mapping = image.block_device_mappings().iter().find(|it| it.device_name() == Some(device))?;
    mapping.ebs()?.snapshot_id()
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
