//! The content of a snapshot as one stream: pages of blocks, several read at a time, hashed in their order.
//!
//! A page's block tokens hold until the next list is asked for, or until they expire:
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-elements.html>. So a page is read to its end before the next
//! is listed, and that one begins with a block's index instead of a page token, which also expires.

use bytes::Bytes;
use cloud_publish_core::digest::Digest;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;
use futures::stream::{self, StreamExt as _};

use super::hasher::Hasher;
use crate::ebs::{BLOCK_SIZE, Blocks, Nature, Trouble};
use crate::error::{classify, code};
use crate::publisher::Here;

/// Blocks read at a time: 8 MiB.
const AT_ONCE: usize = 16;

/// Blocks of a page: what AWS allows at most is 10,000, and tokens should not grow old.
const PAGE: i32 = 1000;

/// How often tokens may expire without one block read in between.
const RENEWALS: u32 = 3;

/// The content of one snapshot.
pub(super) struct Content<'a> {
    here: &'a Here,
    context: &'a Context,
    id: &'a str,
    /// Bytes of the disk.
    size: u64,
    blocks: Blocks,
}

/// How a page ended.
enum Ended {
    /// All of it is read.
    Whole,
    /// The tokens have expired.
    Expired,
}

/// The next block to list, and what comes before it.
struct Reading {
    next: u32,
    hasher: Hasher,
}

impl<'a> Content<'a> {
    pub(super) fn new(here: &'a Here, context: &'a Context, (id, size): (&'a str, u64)) -> Self {
        let blocks = Blocks::new(here, id, context.clock().elapsed());
        Self { here, context, id, size, blocks }
    }

    /// sha256 of the whole; `None` when EBS does not list the blocks, as of snapshots that it does not serve.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when a block is not what its checksum says, or there is data past the disk's end.
    pub(super) async fn digest(&self) -> Result<Option<Digest>> {
        let mut reading = Reading { next: 0, hasher: Hasher::new(self.size) };
        let mut renewals = 0;
        loop {
            let from = reading.next;
            let Some((page, more)) = self.list(from).await? else { return Ok(None) };
            match self.read(page, &mut reading).await? {
                Ended::Whole if !more => return reading.hasher.finish().await.map(Some),
                Ended::Whole if reading.next > from => renewals = 0,
                Ended::Whole => return Err(Error::new(Kind::Unexpected, "EBS lists the same blocks again and again")),
                Ended::Expired => {
                    renewals = if reading.next > from { 0 } else { renewals + 1 };
                    if renewals > RENEWALS {
                        return Err(Error::new(
                            Kind::Unexpected,
                            "EBS does not take the tokens that it has just given",
                        ));
                    }
                }
            }
        }
    }

    /// The blocks from an index on, and whether there are more of them.
    async fn list(&self, from: u32) -> Result<Option<(Vec<(u32, String)>, bool)>> {
        let call = self.here.clients.ebs.list_snapshot_blocks().snapshot_id(self.id).max_results(PAGE);
        let call = if from == 0 { call } else { call.starting_block_index(i32::try_from(from).unwrap_or(i32::MAX)) };
        let answer = match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("ValidationException") => return Ok(None),
            Err(error) => return Err(classify(&error, "ListSnapshotBlocks")),
        };
        let more = answer.next_token.is_some();
        let each = answer.blocks.unwrap_or_default().into_iter().filter_map(|block| {
            let index = u32::try_from(block.block_index?).ok().filter(|index| *index >= from)?;
            Some((index, block.block_token?))
        });
        Ok(Some((each.collect(), more)))
    }

    /// Reads a page's blocks, several at a time, and takes them in their order.
    async fn read(&self, page: Vec<(u32, String)>, reading: &mut Reading) -> Result<Ended> {
        let each = page.into_iter().map(|(index, token)| async move { (index, self.fetch(index, &token).await) });
        let mut fetched = stream::iter(each).buffered(AT_ONCE);
        while let Some((index, data)) = fetched.next().await {
            match data {
                Ok(data) => reading.hasher.take(u64::from(index) * BLOCK_SIZE, data).await?,
                Err(trouble) if trouble.nature == Nature::Expired => return Ok(Ended::Expired),
                Err(trouble) => return Err(trouble.error),
            }
            reading.next = index.saturating_add(1);
            self.context.progress().advanced((u64::from(index) * BLOCK_SIZE).min(self.size), self.size);
        }
        Ok(Ended::Whole)
    }

    async fn fetch(&self, index: u32, token: &str) -> Result<Bytes, Trouble> {
        self.blocks.persist(self.context, |_| {}, || self.blocks.get(index, token)).await
    }
}
