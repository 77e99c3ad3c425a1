//! Hashing beside reading: each hash on a thread of its own, fed through a bounded channel.
//!
//! Memory is a few blocks whatever the size of the disk. The zeros of holes are one static block, hashed as often as
//! needed.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use sha2::{Digest, Sha256, Sha512};

use crate::error::{Error, Kind, Result};

/// Blocks that wait for one hasher. With the one it works on and the one being read, at most four are alive.
const WAITING: usize = 2;
pub(super) static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Which hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    pub(super) sha256: bool,
    pub(super) sha512: bool,
}

impl Hashes {
    pub(super) fn any(self) -> bool {
        self.sha256 || self.sha512
    }

    /// These, without those that are known.
    pub(super) fn without(self, known: &Sums) -> Self {
        Self { sha256: self.sha256 && known.sha256.is_none(), sha512: self.sha512 && known.sha512.is_none() }
    }
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) sha512: Option<[u8; 64]>,
}

impl Sums {
    pub(super) fn or(self, other: &Self) -> Self {
        Self { sha256: self.sha256.or(other.sha256), sha512: self.sha512.or(other.sha512) }
    }
}

/// A piece of what is hashed.
#[derive(Clone)]
pub(super) enum Block {
    Data(Arc<Vec<u8>>),
    Zeros(u64),
}

/// The threads that hash one sequence of blocks; without any hash, blocks go nowhere.
pub(super) struct Hashers<'scope> {
    sinks: Vec<SyncSender<Block>>,
    sha256: Option<ScopedJoinHandle<'scope, [u8; 32]>>,
    sha512: Option<ScopedJoinHandle<'scope, [u8; 64]>>,
}

impl<'scope> Hashers<'scope> {
    pub(super) fn start(scope: &'scope Scope<'scope, '_>, wanted: Hashes) -> Result<Self> {
        let mut sinks = Vec::new();
        let mut feed = |wanted: bool| {
            let (sink, blocks) = sync_channel(WAITING);
            wanted.then(|| sinks.push(sink)).map(|()| blocks)
        };
        let sha256 = feed(wanted.sha256).map(|blocks| spawn(scope, || hash::<Sha256>(blocks).into()));
        let sha512 = feed(wanted.sha512).map(|blocks| spawn(scope, || hash::<Sha512>(blocks).into()));
        Ok(Self { sinks, sha256: sha256.transpose()?, sha512: sha512.transpose()? })
    }

    pub(super) fn send(&self, block: &Block) -> Result<()> {
        self.sinks.iter().try_for_each(|sink| sink.send(block.clone()).map_err(|_| lost()))
    }

    /// Waits for the threads.
    pub(super) fn finish(self) -> Result<Sums> {
        drop(self.sinks);
        Ok(Sums { sha256: self.sha256.map(join).transpose()?, sha512: self.sha512.map(join).transpose()? })
    }
}

fn hash<D: Digest>(blocks: Receiver<Block>) -> sha2::digest::Output<D> {
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

/// Starts a thread of a digest pass.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    let started = Builder::new().name("digest".to_owned()).spawn_scoped(scope, work);
    started.map_err(|error: io::Error| Error::new(Kind::Storage, "could not start a thread").caused_by(error))
}

pub(super) fn join<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T> {
    handle.join().map_err(|_| lost())
}

pub(super) fn lost() -> Error {
    Error::new(Kind::Unexpected, "a thread that computes digests ended early")
}
