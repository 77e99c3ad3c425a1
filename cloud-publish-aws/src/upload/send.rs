//! Sends the blocks that are missing, as many at a time as EBS takes.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::Context;
use futures::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};

use super::Upload;
use super::acknowledged::Acknowledged;
use super::blocks::{self, Block};
use super::concurrency::Concurrency;
use super::pending::Pending;
use super::ranges::Ranges;
use crate::ebs::{BLOCK_SIZE, Blocks, Nature, Trouble};

/// What a snapshot holds once every block is there.
#[derive(Debug)]
pub(super) struct Whole {
    /// How many blocks are not zero.
    pub(super) count: u32,
    /// sha256 over their sha256s, in the order of their indexes: <https://docs.aws.amazon.com/ebs/latest/APIReference/API_CompleteSnapshot.html>.
    pub(super) aggregate: [u8; 32],
    /// The last of them, if there is any.
    pub(super) last: Option<u32>,
    /// Bytes that this run has sent.
    pub(super) sent: u64,
}

/// The way to EBS, shared by the blocks that are under way.
struct Lane<'a> {
    context: &'a Context,
    blocks: Blocks,
    concurrency: Mutex<Concurrency>,
    /// Whether people know that the snapshot is not there yet.
    told: AtomicBool,
}

/// What is through.
struct Tally<'a> {
    context: &'a Context,
    acknowledged: Acknowledged,
    /// Bytes known to be there or to be zeros, of how many.
    done: u64,
    total: u64,
}

impl Upload<'_> {
    /// Sends what is missing of a pending snapshot. Reads and hashes every block, also those acknowledged before: the
    /// aggregate needs all of them.
    pub(super) async fn send(&self, pending: &Pending) -> Result<Whole, Trouble> {
        let wanted = blocks::of(&self.request.disk).await?;
        let blocks = Blocks::new(self.here, &pending.id, pending.missing_until);
        let lane = Lane { context: self.context, blocks, concurrency: Mutex::default(), told: AtomicBool::new(false) };
        let acknowledged = Acknowledged::recall(self.context, &pending.id);
        let total = wanted.iter().map(|(start, end)| u64::from(end - start) * BLOCK_SIZE).sum();
        let mut tally = Tally { context: self.context, acknowledged, done: 0, total };
        let sent = self.pump(&lane, &mut tally, &wanted).await;
        if sent.is_err() {
            // That failure counts. A ledger that cannot be written either shows when the step ends.
            let _ = tally.acknowledged.note(self.context).await;
        }
        sent
    }

    async fn pump(&self, lane: &Lane<'_>, tally: &mut Tally<'_>, wanted: &Ranges) -> Result<Whole, Trouble> {
        let mut whole = Whole { count: 0, aggregate: [0; 32], last: None, sent: 0 };
        let mut aggregate = Sha256::new();
        let mut source = pin!(blocks::read(self.request.disk.clone(), wanted));
        let mut under_way = FuturesUnordered::new();
        let mut more = true;
        while more || !under_way.is_empty() {
            self.context.check()?;
            let room = under_way.len() < lane.concurrency().limit();
            tokio::select! {
                Some(sent) = under_way.next(), if !under_way.is_empty() => {
                    tally.acknowledged.add(self.context, sent?).await?;
                    whole.sent = whole.sent.saturating_add(BLOCK_SIZE);
                    tally.advance();
                }
                read = source.next(), if more && room => match read.transpose()? {
                    None => more = false,
                    Some(None) => tally.advance(),
                    Some(Some(block)) => {
                        aggregate.update(block.sha256);
                        whole.count = whole.count.saturating_add(1);
                        whole.last = Some(block.index);
                        if tally.acknowledged.contains(block.index) {
                            tally.advance();
                        } else {
                            under_way.push(lane.put(block));
                        }
                    }
                },
            }
        }
        whole.aggregate = aggregate.finalize().into();
        Ok(whole)
    }
}

impl Lane<'_> {
    /// Sends one block, and tells what AWS makes of it to those that follow.
    async fn put(&self, block: Block) -> Result<u32, Trouble> {
        let mut epoch = self.concurrency().epoch();
        let hear = |trouble: &Trouble| {
            if trouble.nature == Nature::Slow {
                epoch = self.concurrency().slowed(epoch);
                tracing::debug!(block = block.index, limit = self.concurrency().limit(), "EBS is slow");
            }
            if trouble.nature == Nature::Missing && !self.told.swap(true, Ordering::Relaxed) {
                self.context.progress().says("waiting until EBS knows the snapshot, or is sure that it was deleted");
            }
        };
        let once = || self.blocks.put(block.index, block.data.clone(), block.sha256);
        self.blocks.persist(self.context, hear, once).await?;
        self.concurrency().succeeded();
        Ok(block.index)
    }

    fn concurrency(&self) -> MutexGuard<'_, Concurrency> {
        self.concurrency.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally<'_> {
    fn advance(&mut self) {
        self.done = self.done.saturating_add(BLOCK_SIZE);
        self.context.progress().advanced(self.done, self.total);
    }
}
