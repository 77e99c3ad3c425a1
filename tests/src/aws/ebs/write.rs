//! StartSnapshot, PutSnapshotBlock, CompleteSnapshot.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/writesnapshots.html>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::ec2::{LONGEST, NewSnapshot, Progress, Snapshot, Tags, TokenKey, Used, later};
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::{Shared, World};

use super::blocks::{BLOCK, BLOCKS_OF_GIB, Block, Blocks};
use super::{index, invalid, part, snapshot};

/// Minutes without a block after which a snapshot is an error.
const TIMEOUT: u64 = 60;
/// The minutes that a request may ask for.
const TIMEOUTS: std::ops::RangeInclusive<u64> = 10..=4320;
/// GiB.
const SIZES: std::ops::RangeInclusive<u64> = 1..=65_536;
/// The most tags of a snapshot.
const TAGS: usize = 50;

fn wrong(message: impl Into<String>) -> Refused {
    invalid("INVALID_PARAMETER_VALUE", message)
}

fn number(call: &Call, name: &str) -> Result<Option<u64>, Refused> {
    match call.json.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong(format!("{name} is not a number"))),
    }
}

fn tags(call: &Call) -> Result<Tags, Refused> {
    let bad = |message: &str| invalid("INVALID_TAG", message);
    let mut tags = Tags::new();
    for tag in call.json.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (key, value) = (text("Key"), text("Value"));
        if key.is_empty() || key.chars().count() > 127 || value.chars().count() > 255 {
            return Err(bad("A tag has a key of 1 to 127 characters and a value of at most 255"));
        }
        if key.starts_with("aws:") {
            return Err(bad("Tag keys starting with 'aws:' are reserved for internal use"));
        }
        if tags.insert(key, value).is_some() {
            return Err(bad("A tag key is there twice"));
        }
    }
    if tags.len() > TAGS { Err(bad("A snapshot has at most 50 tags")) } else { Ok(tags) }
}

fn token(call: &Call) -> Result<Option<TokenKey>, Refused> {
    let Some(token) = call.text("ClientToken") else { return Ok(None) };
    if token.is_empty() || token.len() > LONGEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(format!("ClientToken has 1 to {LONGEST} ASCII characters")));
    }
    Ok(Some(TokenKey {
        account: call.caller.account.clone(),
        region: call.region.clone(),
        operation: call.operation.clone(),
        token: token.to_owned(),
    }))
}

/// Starts a pending snapshot. A token that was used before gives the first answer again, even if the snapshot is gone.
pub(super) fn start(shared: &Shared, call: &Call) -> Outcome {
    let size = number(call, "VolumeSize")?.ok_or_else(|| wrong("VolumeSize is required"))?;
    if !SIZES.contains(&size) {
        return Err(invalid("INVALID_VOLUME_SIZE", "VolumeSize is 1 to 65536 GiB"));
    }
    let timeout = number(call, "Timeout")?.unwrap_or(TIMEOUT);
    if !TIMEOUTS.contains(&timeout) {
        return Err(wrong("Timeout is 10 to 4320 minutes"));
    }
    let description = call.text("Description").unwrap_or_default();
    if description.chars().count() > 255 {
        return Err(wrong("Description has at most 255 characters"));
    }
    let tags = tags(call)?;
    let token = token(call)?;
    let mut fingerprint = call.json.clone();
    fingerprint.as_object_mut().map(|members| members.remove("ClientToken"));
    let fingerprint = fingerprint.to_string();
    let mut world = shared.state();
    if let Some(token) = &token {
        match world.ebs.tokens.look(token, &fingerprint) {
            Used::Never => {}
            Used::Same(before) => return Ok(created(&serde_json::from_str(before).unwrap_or_default())),
            Used::Otherwise => {
                let message = "The client token was used before, with other parameters";
                return Err(Refused::new(409, "ConflictException", message));
            }
        }
    }
    let parent = parent(&world, shared, call, size)?;
    let blocks =
        parent.as_ref().map_or_else(|| Blocks::empty(call.now), |parent| Blocks::of_parent(&parent.blocks, call.now));
    check_quota(&world, shared, call)?;
    let id = world.ec2.add_snapshot(NewSnapshot {
        owner: &call.caller.account,
        region: &call.region,
        description,
        size,
        tags,
        started: call.now,
        visible_at: later(call.now, shared.settings().delays.snapshot_visible),
        progress: Progress::Writing { timeout: timeout * 60_000 },
        blocks: Arc::new(blocks),
    });
    let answer = finish(&mut world, call, &id, parent.as_ref());
    if let Some(token) = token {
        world.ebs.tokens.keep(token, fingerprint, answer.to_string());
    }
    Ok(created(&answer))
}

/// The snapshot to start from: completed, the caller's to read, no larger.
fn parent(world: &World, shared: &Shared, call: &Call, size: u64) -> Result<Option<Snapshot>, Refused> {
    let Some(id) = call.text("ParentSnapshotId") else { return Ok(None) };
    if call.json.get("Encrypted").is_some() {
        return Err(wrong("Encrypted and ParentSnapshotId exclude each other"));
    }
    let parent = snapshot(world, shared, call, id)?;
    if parent.state(call.now) != "completed" || parent.owner != call.caller.account {
        return Err(invalid("INVALID_SNAPSHOT_ID", "The parent snapshot is not a completed snapshot of this account"));
    }
    if size < parent.size {
        return Err(invalid("INVALID_VOLUME_SIZE", "The volume is smaller than that of the parent snapshot"));
    }
    Ok(Some(parent.clone()))
}

