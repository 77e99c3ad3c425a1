//! CopyImage and CopySnapshot: asked for in the destination, limited there, and finished a while later.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ami-copy-works.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::aws::query::Tags;
use crate::aws::reply::{Outcome, Refused};

use super::image::{Image, Protection};
use super::images::check_name;
use super::lagging::{Lagging, later};
use super::request::{Request, check_id, combination, image_not_found, invalid, limit, snapshot_not_found};
use super::snapshot::{Progress, Snapshot};
use super::state::State;
use super::tokens::{LONGEST, TokenKey, Used};

/// Copies an image with its snapshots. The copy is private, without deprecation and protection; its name may be taken.
pub(super) fn copy_image(state: &mut State, request: &Request<'_>) -> Outcome {
    let used = match token(request)? {
        Some(key) => match state.tokens.look(&key, &request.fingerprint()) {
            Used::Same(id) => return answer(request, id),
            Used::Otherwise => {
                let message = "The client token was used before, with other parameters";
                return Err(Refused::bad("IdempotentParameterMismatch", message));
            }
            Used::Never => Some(key),
        },
        None => None,
    };
    check_name(request.required("Name")?)?;
    let source = source_image(state, request)?;
    check_encryption(request)?;
    let resources = ["image", "snapshot"];
    let snapshot_tags = request.tags_for("snapshot", &resources)?;
    let mut tags = request.tags_for("image", &resources)?;
    if request.flag("CopyImageTags")? && source.owner == request.account() {
        for (key, value) in source.tags.seen(request.now()) {
            tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    check_room(state, request, source.snapshots().count() as u64)?;
    let image = image_of(request, &source, tags);
    let id = add_image(state, request, image, &snapshot_tags);
    if let Some(key) = used {
        state.tokens.keep(key, request.fingerprint(), id.clone());
    }
    answer(request, &id)
}

fn answer(request: &Request<'_>, id: &str) -> Outcome {
    request.answer(|xml| {
        xml.text("imageId", id);
    })
}

fn token(request: &Request<'_>) -> Result<Option<TokenKey>, Refused> {
    let Some(token) = request.text("ClientToken") else { return Ok(None) };
    if token.len() > LONGEST || !token.is_ascii() {
        return Err(invalid(format!("A client token has at most {LONGEST} ASCII characters")));
    }
    Ok(Some(TokenKey {
        account: request.account().to_owned(),
        region: request.region().to_owned(),
        operation: request.call.operation.clone(),
        token: token.to_owned(),
    }))
}

/// The image to be copied: seen by the caller, available, in this partition, with snapshots that the caller may read.
fn source_image(state: &State, request: &Request<'_>) -> Result<Image, Refused> {
    let (id, region) = (request.required("SourceImageId")?, request.required("SourceRegion")?);
    check_id(id, "ami-")?;
    check_source_region(request, region)?;
    let (now, account) = (request.now(), request.account());
    let organizations = state.organizations_of(account);
    let image = state
        .images
        .get(id)
        .filter(|image| image.region == region && image.is_open_to(account, &organizations, now))
        .ok_or_else(|| image_not_found(id))?;
    if image.state(now) != "available" {
        let message = format!("Image {id} is {} and cannot be copied", image.state(now));
        return Err(Refused::bad("InvalidRequest", message));
    }
    for snapshot in image.snapshots().filter_map(|id| state.snapshots.get(id)) {
        if !state.may_read(request, snapshot) {
            let message = "You do not have permission to access the storage of this ami";
            return Err(Refused::bad("InvalidRequest", message));
        }
    }
    Ok(image.clone())
}

/// The caller must be able to use the source's region, which is of the same partition.
fn check_source_region(request: &Request<'_>, region: &str) -> Result<(), Refused> {
    match request.settings.opt_in(request.account(), region) {
        Some(opt_in) if opt_in.is_enabled() => Ok(()),
        Some(_) => {
            let message = format!("The region {region} is not enabled for this account");
            Err(Refused::bad("InvalidRequest", message))
        }
        None => Err(invalid(format!("Invalid source region: {region}"))),
    }
}

fn check_encryption(request: &Request<'_>) -> Result<(), Refused> {
    match request.flag("Encrypted")? {
        true => Err(combination("encrypted copies need a key, which is not here")),
        false => Ok(()),
    }
}

/// Copies into a region are limited, as pending and all snapshots are.
fn check_room(state: &State, request: &Request<'_>, more: u64) -> Result<(), Refused> {
    let (account, region, now) = (request.account(), request.region(), request.now());
    let quotas = request.quotas();
    let copies = state.snapshots.values().filter(|snapshot| {
        snapshot.owner == account
            && snapshot.region == region
            && snapshot.copy_of.is_some()
            && snapshot.state(now) == "pending"
    });
    if copies.count() as u64 + more > quotas.concurrent_copies {
        let most = quotas.concurrent_copies;
        return Err(limit(format!(
            "Too many snapshot copies in progress. The limit is {most} for this destination region."
        )));
    }
    let (all, pending) = state.count_snapshots(account, region, now);
    if all + more > quotas.snapshots {
        return Err(Refused::bad("SnapshotLimitExceeded", "You have reached your quota of snapshots"));
    }
    if pending + more > quotas.pending_snapshots {
        return Err(Refused::bad("PendingSnapshotLimitExceeded", "You have reached your quota of pending snapshots"));
    }
    Ok(())
}

/// The image that a copy will be; it still has the snapshots of its source.
fn image_of(request: &Request<'_>, source: &Image, tags: Tags) -> Image {
    let (now, delays) = (request.now(), request.settings.delays);
    let mut attributes = source.attributes.clone();
    attributes.description = request.text("Description").map(str::to_owned);
    Image {
        id: String::new(),
        owner: request.account().to_owned(),
        region: request.region().to_owned(),
        name: request.text("Name").unwrap_or_default().to_owned(),
        attributes,
        created: now,
        visible_at: later(now, delays.image_visible),
        available_at: later(now, delays.copy),
        failed: None,
        disabled: false,
        launch: BTreeSet::new(),
        deprecate_at: None,
        protection: Protection::Off,
        tags: Lagging::new(tags),
        source: Some((source.id.clone(), source.region.clone())),
        last_launched: None,
    }
}

fn add_image(state: &mut State, request: &Request<'_>, mut image: Image, tags: &Tags) -> String {
    image.id = state.new_id("ami-");
    let id = image.id.clone();
    let (source, region) = image.source.clone().unwrap_or_default();
    for device in &mut image.attributes.devices {
        let Some(from) = device.snapshot.as_ref().and_then(|id| state.snapshots.get(id)).cloned() else { continue };
        let description =
            format!("Copied for DestinationAmi {id} from SourceAmi {source} for SourceSnapshot {}.", from.id);
        let copy = snapshot_of(request, &from, &region, description);
        device.snapshot = Some(add_snapshot(state, copy, tags.clone()));
    }
    state.images.insert(id.clone(), image);
    id
}

fn snapshot_of(request: &Request<'_>, source: &Snapshot, region: &str, description: String) -> Snapshot {
    let (now, delays) = (request.now(), request.settings.delays);
    Snapshot {
        id: String::new(),
        owner: request.account().to_owned(),
        region: request.region().to_owned(),
        description,
        size: source.size,
        encrypted: source.encrypted,
        started: now,
        visible_at: later(now, delays.snapshot_visible),
        progress: Progress::Completing(later(now, delays.copy)),
        volume: BTreeSet::new(),
        tags: Lagging::new(Tags::new()),
        copy_of: Some((source.id.clone(), region.to_owned())),
        lineage: String::new(),
        parent: None,
        blocks: Arc::clone(&source.blocks),
    }
}

fn add_snapshot(state: &mut State, mut snapshot: Snapshot, tags: Tags) -> String {
    snapshot.id = state.new_id("snap-");
    snapshot.lineage.clone_from(&snapshot.id);
    snapshot.encrypted |= state.encrypting.contains(&snapshot.owner);
    snapshot.tags = Lagging::new(tags);
    let id = snapshot.id.clone();
    state.snapshots.insert(id.clone(), snapshot);
    id
}

/// Copies a snapshot. There is no client token: each call makes another copy.
pub(super) fn copy_snapshot(state: &mut State, request: &Request<'_>) -> Outcome {
    let (id, region) = (request.required("SourceSnapshotId")?, request.required("SourceRegion")?);
    check_id(id, "snap-")?;
    check_source_region(request, region)?;
    check_encryption(request)?;
    let tags = request.tags_for("snapshot", &["snapshot"])?;
    let now = request.now();
    let source = state
        .snapshots
        .get(id)
        .filter(|snapshot| snapshot.region == region && snapshot.visible_at <= now)
        .filter(|snapshot| state.may_read(request, snapshot))
        .ok_or_else(|| snapshot_not_found(id))?;
    if source.state(now) != "completed" {
        return Err(Refused::bad("IncorrectState", format!("Snapshot is in invalid state - {}", source.state(now))));
    }
    check_room(state, request, 1)?;
    let description = request.text("Description").unwrap_or_default().to_owned();
    let copy = snapshot_of(request, source, region, description);
    let id = add_snapshot(state, copy, tags.clone());
    request.answer(|xml| {
        xml.text("snapshotId", id).tags(&tags);
    })
}

/// Lets the copies that still read a snapshot fail, and the images that are made of them: it is deleted.
pub(super) fn fail_copies_of(state: &mut State, id: &str, now: Timestamp) {
    let reason = format!("the source snapshot {id} was deleted");
    let mut failed = BTreeSet::new();
    for snapshot in state.snapshots.values_mut() {
        let is_copy = snapshot.copy_of.as_ref().is_some_and(|(source, _)| source == id);
        if is_copy && snapshot.state(now) == "pending" {
            snapshot.progress = Progress::Failed(reason.clone());
            failed.insert(snapshot.id.clone());
        }
    }
    for image in state.images.values_mut() {
        if image.snapshots().any(|snapshot| failed.contains(snapshot)) {
            image.failed = Some(reason.clone());
        }
    }
}
