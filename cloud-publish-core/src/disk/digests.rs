//! Digests: one pass over a view, each hash on a thread of its own, holes never read.
//!
//! A reader hands blocks through bounded channels to the hashers, so memory is a few blocks whatever the size of the
//! disk. The zeros of holes are one static block, hashed as often as needed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use sha2::{Sha256, Sha512};

use super::format::Format;
use super::image::Disk;
use super::view::View;
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};

/// Blocks that wait for one hasher. With the one it works on and the one being read, a view has at most four alive.
const WAITING: usize = 2;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
/// Zeros between two looks at whether to stop, in bytes.
const ZERO_RUN: u64 = 1 << 22;

/// The digests of the file that are needed besides the content's sha256, which is always computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// sha256 of the file as given; for raw it is the content's, and costs nothing.
    pub file_sha256: bool,
    /// sha512 of the file as given.
    pub file_sha512: bool,
}

/// What was computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The digest of the image: sha256 of the raw content.
    pub content: Digest,
    /// sha256 of the file as given, if wanted.
    pub file_sha256: Option<[u8; 32]>,
    /// sha512 of the file as given, if wanted.
    pub file_sha512: Option<[u8; 64]>,
}

/// Follows a long pass, and can stop it. `()` does neither.
pub trait Watch: Sync {
    /// Is told that `bytes` more are done, in total [`Disk::work`].
    fn advanced(&self, bytes: u64);

    /// Whether to stop; asked every few MiB.
    fn cancelled(&self) -> bool;
}

impl Watch for () {
    fn advanced(&self, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

impl Disk {
    /// Computes digests in one pass.
    ///
    /// # Behaviour
    /// Reads each view that is needed once (of raw there is only one), data only. Uses at most 16 MiB, plus the
    /// cached tables of a qcow2.
    ///
    /// # Errors
    /// As [`Disk::read_at`]; [`Kind::Cancelled`] when `watch` asks to stop.
    pub fn digests(&self, wanted: Wanted, watch: &dyn Watch) -> Result<Digests> {
        self.compute(wanted, watch).map_err(|error| self.named(error))
    }

    /// What [`Watch::advanced`] will add up to, in bytes.
    pub fn work(&self, wanted: Wanted) -> u64 {
        let file = if self.reads_file(wanted) { self.file_size() } else { 0 };
        self.virtual_size().saturating_add(file)
    }

    /// Whether the file as given must be read besides the content.
    fn reads_file(&self, wanted: Wanted) -> bool {
        self.format() != Format::Raw && (wanted.file_sha256 || wanted.file_sha512)
    }

    fn compute(&self, wanted: Wanted, watch: &dyn Watch) -> Result<Digests> {
        if !self.reads_file(wanted) {
            let sums = sums(self.content(), Hashes { sha256: true, sha512: wanted.file_sha512 }, watch)?;
            let content = sums.sha256.ok_or_else(lost)?;
            let file_sha256 = wanted.file_sha256.then_some(content);
            return Ok(Digests { content: Digest::from_bytes(content), file_sha256, file_sha512: sums.sha512 });
        }
        let both = Both { watch, failed: AtomicBool::new(false) };
        let hashes = Hashes { sha256: wanted.file_sha256, sha512: wanted.file_sha512 };
        let (content, file) = scope(|scope| {
            let file = spawn(scope, || both.note(sums(self.file(), hashes, &both)));
            let content = both.note(sums(self.content(), Hashes { sha256: true, sha512: false }, &both));
            (content, file.and_then(join).flatten())
        });
        let (content, file) = match (content, file) {
            (Ok(content), Ok(file)) => (content, file),
            // The pass that failed stops the other one, which then only knows that it was cancelled.
            (Err(stopped), Err(reason)) if stopped.kind() == Kind::Cancelled => return Err(reason),
            (Err(reason), _) | (_, Err(reason)) => return Err(reason),
        };
        let content = Digest::from_bytes(content.sha256.ok_or_else(lost)?);
        Ok(Digests { content, file_sha256: file.sha256, file_sha512: file.sha512 })
    }
}

/// Watches two passes: when one fails, the other stops.
struct Both<'a> {
    watch: &'a dyn Watch,
    failed: AtomicBool,
}

impl Both<'_> {
    fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        self.failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
        outcome
    }
}

impl Watch for Both<'_> {
    fn advanced(&self, bytes: u64) {
        self.watch.advanced(bytes);
    }

    fn cancelled(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.watch.cancelled()
    }
}

#[derive(Clone, Copy)]
struct Hashes {
    sha256: bool,
    sha512: bool,
}

