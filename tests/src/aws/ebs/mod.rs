//! EBS direct: the blocks of snapshots, written and read.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html>. The snapshots themselves are EC2's.
//! Other than EC2, which may not find a new snapshot for a while, these calls know it at once.

mod blocks;
mod read;
mod write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::ec2::{Snapshot, Tokens};
use super::reply::{Outcome, Refused};
use super::world::{Shared, World};

pub(crate) use blocks::Blocks;

/// What is remembered, besides the snapshots.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// With what StartSnapshot answered.
    tokens: Tokens,
}

impl State {
    /// To be read by tests and people. Snapshots are in EC2's part.
    pub(crate) fn dump(&self, _now: Timestamp) -> Value {
        json!({})
    }
}

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    match call.operation.as_str() {
        "StartSnapshot" => write::start(shared, call),
        "PutSnapshotBlock" => write::put(shared, call),
        "CompleteSnapshot" => write::complete(shared, call),
        "ListSnapshotBlocks" => read::list(shared, call),
        "ListChangedBlocks" => read::list_changed(shared, call),
        "GetSnapshotBlock" => read::get(shared, call),
        _ => Err(Refused::unknown_operation(call)),
    }
}

/// A request is not as it must be. The reason is one of the service model's.
fn invalid(reason: &str, message: impl Into<String>) -> Refused {
    Refused::bad("ValidationException", message).because(reason)
}

/// There is no such snapshot, or not for this caller.
fn not_found(id: &str) -> Refused {
    let message = format!("The snapshot '{id}' does not exist.");
    Refused::new(404, "ResourceNotFoundException", message).because("SNAPSHOT_NOT_FOUND")
}

/// A part of the path, by its place.
fn part(call: &Call, place: usize) -> &str {
    call.path.trim_start_matches('/').split('/').nth(place).unwrap_or_default()
}

/// A block's index in the path.
fn index(call: &Call) -> Result<u32, Refused> {
    let text = part(call, 3);
    text.parse().map_err(|_| invalid("INVALID_PARAMETER_VALUE", format!("Invalid block index {text}")))
}

/// A snapshot that the caller may read; not necessarily its own.
fn snapshot<'w>(world: &'w World, shared: &Shared, call: &Call, id: &str) -> Result<&'w Snapshot, Refused> {
    let digits = id.strip_prefix("snap-").filter(|digits| !digits.is_empty()).unwrap_or("?");
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(invalid("INVALID_SNAPSHOT_ID", format!("Invalid snapshot id {id}")));
    }
    let found = world.ec2.snapshots.get(id).filter(|snapshot| snapshot.region == call.region);
    let snapshot = found.ok_or_else(|| not_found(id))?;
    let blocked = world.ec2.hides_public(&shared.settings(), &snapshot.owner, &call.region, call.now);
    if snapshot.is_open_to(&call.caller.account, blocked) { Ok(snapshot) } else { Err(not_found(id)) }
}
