//! Digests: one pass over each view that is needed, each hash on a thread of its own, holes never read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;

use super::format::Format;
use super::hashing::{Block, Hashers, Hashes, Sums, join, lost, spawn};
use super::image::Disk;
use super::view::View;
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};

/// Zeros between two looks at whether to stop, in bytes.
const ZERO_RUN: u64 = 1 << 22;

/// The digests that are needed besides the content's sha256, which is always computed.
///
/// The file as given and the disk's own file are the same unless the disk is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// sha512 of the disk's own file.
    pub file_sha512: bool,
    /// sha256 of the file as given; where that is a raw disk it is the content's, and costs nothing.
    pub given_sha256: bool,
    /// sha512 of the file as given.
    pub given_sha512: bool,
}

/// What was computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The digest of the image: sha256 of the raw content.
    pub content: Digest,
    /// sha512 of the disk's own file, if wanted.
    pub file_sha512: Option<[u8; 64]>,
    /// sha256 of the file as given, if wanted.
    pub given_sha256: Option<[u8; 32]>,
    /// sha512 of the file as given, if wanted.
    pub given_sha512: Option<[u8; 64]>,
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

/// The three things that can be hashed, from the inside out. Those that are the same bytes count as the innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Content,
    File,
    Given,
}

impl Layer {
    /// What the disk's own file is.
    pub(super) fn of_file(format: Format) -> Self {
        if format == Format::Raw { Self::Content } else { Self::File }
    }
}

impl Disk {
    /// Computes digests in one pass.
    ///
    /// # Behaviour
    /// Reads each view that is needed once (of raw there is only one), data only, and nothing of which unpacking has
    /// shown the digest already. Uses at most 24 MiB, plus the cached tables of a qcow2.
    ///
    /// # Errors
    /// As [`Disk::read_at`]; [`Kind::Cancelled`] when `watch` asks to stop.
    pub fn digests(&self, wanted: Wanted, watch: &dyn Watch) -> Result<Digests> {
        self.compute(wanted, watch).map_err(|error| self.named(error))
    }

    /// What [`Watch::advanced`] will add up to, in bytes.
    pub fn work(&self, wanted: Wanted) -> u64 {
        self.missing(wanted).into_keys().fold(0, |sum, layer| sum.saturating_add(self.layer(layer).size()))
    }

    fn layer_of_given(&self) -> Layer {
        if self.packing().is_some() { Layer::Given } else { Layer::of_file(self.format()) }
    }

    fn layer(&self, layer: Layer) -> &dyn View {
        match layer {
            Layer::Content => self.content(),
            Layer::File => self.file(),
            Layer::Given => self.given(),
        }
    }

    /// What must be computed of which view.
    fn missing(&self, wanted: Wanted) -> BTreeMap<Layer, Hashes> {
        let mut needed: BTreeMap<Layer, Hashes> = BTreeMap::new();
        needed.entry(Layer::Content).or_default().sha256 = true;
        needed.entry(Layer::of_file(self.format())).or_default().sha512 |= wanted.file_sha512;
        let given = needed.entry(self.layer_of_given()).or_default();
        given.sha256 |= wanted.given_sha256;
        given.sha512 |= wanted.given_sha512;
        let missing = needed.into_iter().map(|(layer, hashes)| (layer, hashes.without(&self.known(layer))));
        missing.filter(|(_, hashes)| hashes.any()).collect()
    }

    fn compute(&self, wanted: Wanted, watch: &dyn Watch) -> Result<Digests> {
        let all = All { watch, failed: AtomicBool::new(false) };
        let missing = self.missing(wanted);
        let passes = scope(|scope| {
            let started: Vec<_> = missing
                .iter()
                .map(|(layer, hashes)| spawn(scope, || (*layer, all.note(sums(self.layer(*layer), *hashes, &all)))))
                .collect();
            started.into_iter().map(|pass| pass.and_then(join)).collect::<Result<Vec<_>>>()
        })?;
        let mut found = BTreeMap::new();
        let mut stopped = None;
        for (layer, sums) in passes {
            match sums {
                Ok(sums) => drop(found.insert(layer, sums)),
                // The pass that failed stops the others, which then only know that they were cancelled.
                Err(error) if error.kind() == Kind::Cancelled => stopped = Some(error),
                Err(reason) => return Err(reason),
            }
        }
        if let Some(error) = stopped {
            return Err(error);
        }
        let of = |layer| found.get(&layer).cloned().unwrap_or_default().or(&self.known(layer));
        let (file, given) = (of(Layer::of_file(self.format())), of(self.layer_of_given()));
        Ok(Digests {
            content: Digest::from_bytes(of(Layer::Content).sha256.ok_or_else(lost)?),
            file_sha512: file.sha512.filter(|_| wanted.file_sha512),
            given_sha256: given.sha256.filter(|_| wanted.given_sha256),
            given_sha512: given.sha512.filter(|_| wanted.given_sha512),
        })
    }
}

/// Watches several passes: when one fails, the others stop.
struct All<'a> {
    watch: &'a dyn Watch,
    failed: AtomicBool,
}

impl All<'_> {
    fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        self.failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
        outcome
    }
}

impl Watch for All<'_> {
    fn advanced(&self, bytes: u64) {
        self.watch.advanced(bytes);
    }

    fn cancelled(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.watch.cancelled()
    }
}

fn sums(view: &dyn View, wanted: Hashes, watch: &dyn Watch) -> Result<Sums> {
    scope(|scope| {
        let hashers = Hashers::start(scope, wanted)?;
        let fed = feed(view, &hashers, watch);
        let sums = hashers.finish()?;
        fed.map(|()| sums)
    })
}

fn feed(view: &dyn View, hashers: &Hashers<'_>, watch: &dyn Watch) -> Result<()> {
    let mut at = 0;
    for extent in view.data(0, view.size()) {
        let extent = extent?;
        zeros(extent.offset - at, hashers, watch)?;
        at = extent.offset;
        while at < extent.end() {
            let left = usize::try_from(extent.end() - at).unwrap_or(usize::MAX);
            let mut block = vec![0; left.min(view.block())];
            view.read_data(at, &mut block)?;
            at += block.len() as u64;
            send(&Block::Data(Arc::new(block)), hashers, watch)?;
        }
    }
    zeros(view.size() - at, hashers, watch)
}

fn zeros(mut length: u64, hashers: &Hashers<'_>, watch: &dyn Watch) -> Result<()> {
    while length > 0 {
        let run = length.min(ZERO_RUN);
        send(&Block::Zeros(run), hashers, watch)?;
        length -= run;
    }
    Ok(())
}

fn send(block: &Block, hashers: &Hashers<'_>, watch: &dyn Watch) -> Result<()> {
    check_cancelled(watch)?;
    hashers.send(block)?;
    watch.advanced(match block {
        Block::Data(bytes) => bytes.len() as u64,
        Block::Zeros(length) => *length,
    });
    Ok(())
}

/// Fails when a pass is to stop.
pub(super) fn check_cancelled(watch: &dyn Watch) -> Result<()> {
    if watch.cancelled() {
        return Err(Error::new(Kind::Cancelled, "reading the disk image was stopped"));
    }
    Ok(())
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

    const ALL: Wanted = Wanted { file_sha512: true, given_sha256: true, given_sha512: true };

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
        assert_eq!(found.given_sha256.as_ref(), Some(found.content.as_bytes()));
        assert_eq!(found.given_sha512, found.file_sha512);
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
        assert_eq!((found.file_sha512, found.given_sha256, found.given_sha512), (None, None, None));
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
