//! Block Public Access: per account and region, one switch for images and one for snapshots. Changes take a while.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html>

use jiff::Timestamp;

use crate::aws::reply::Outcome;
use crate::aws::settings::{BlockSnapshots, Settings};

use super::lagging::Lagging;
use super::request::{Request, invalid};
use super::state::State;

const OFF: &str = "unblocked";
const NEW: &str = "block-new-sharing";
const ALL: &str = "block-all-sharing";

/// The switches of one account in one region.
#[derive(Debug)]
pub(super) struct Block {
    images: Lagging<&'static str>,
    snapshots: Lagging<&'static str>,
}

impl State {
    /// The switches of an account in the region of a request, as set or as they began.
    fn block(&mut self, request: &Request<'_>) -> &mut Block {
        let key = (request.account().to_owned(), request.region().to_owned());
        self.blocks.entry(key).or_insert_with(|| first(&request.settings, request.account(), request.region()))
    }

    /// Whether new public sharing of the caller's images is refused.
    pub(super) fn blocks_public_images(&mut self, request: &Request<'_>) -> bool {
        let now = request.now();
        *self.block(request).images.seen(now) != OFF
    }

    /// Whether new public sharing of the caller's snapshots is refused.
    pub(super) fn blocks_public_snapshots(&mut self, request: &Request<'_>) -> bool {
        let now = request.now();
        *self.block(request).snapshots.seen(now) != OFF
    }

    /// Whether the public snapshots of an account are treated as private in a region.
    pub(crate) fn hides_public(&self, settings: &Settings, owner: &str, region: &str, now: Timestamp) -> bool {
        let key = (owner.to_owned(), region.to_owned());
        let begun = || *first(settings, owner, region).snapshots.latest();
        self.blocks.get(&key).map_or_else(begun, |block| *block.snapshots.seen(now)) == ALL
    }
}

fn first(settings: &Settings, account: &str, region: &str) -> Block {
    let begun = settings.block_public_access(account, region);
    let snapshots = match begun.snapshots {
        BlockSnapshots::Unblocked => OFF,
        BlockSnapshots::BlockNewSharing => NEW,
        BlockSnapshots::BlockAllSharing => ALL,
    };
    Block { images: Lagging::new(if begun.images { NEW } else { OFF }), snapshots: Lagging::new(snapshots) }
}

fn answer(request: &Request<'_>, name: &str, state: &str) -> Outcome {
    request.answer(|xml| {
        xml.text(name, state);
    })
}

/// What counts just now.
pub(super) fn images(state: &mut State, request: &Request<'_>) -> Outcome {
    let seen = *state.block(request).images.seen(request.now());
    request.answer(|xml| {
        xml.text("imageBlockPublicAccessState", seen).text("managedBy", "account");
    })
}

/// What counts just now.
pub(super) fn snapshots(state: &mut State, request: &Request<'_>) -> Outcome {
    let seen = *state.block(request).snapshots.seen(request.now());
    request.answer(|xml| {
        xml.text("state", seen).text("managedBy", "account");
    })
}

/// Blocks new public images, a while later.
pub(super) fn enable_images(state: &mut State, request: &Request<'_>) -> Outcome {
    let wanted = request.required("ImageBlockPublicAccessState")?;
    if wanted != NEW {
        return Err(invalid(format!("Value ({wanted}) for parameter imageBlockPublicAccessState is invalid.")));
    }
    set_images(state, request, NEW)
}

/// Allows public images, a while later.
pub(super) fn disable_images(state: &mut State, request: &Request<'_>) -> Outcome {
    set_images(state, request, OFF)
}

fn set_images(state: &mut State, request: &Request<'_>, wanted: &'static str) -> Outcome {
    let delay = request.settings.delays.block_public_access;
    state.block(request).images.set(wanted, request.now(), delay);
    answer(request, "imageBlockPublicAccessState", wanted)
}

/// Blocks new or all public snapshots, a while later.
pub(super) fn enable_snapshots(state: &mut State, request: &Request<'_>) -> Outcome {
    let wanted = request.required("State")?;
    let known = [NEW, ALL].into_iter().find(|known| *known == wanted);
    match known {
        Some(known) => set_snapshots(state, request, known),
        None => Err(invalid(format!("Value ({wanted}) for parameter state is invalid."))),
    }
}

/// Allows public snapshots, a while later.
pub(super) fn disable_snapshots(state: &mut State, request: &Request<'_>) -> Outcome {
    set_snapshots(state, request, OFF)
}

fn set_snapshots(state: &mut State, request: &Request<'_>, wanted: &'static str) -> Outcome {
    let delay = request.settings.delays.block_public_access;
    state.block(request).snapshots.set(wanted, request.now(), delay);
    answer(request, "state", wanted)
}
