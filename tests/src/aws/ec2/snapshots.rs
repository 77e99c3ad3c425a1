//! Snapshots as EC2 sees them: described, deleted.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html>

use jiff::Timestamp;

use crate::aws::reply::{Outcome, Refused};
use crate::aws::xml::Xml;

use super::lifecycle::remove_snapshot;
use super::paging::{Page, cut};
use super::permissions::Grant;
use super::request::{Request, check_id, combination, snapshot_not_found, time};
use super::snapshot::{Progress, Snapshot};
use super::state::State;

const FILTERS: &[&str] = &[
    "description",
    "encrypted",
    "owner-id",
    "progress",
    "snapshot-id",
    "start-time",
    "status",
    "storage-tier",
    "tag-key",
    "transfer-type",
    "volume-id",
    "volume-size",
];

/// What EC2 says of the volume of a snapshot that never had one.
const NO_VOLUME: &str = "vol-ffffffff";

/// Answers with one page, or with all snapshots that are named. Those of others are left out unless they are shared.
pub(super) fn describe(state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    let ids = request.list("SnapshotId");
    let now = request.now();
    if !ids.is_empty() && (request.text("MaxResults").is_some() || request.text("NextToken").is_some()) {
        return Err(combination("The parameter snapshotSet cannot be used with the parameter maxResults"));
    }
    let is_here = |snapshot: &Snapshot| snapshot.region == request.region() && snapshot.visible_at <= now;
    for id in &ids {
        check_id(id, "snap-")?;
        if !state.snapshots.get(*id).is_some_and(is_here) {
            return Err(snapshot_not_found(id));
        }
    }
    let account = |name| if name == "self" { request.account() } else { name };
    let owners: Vec<&str> = request.list("Owner").into_iter().map(account).collect();
    let restorable: Vec<&str> = request.list("RestorableBy").into_iter().map(account).collect();
    let candidates = state.snapshots.values().filter(|snapshot| {
        is_here(snapshot)
            && state.may_read(request, snapshot)
            && (ids.is_empty() || ids.contains(&snapshot.id.as_str()))
            && (owners.is_empty() || owners.contains(&snapshot.owner.as_str()))
            && restorable.iter().all(|who| is_restorable(snapshot, who))
    });
    let mut page = if ids.is_empty() {
        cut(request, candidates.collect(), |snapshot| snapshot.id.clone())?
    } else {
        Page { items: candidates.collect(), next: None }
    };
    page.items.retain(|snapshot| {
        filters.iter().all(|filter| values(snapshot, &filter.name, now).iter().any(|value| filter.accepts(value)))
    });
    request.answer(|xml| {
        xml.list("snapshotSet", page.items, |xml, snapshot| write(xml, snapshot, now));
        xml.optional("nextToken", page.next);
    })
}

fn is_restorable(snapshot: &Snapshot, who: &str) -> bool {
    if who == "all" {
        snapshot.is_public()
    } else {
        snapshot.volume.contains(&Grant::Account(who.to_owned())) || snapshot.owner == who
    }
}

fn progress(snapshot: &Snapshot, now: Timestamp) -> String {
    match (&snapshot.progress, snapshot.state(now)) {
        (_, "completed") => "100%".to_owned(),
        (Progress::Completing(_), "pending") => "50%".to_owned(),
        _ => "0%".to_owned(),
    }
}

fn values(snapshot: &Snapshot, filter: &str, now: Timestamp) -> Vec<String> {
    let tags = snapshot.tags.seen(now);
    if let Some(key) = filter.strip_prefix("tag:") {
        return tags.get(key).cloned().into_iter().collect();
    }
    let one = match filter {
        "tag-key" => return tags.keys().cloned().collect(),
        "description" => snapshot.description.clone(),
        "encrypted" => snapshot.encrypted.to_string(),
        "owner-id" => snapshot.owner.clone(),
        "progress" => progress(snapshot, now),
        "snapshot-id" => snapshot.id.clone(),
        "start-time" => time(snapshot.started),
        "status" => snapshot.state(now).to_owned(),
        "storage-tier" | "transfer-type" => "standard".to_owned(),
        "volume-id" => NO_VOLUME.to_owned(),
        "volume-size" => snapshot.size.to_string(),
        _ => return Vec::new(),
    };
    vec![one]
}

fn write(xml: &mut Xml, snapshot: &Snapshot, now: Timestamp) {
    let completed = match snapshot.progress {
        Progress::Completing(end) if end <= now => Some(time(end)),
        _ => None,
    };
    xml.text("snapshotId", &snapshot.id)
        .text("volumeId", NO_VOLUME)
        .text("status", snapshot.state(now))
        .optional("statusMessage", snapshot.message(now))
        .text("startTime", time(snapshot.started))
        .optional("completionTime", completed)
        .text("progress", progress(snapshot, now))
        .text("ownerId", &snapshot.owner)
        .text("volumeSize", snapshot.size)
        .text("description", &snapshot.description)
        .text("encrypted", snapshot.encrypted)
        .text("storageTier", "standard")
        .text("fullSnapshotSizeInBytes", snapshot.blocks.bytes())
        .tags(snapshot.tags.seen(now));
}

impl State {
    /// An image of this account that uses a snapshot.
    pub(super) fn user_of_snapshot(&self, id: &str, account: &str) -> Option<&str> {
        let mut users =
            self.images.values().filter(|image| image.owner == account && image.snapshots().any(|used| used == id));
        users.next().map(|image| image.id.as_str())
    }
}

/// Deletes a snapshot in any state, unless an image of its owner uses it.
pub(super) fn delete(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("SnapshotId")?;
    state.own_snapshot(request, id)?;
    if let Some(user) = state.user_of_snapshot(id, request.account()) {
        let message = format!("The snapshot {id} is currently in use by {user}");
        return Err(Refused::bad("InvalidSnapshot.InUse", message));
    }
    remove_snapshot(state, request, id);
    request.done()
}

/// Whether new snapshots of the account are encrypted, and so can never be public.
pub(super) fn encryption_by_default(state: &mut State, request: &Request<'_>) -> Outcome {
    let is_on = state.encrypting.contains(request.account());
    request.answer(|xml| {
        xml.text("ebsEncryptionByDefault", is_on);
    })
}