fn check_quota(world: &World, shared: &Shared, call: &Call) -> Result<(), Refused> {
    let account = &call.caller.account;
    let quotas = shared.settings().quotas(account, &call.region);
    let (all, pending) = world.ec2.count_snapshots(account, &call.region, call.now);
    let full = |message: &str| {
        Err(Refused::new(402, "ServiceQuotaExceededException", message).because("DEPENDENCY_SERVICE_QUOTA_EXCEEDED"))
    };
    if pending >= quotas.pending_snapshots {
        return full("You have reached your quota of pending snapshots");
    }
    if all >= quotas.snapshots { full("You have reached your quota of snapshots") } else { Ok(()) }
}

/// Notes what the request says of the new snapshot, and writes the answer.
fn finish(world: &mut World, call: &Call, id: &str, parent: Option<&Snapshot>) -> Value {
    let snapshot = world.ec2.snapshots.get_mut(id).expect("it was just made");
    snapshot.encrypted |= call.json.get("Encrypted").and_then(Value::as_bool).unwrap_or(false);
    if let Some(parent) = parent {
        snapshot.encrypted |= parent.encrypted;
        snapshot.lineage.clone_from(&parent.lineage);
        snapshot.parent = Some(parent.id.clone());
    }
    let tags = snapshot.tags.latest().iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    let mut answer = json!({
        "SnapshotId": id,
        "OwnerId": snapshot.owner,
        "Status": "pending",
        "StartTime": call.now.as_second(),
        "VolumeSize": snapshot.size,
        "BlockSize": BLOCK,
        "Description": snapshot.description,
        "Tags": tags.collect::<Vec<_>>(),
    });
    if let Some(parent) = &snapshot.parent {
        answer["ParentSnapshotId"] = json!(parent);
    }
    answer
}

fn created(answer: &Value) -> Reply {
    Reply::json(answer).status(201)
}

/// A pending snapshot of the caller.
fn writable<'w>(world: &'w World, shared: &Shared, call: &Call, id: &str) -> Result<&'w Snapshot, Refused> {
    let snapshot = snapshot(world, shared, call, id)?;
    if snapshot.owner != call.caller.account {
        let message = "The snapshot belongs to another account";
        return Err(Refused::new(403, "AccessDeniedException", message).because("UNAUTHORIZED_ACCOUNT"));
    }
    if !matches!(snapshot.progress, Progress::Writing { .. }) || snapshot.state(call.now) != "pending" {
        let message = format!("The snapshot {id} is not in the pending state to be written");
        return Err(invalid("INVALID_SNAPSHOT_ID", message));
    }
    Ok(snapshot)
}

/// Writes a block of exactly 512 KiB with the checksum that is declared.
pub(super) fn put(shared: &Shared, call: &Call) -> Outcome {
    let (id, index) = (part(call, 1), index(call)?);
    check_header(call, "x-amz-checksum-algorithm", "SHA256")?;
    let declared = call.header("x-amz-checksum").ok_or_else(|| wrong("x-amz-Checksum is required"))?;
    let length = call.header("x-amz-data-length").and_then(|text| text.parse::<usize>().ok());
    if length != Some(BLOCK) || call.body.len() != BLOCK {
        return Err(invalid("INVALID_BLOCK", format!("A block has {BLOCK} bytes")));
    }
    let is_percent = |text: &str| text.parse::<u8>().is_ok_and(|percent| percent <= 100);
    if call.header("x-amz-progress").is_some_and(|text| !is_percent(text)) {
        return Err(wrong("x-amz-Progress is 0 to 100"));
    }
    let blocks = {
        let world = shared.state();
        let snapshot = writable(&world, shared, call, id)?;
        if u64::from(index) >= snapshot.size * BLOCKS_OF_GIB {
            return Err(wrong(format!("The block {index} is beyond the end of the volume")));
        }
        Arc::clone(&snapshot.blocks)
    };
    let block = Block::new(call.body.clone());
    let checksum = BASE64.encode(block.sha256);
    if checksum != declared {
        return Err(invalid("INVALID_BLOCK", "The checksum does not match the block"));
    }
    if !blocks.put(index, block, call.now) {
        return Err(invalid("INVALID_SNAPSHOT_ID", format!("The snapshot {id} is complete")));
    }
    let reply = Reply::empty(201).header("x-amz-Checksum", checksum).header("x-amz-Checksum-Algorithm", "SHA256");
    Ok(reply)
}

fn check_header(call: &Call, name: &str, only: &str) -> Result<(), Refused> {
    if call.header(name) == Some(only) { Ok(()) } else { Err(wrong(format!("{name} has to be {only}"))) }
}

/// Completes a snapshot, if the client believes in the blocks that are here.
pub(super) fn complete(shared: &Shared, call: &Call) -> Outcome {
    let id = part(call, 2);
    let count: Option<u64> = call.header("x-amz-changedblockscount").and_then(|text| text.parse().ok());
    let count = count.ok_or_else(|| wrong("x-amz-ChangedBlocksCount is required"))?;
    let delay = shared.settings().delays.snapshot_completion;
    let mut world = shared.state();
    let blocks = Arc::clone(&writable(&world, shared, call, id)?.blocks);
    let written = blocks.written();
    if count != written.count {
        return Err(wrong(format!("{} blocks were written, not {count}", written.count)));
    }
    if let Some(checksum) = call.header("x-amz-checksum") {
        check_header(call, "x-amz-checksum-algorithm", "SHA256")?;
        check_header(call, "x-amz-checksum-aggregation-method", "LINEAR")?;
        if checksum != BASE64.encode(written.linear) {
            return Err(wrong("The checksum does not match the blocks that were written"));
        }
    }
    blocks.seal();
    if let Some(snapshot) = world.ec2.snapshots.get_mut(id) {
        snapshot.progress = Progress::Completing(later(call.now, delay));
    }
    Ok(Reply::json(&json!({"Status": "pending"})).status(202))
}
