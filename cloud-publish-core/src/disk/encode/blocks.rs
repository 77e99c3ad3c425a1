//! The content of a disk as blocks, in order, each worked on by a thread of its own.
//!
//! A block of zeros is a block of zeros, whether the file system calls it a hole or not: what is made of a disk depends
//! on its content alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use futures::stream::{Stream, TryStreamExt, try_unfold};
use tokio::task::spawn_blocking;

use crate::disk::extent::Extent;
use crate::disk::image::Disk;
use crate::error::{Error, Kind, Result};

/// Bytes of a block. Part of the format of everything that is made block by block: another size gives other bytes.
pub(super) const BLOCK: usize = 1 << 20;

/// The most zeros that are handed on at once, in bytes: whole blocks.
const ZERO_RUN: u64 = 64 << 20;

/// The most blocks that are read or worked on at a time, so that memory does not grow with a machine's processors.
const MOST: usize = 12;

/// What became of some bytes of the content, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block<T> {
    /// So many bytes that are all zero.
    Zeros(u64),
    /// The result of the work on so many bytes that are not.
    Data(u64, T),
}

/// How the content is cut, and how far ahead it is worked on.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// What to read, in order: from the start of one block on; what is beyond the disk's size reads as zeros.
    pub(super) ranges: Vec<Extent>,
    /// Blocks worked on at a time.
    pub(super) at_once: usize,
}

impl Cut {
    /// From the start to `end`, on every processor, and one block more for the consumer to find.
    pub(super) fn new(end: u64) -> Self {
        Self::at_once(end, available_parallelism().map_or(2, usize::from).min(MOST) + 1)
    }

    /// From the start to `end`, so many blocks at a time.
    pub(super) fn at_once(end: u64, at_once: usize) -> Self {
        Self { ranges: vec![Extent { offset: 0, length: end }], at_once }
    }
}

/// What one block is worked on with: kept from block to block, so that memory is bounded by how many are worked on at a
/// time. The threads are no bound: under load there are many more, each of which would keep its own.
#[derive(Default)]
pub(super) struct Bench<S> {
    /// The block; it may be taken away.
    pub(super) block: Vec<u8>,
    /// Whatever the work needs.
    pub(super) tools: S,
}

/// Runs `work` on every block that is not all zeros; the last one may be shorter than [`BLOCK`].
///
/// # Errors
/// Items fail as [`Disk::read_at`] does; nothing that follows a failure has a meaning.
pub(super) fn blocks<S: Default + Send + 'static, T: Send + 'static>(
    disk: Arc<Disk>,
    cut: Cut,
    work: impl Fn(&mut Bench<S>) -> Result<T> + Clone + Send + Sync + 'static,
) -> impl Stream<Item = Result<Block<T>>> + Send + 'static {
    let (ranges, at_once) = (cut.ranges.into_iter(), cut.at_once.max(1));
    let walk = Walk { disk: Arc::clone(&disk), ranges, end: 0, at: 0, data: None };
    let pieces = try_unfold(walk, |mut walk| async move { Ok(walk.next().await?.map(|piece| (piece, walk))) });
    let benches = Arc::new(Mutex::new(Vec::<Bench<S>>::new()));
    let worked = pieces.map_ok(move |piece| {
        let (disk, work, benches) = (Arc::clone(&disk), work.clone(), Arc::clone(&benches));
        async move {
            match piece {
                Piece::Zeros(length) => Ok(Block::Zeros(length)),
                Piece::Data(extent) => {
                    blocking(move || {
                        let free = benches.lock().unwrap_or_else(PoisonError::into_inner).pop();
                        let mut bench = free.unwrap_or_default();
                        let done = one(&disk, extent, &mut bench, work);
                        benches.lock().unwrap_or_else(PoisonError::into_inner).push(bench);
                        done
                    })
                    .await
                }
            }
        }
    });
    worked.try_buffered(at_once)
}

fn one<S, T>(
    disk: &Disk,
    extent: Extent,
    bench: &mut Bench<S>,
    work: impl Fn(&mut Bench<S>) -> Result<T>,
) -> Result<Block<T>> {
    let block = &mut bench.block;
    block.clear();
    block.resize(usize::try_from(extent.length).unwrap_or(BLOCK), 0);
    let inside = usize::try_from(disk.virtual_size().saturating_sub(extent.offset)).unwrap_or(usize::MAX);
    let inside = inside.min(block.len());
    disk.read_at(extent.offset, block.get_mut(..inside).unwrap_or_default())?;
    if is_zero(block) { Ok(Block::Zeros(extent.length)) } else { Ok(Block::Data(extent.length, work(bench)?)) }
}

/// Whether all bytes are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

/// Runs work on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| Error::new(Kind::Unexpected, "work on the disk image was abandoned").caused_by(error))?
}

enum Piece {
    Zeros(u64),
    Data(Extent),
}

/// Walks over the content and its holes.
struct Walk {
    disk: Arc<Disk>,
    ranges: std::vec::IntoIter<Extent>,
    /// The end of the present range.
    end: u64,
    /// Always at the start of a block.
    at: u64,
    /// The first data that ends behind `at`, if it was looked up; where there is none any more, one of length 0.
    data: Option<Extent>,
}

impl Walk {
    async fn next(&mut self) -> Result<Option<Piece>> {
        while self.at >= self.end {
            let Some(range) = self.ranges.next() else { return Ok(None) };
            (self.at, self.end) = (range.offset, range.end());
        }
        let data = match self.data {
            Some(data) if data.end() > self.at || data.length == 0 => data,
            _ => self.look().await?,
        };
        let block = self.end.min(self.at + BLOCK as u64);
        let piece = if data.length > 0 && data.offset < block {
            Piece::Data(Extent { offset: self.at, length: block - self.at })
        } else {
            let first = if data.length > 0 { data.offset - data.offset % BLOCK as u64 } else { self.end };
            Piece::Zeros((first.min(self.end) - self.at).min(ZERO_RUN))
        };
        self.at += match &piece {
            Piece::Zeros(length) => *length,
            Piece::Data(extent) => extent.length,
        };
        Ok(Some(piece))
    }

    async fn look(&mut self) -> Result<Extent> {
        let (disk, at) = (Arc::clone(&self.disk), self.at);
        let found = blocking(move || {
            let size = disk.virtual_size();
            let next = if at < size { disk.content().data(at, size).next() } else { None };
            next.transpose().map_err(|error| disk.named(error))
        });
        let data = found.await?.unwrap_or(Extent { offset: u64::MAX, length: 0 });
        self.data = Some(data);
        Ok(data)
    }
}
