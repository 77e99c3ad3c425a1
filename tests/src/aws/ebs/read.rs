//! ListSnapshotBlocks, GetSnapshotBlock, ListChangedBlocks: of completed snapshots only.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/readsnapshots.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::ec2::{Snapshot, later};
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

use super::blocks::{BLOCK, Blocks};
use super::{index, invalid, part, snapshot};

/// How long block tokens are good for: 7 days.
const TOKEN_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How many blocks a client may ask for in one page.
const MAX_RESULTS: std::ops::RangeInclusive<usize> = 100..=10_000;
/// A page of blocks is larger than the pages of other lists, in the settings, by this.
const LARGER: usize = 20;

/// A completed snapshot: its size in GiB, lineage and blocks.
struct Readable {
    id: String,
    size: u64,
    lineage: String,
    blocks: Arc<Blocks>,
}

fn readable(shared: &Shared, call: &Call, id: &str) -> Result<Readable, Refused> {
    let world = shared.state();
    let found: &Snapshot = snapshot(&world, shared, call, id)?;
    if found.state(call.now) != "completed" {
        return Err(invalid("INVALID_SNAPSHOT_ID", format!("The snapshot {id} is not completed")));
    }
    Ok(Readable {
        id: found.id.clone(),
        size: found.size,
        lineage: found.lineage.clone(),
        blocks: Arc::clone(&found.blocks),
    })
}

/// Where to start and how many to give.
fn window(shared: &Shared, call: &Call) -> Result<(u32, usize), Refused> {
    let most = match call.query("maxResults").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(most)) if MAX_RESULTS.contains(&most) => most,
        Some(_) => return Err(invalid("INVALID_PARAMETER_VALUE", "maxResults is 100 to 10000")),
    };
    let cap = shared.settings().page_size.saturating_mul(LARGER);
    let start = match (call.query("pageToken"), call.query("startingBlockIndex")) {
        (Some(token), _) => page_start(token, call)
            .ok_or_else(|| invalid("INVALID_PAGE_TOKEN", "The page token is of another list or expired"))?,
        (None, Some(text)) => {
            text.parse().map_err(|_| invalid("INVALID_PARAMETER_VALUE", "startingBlockIndex is not a number"))?
        }
        (None, None) => 0,
    };
    Ok((start, most.min(cap).max(1)))
}

fn page_token(call: &Call, start: u32) -> String {
    BASE64.encode(format!("{}?{start}", call.path))
}

fn page_start(token: &str, call: &Call) -> Option<u32> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    let (path, start) = text.split_once('?')?;
    if path == call.path { start.parse().ok() } else { None }
}

fn block_token(snapshot: &str, index: u32, expires: Timestamp) -> String {
    BASE64.encode(format!("{snapshot}/{index}/{}", expires.as_millisecond()))
}

/// Cuts the page out of all indexes, and gives each block its token.
fn answer(
    shared: &Shared,
    call: &Call,
    of: &Readable,
    member: &str,
    listed: (Vec<u32>, impl Fn(u32, Timestamp) -> Value),
) -> Outcome {
    let (indexes, row) = listed;
    let (start, most) = window(shared, call)?;
    let expires = later(call.now, TOKEN_MILLIS);
    let mut indexes = indexes.into_iter().skip_while(|index| *index < start);
    let rows: Vec<Value> = indexes.by_ref().take(most).map(|index| row(index, expires)).collect();
    let mut body = json!({
        member: rows,
        "ExpiryTime": expires.as_second(),
        "VolumeSize": of.size,
        "BlockSize": BLOCK,
    });
    if let Some(next) = indexes.next() {
        body["NextToken"] = json!(page_token(call, next));
    }
    Ok(Reply::json(&body))
}

/// Lists the blocks that were written.
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let of = readable(shared, call, part(call, 1))?;
    let row = |index, expires| json!({"BlockIndex": index, "BlockToken": block_token(&of.id, index, expires)});
    answer(shared, call, &of, "Blocks", (of.blocks.indexes(0), row))
}

/// Lists the blocks in which a snapshot differs from one that it, or its parent, was started from.
pub(super) fn list_changed(shared: &Shared, call: &Call) -> Outcome {
    let second = readable(shared, call, part(call, 1))?;
    let Some(first) = call.query("firstSnapshotId") else {
        return Err(invalid("INVALID_PARAMETER_VALUE", "firstSnapshotId is required"));
    };
    let first = readable(shared, call, first)?;
    if first.lineage != second.lineage {
        return Err(invalid("UNRELATED_SNAPSHOTS", "The snapshots have no common ancestor"));
    }
    let mut indexes: BTreeSet<u32> = first.blocks.indexes(0).into_iter().chain(second.blocks.indexes(0)).collect();
    let sum = |of: &Readable, index| of.blocks.get(index).map(|block| block.sha256);
    indexes.retain(|index| sum(&first, *index) != sum(&second, *index));
    let row = |index, expires| {
        let mut row = json!({"BlockIndex": index});
        for (name, of) in [("FirstBlockToken", &first), ("SecondBlockToken", &second)] {
            if of.blocks.get(index).is_some() {
                row[name] = json!(block_token(&of.id, index, expires));
            }
        }
        row
    };
    answer(shared, call, &second, "ChangedBlocks", (indexes.into_iter().collect(), row))
}

/// Gives a block to whoever has its token.
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let (of, index) = (readable(shared, call, part(call, 1))?, index(call)?);
    let token = call.query("blockToken").unwrap_or_default();
    let text = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let expires = text.strip_prefix(&format!("{}/{index}/", of.id)).and_then(|millis| millis.parse::<i64>().ok());
    if expires.is_none_or(|expires| expires < call.now.as_millisecond()) {
        return Err(invalid("INVALID_BLOCK_TOKEN", "The block token is of another block or expired"));
    }
    let block = of.blocks.get(index).ok_or_else(|| invalid("INVALID_BLOCK", format!("There is no block {index}")))?;
    Ok(Reply::bytes(block.data)
        .header("content-type", "application/octet-stream")
        .header("x-amz-Data-Length", BLOCK.to_string())
        .header("x-amz-Checksum", BASE64.encode(block.sha256))
        .header("x-amz-Checksum-Algorithm", "SHA256"))
}
