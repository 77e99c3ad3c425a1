//! What becomes of an image: disabled, enabled again, protected, deregistered.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html>

use std::collections::BTreeSet;

use crate::aws::caller::is_denied;
use crate::aws::reply::Outcome;

use super::copy::fail_copies_of;
use super::image::Protection;
use super::lagging::later;
use super::request::{Request, image_unavailable, not_permitted};
use super::state::State;

/// How long a protection with cooldown goes on after it was taken away: 24 hours.
const COOLDOWN_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Disables an image. It loses its launch permissions for good.
pub(super) fn disable(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ImageId")?;
    let image = state.own_image(request, id)?;
    if !matches!(image.state(request.now()), "available" | "disabled") {
        return Err(image_unavailable(id));
    }
    image.disabled = true;
    if !image.launch.is_empty() {
        image.launch.clear();
        request.expose("image", id, &BTreeSet::new());
    }
    request.done()
}

/// Enables a disabled image again, for its owner alone.
pub(super) fn enable(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ImageId")?;
    let image = state.own_image(request, id)?;
    if !matches!(image.state(request.now()), "available" | "disabled") {
        return Err(image_unavailable(id));
    }
    image.disabled = false;
    request.done()
}

/// Protects an image from being deregistered.
pub(super) fn protect(state: &mut State, request: &Request<'_>) -> Outcome {
    let cooldown = request.flag("WithCooldown")?;
    let id = request.required("ImageId")?;
    let image = state.own_image(request, id)?;
    if image.state(request.now()) == "pending" {
        return Err(image_unavailable(id));
    }
    image.protection = Protection::On { cooldown };
    request.done()
}

/// Takes the protection away; one with cooldown goes on for a day.
pub(super) fn unprotect(state: &mut State, request: &Request<'_>) -> Outcome {
    let image = state.own_image(request, request.required("ImageId")?)?;
    image.protection = match image.protection {
        Protection::On { cooldown: true } => Protection::Until(later(request.now(), COOLDOWN_MILLIS)),
        Protection::On { cooldown: false } => Protection::Off,
        other => other,
    };
    request.done()
}

/// Deregisters an image, with its snapshots if wanted. A snapshot that another image uses is kept.
pub(super) fn deregister(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ImageId")?;
    let with_snapshots = request.flag("DeleteAssociatedSnapshots")?;
    let image = state.own_image(request, id)?;
    if image.protection.holds(request.now()) {
        return Err(not_permitted(format!("The image {id} is protected from being deregistered")));
    }
    let snapshots: BTreeSet<String> = image.snapshots().map(str::to_owned).collect();
    if !image.launch.is_empty() {
        request.expose("image", id, &BTreeSet::new());
    }
    state.images.remove(id);
    state.deregistered.insert(id.to_owned());
    let mut results = Vec::new();
    if with_snapshots {
        for snapshot in snapshots {
            let result = delete_unused(state, request, &snapshot);
            results.push((snapshot, result));
        }
    }
    request.answer(|xml| {
        xml.text("return", true);
        if with_snapshots {
            xml.list("deleteSnapshotResultSet", results, |xml, (id, result)| {
                xml.text("snapshotId", id).text("returnCode", result);
            });
        }
    })
}

fn delete_unused(state: &mut State, request: &Request<'_>, id: &str) -> &'static str {
    let is_own = state.snapshots.get(id).is_some_and(|snapshot| snapshot.owner == request.account());
    if !is_own {
        return "client-error";
    }
    if state.user_of_snapshot(id, request.account()).is_some() {
        return "skipped";
    }
    if is_denied(request.shared, request.call, "ec2:DeleteSnapshot") {
        return "missing-permissions";
    }
    remove_snapshot(state, request, id);
    "success"
}

/// Deletes a snapshot, with all that follows from it.
pub(super) fn remove_snapshot(state: &mut State, request: &Request<'_>, id: &str) {
    let Some(snapshot) = state.snapshots.remove(id) else { return };
    if !snapshot.volume.is_empty() {
        request.expose("snapshot", id, &BTreeSet::new());
    }
    fail_copies_of(state, id, request.now());
}