struct Sums {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

#[derive(Clone)]
enum Block {
    Data(Arc<Vec<u8>>),
    Zeros(u64),
}

fn sums(view: &dyn View, wanted: Hashes, watch: &dyn Watch) -> Result<Sums> {
    scope(|scope| {
        let mut sinks = Vec::new();
        let mut start = |wanted: bool| {
            let (sink, blocks) = sync_channel(WAITING);
            wanted.then(|| sinks.push(sink)).map(|()| blocks)
        };
        let sha256 = start(wanted.sha256).map(|blocks| spawn(scope, || hash::<Sha256>(blocks).into()));
        let sha512 = start(wanted.sha512).map(|blocks| spawn(scope, || hash::<Sha512>(blocks).into()));
        let (sha256, sha512) = (sha256.transpose()?, sha512.transpose()?);
        let fed = feed(view, &sinks, watch);
        drop(sinks);
        let sums = Sums { sha256: sha256.map(join).transpose()?, sha512: sha512.map(join).transpose()? };
        fed.map(|()| sums)
    })
}

fn feed(view: &dyn View, sinks: &[SyncSender<Block>], watch: &dyn Watch) -> Result<()> {
    let mut at = 0;
    for extent in view.data(0, view.size()) {
        let extent = extent?;
        zeros(extent.offset - at, sinks, watch)?;
        at = extent.offset;
        while at < extent.end() {
            let left = usize::try_from(extent.end() - at).unwrap_or(usize::MAX);
            let mut block = vec![0; left.min(view.block())];
            view.read_data(at, &mut block)?;
            at += block.len() as u64;
            send(Block::Data(Arc::new(block)), sinks, watch)?;
        }
    }
    zeros(view.size() - at, sinks, watch)
}

fn zeros(mut length: u64, sinks: &[SyncSender<Block>], watch: &dyn Watch) -> Result<()> {
    while length > 0 {
        let run = length.min(ZERO_RUN);
        send(Block::Zeros(run), sinks, watch)?;
        length -= run;
    }
    Ok(())
}

fn send(block: Block, sinks: &[SyncSender<Block>], watch: &dyn Watch) -> Result<()> {
    if watch.cancelled() {
        return Err(Error::new(Kind::Cancelled, "hashing the disk image was stopped"));
    }
    let length = match &block {
        Block::Data(bytes) => bytes.len() as u64,
        Block::Zeros(length) => *length,
    };
    for sink in sinks {
        sink.send(block.clone()).map_err(|_| lost())?;
    }
    watch.advanced(length);
    Ok(())
}

fn hash<D: sha2::Digest>(blocks: Receiver<Block>) -> sha2::digest::Output<D> {
    let mut hasher = D::new();
    for block in blocks {
        match block {
            Block::Data(bytes) => hasher.update(bytes.as_slice()),
            Block::Zeros(mut length) => {
                while length > 0 {
                    let run = length.min(ZEROS.len() as u64);
                    hasher.update(ZEROS.get(..usize::try_from(run).unwrap_or(0)).unwrap_or_default());
                    length -= run;
                }
            }
        }
    }
    hasher.finalize()
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    let started = Builder::new().name("digest".to_owned()).spawn_scoped(scope, work);
    started.map_err(|error: io::Error| Error::new(Kind::Storage, "could not start a thread").caused_by(error))
}

fn join<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T> {
    handle.join().map_err(|_| lost())
}

fn lost() -> Error {
    Error::new(Kind::Unexpected, "a thread that computes digests ended early")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use sha2::{Digest as _, Sha256, Sha512};

    use super::{Wanted, Watch};
    use crate::digest::Digest;
    use crate::disk::format::Format;
    use crate::disk::testing::{Scratch, noise};
    use crate::error::Kind;

    const ALL: Wanted = Wanted { file_sha256: true, file_sha512: true };

    struct Counter {
        done: AtomicU64,
        stop_at: u64,
    }

    impl Watch for Counter {
        fn advanced(&self, bytes: u64) {
            self.done.fetch_add(bytes, Ordering::Relaxed);
        }

        fn cancelled(&self) -> bool {
            self.done.load(Ordering::Relaxed) >= self.stop_at
        }
    }

    fn holey() -> Scratch {
        let data = noise(3_000_064);
        Scratch::sparse(40 << 20, &[(5 << 20, &data), (20 << 20, &data)])
    }

    #[test]
    fn digests_equal_those_of_the_expanded_content() {
        let file = holey();
        let bytes = std::fs::read(file.path()).unwrap();
        let found = file.open(Format::Raw).unwrap().digests(ALL, &()).unwrap();
        assert_eq!(found.content, Digest::from_bytes(Sha256::digest(&bytes).into()));
        assert_eq!(found.file_sha256.as_ref(), Some(found.content.as_bytes()));
        assert_eq!(found.file_sha512, Some(Sha512::digest(&bytes).into()));
    }

    #[test]
    fn a_file_that_lost_its_holes_has_the_same_digest() {
        let file = holey();
        let copy = Scratch::new(&std::fs::read(file.path()).unwrap());
        let one = file.open(Format::Raw).unwrap().digests(ALL, &()).unwrap();
        assert_eq!(one, copy.open(Format::Raw).unwrap().digests(ALL, &()).unwrap());
    }

    #[test]
    fn only_what_is_wanted_is_computed() {
        let found = holey().open(Format::Raw).unwrap().digests(Wanted::default(), &()).unwrap();
        assert_eq!((found.file_sha256, found.file_sha512), (None, None));
    }

    #[test]
    fn progress_adds_up_to_the_announced_work() {
        let disk = holey().open(Format::Raw).unwrap();
        let counter = Counter { done: AtomicU64::new(0), stop_at: u64::MAX };
        disk.digests(ALL, &counter).unwrap();
        assert_eq!(counter.done.into_inner(), disk.work(ALL));
    }

    #[test]
    fn a_pass_can_be_stopped_in_the_middle() {
        let disk = holey().open(Format::Raw).unwrap();
        let counter = Counter { done: AtomicU64::new(0), stop_at: 6 << 20 };
        assert_eq!(disk.digests(ALL, &counter).unwrap_err().kind(), Kind::Cancelled);
        assert!(counter.done.into_inner() < disk.work(ALL));
    }
}
