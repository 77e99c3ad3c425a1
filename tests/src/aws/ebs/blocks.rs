//! The content of a snapshot: blocks of 512 KiB, kept as they arrived.
//!
//! A snapshot's blocks have a lock of their own, so that thousands of them can be written while the rest of the world
//! goes on; nothing is hashed or copied under it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Bytes of a block: <https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-elements.html>.
pub(crate) const BLOCK: usize = 512 * 1024;

/// How many blocks a GiB has.
pub(crate) const BLOCKS_OF_GIB: u64 = 2048;

/// One block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// 512 KiB.
    pub(crate) data: Bytes,
    /// Their sha256.
    pub(crate) sha256: [u8; 32],
}

impl Block {
    /// Hashes a block.
    pub(crate) fn new(data: Bytes) -> Self {
        let sha256 = Sha256::digest(&data).into();
        Self { data, sha256 }
    }
}

/// The blocks of a snapshot and of its copies.
#[derive(Debug)]
pub(crate) struct Blocks(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    all: BTreeMap<u32, Block>,
    /// Those that were written since the snapshot was started.
    written: BTreeSet<u32>,
    sealed: bool,
    touched: Timestamp,
}

/// What was written, to compare with what the client believes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// How many blocks.
    pub(crate) count: u64,
    /// The sha256 of their sha256s, one after another in the order of the blocks: the aggregation method LINEAR.
    pub(crate) linear: [u8; 32],
}

impl Blocks {
    /// No block yet.
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self(Mutex::new(Inner { all: BTreeMap::new(), written: BTreeSet::new(), sealed: false, touched: now }))
    }

    /// Begins with the blocks of another snapshot.
    pub(crate) fn of_parent(parent: &Self, now: Timestamp) -> Self {
        let all = parent.lock().all.clone();
        Self(Mutex::new(Inner { all, written: BTreeSet::new(), sealed: false, touched: now }))
    }

    /// A whole raw disk of so many bytes, read by start and length. Blocks of zeros are left out, the last one is filled
    /// up with zeros.
    pub(crate) fn of_raw(bytes: u64, read: impl Fn(u64, u64) -> Bytes, now: Timestamp) -> Self {
        let (block, zeros) = (BLOCK as u64, vec![0_u8; BLOCK]);
        let mut all = BTreeMap::new();
        for index in 0..bytes.div_ceil(block) {
            let start = index * block;
            let mut data = read(start, block.min(bytes - start));
            if data[..] == zeros[..data.len()] {
                continue;
            }
            if data.len() < BLOCK {
                data = Bytes::from([&data[..], &zeros[data.len()..]].concat());
            }
            all.insert(u32::try_from(index).expect("at most 64 TiB"), Block::new(data));
        }
        Self(Mutex::new(Inner { all, written: BTreeSet::new(), sealed: true, touched: now }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics with blocks in its hands")
    }

    /// Writes a block, again if need be. Tells whether it was still possible.
    pub(crate) fn put(&self, index: u32, block: Block, now: Timestamp) -> bool {
        let mut inner = self.lock();
        if inner.sealed {
            return false;
        }
        inner.all.insert(index, block);
        inner.written.insert(index);
        inner.touched = now;
        true
    }

    /// What has been written.
    pub(crate) fn written(&self) -> Written {
        let inner = self.lock();
        let mut linear = Sha256::new();
        for block in inner.written.iter().filter_map(|index| inner.all.get(index)) {
            linear.update(block.sha256);
        }
        Written { count: inner.written.len() as u64, linear: linear.finalize().into() }
    }

    /// Ends writing.
    pub(crate) fn seal(&self) {
        self.lock().sealed = true;
    }

    /// A block, if there is one; those that were never written are zeros.
    pub(crate) fn get(&self, index: u32) -> Option<Block> {
        self.lock().all.get(&index).cloned()
    }

    /// The indexes of all blocks from `start` on.
    pub(crate) fn indexes(&self, start: u32) -> Vec<u32> {
        self.lock().all.range(start..).map(|(index, _)| *index).collect()
    }

    /// How many blocks there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().all.len()
    }

    /// A hash of all blocks and their places, in hex: the same for the same content. Blocks of zeros count.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (index, block) in &self.lock().all {
            hash.update(index.to_be_bytes());
            hash.update(block.sha256);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.count() * BLOCK
    }

    /// Whether it is not sealed and nothing was written for so many milliseconds.
    pub(crate) fn is_abandoned(&self, now: Timestamp, timeout: u64) -> bool {
        let inner = self.lock();
        !inner.sealed && crate::aws::ec2::later(inner.touched, timeout) < now
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::{BLOCK, Block, Blocks};

    #[test]
    fn a_raw_disk_keeps_what_is_not_zero_and_is_filled_up() {
        let mut raw = vec![0; 3 * BLOCK + 1];
        raw[BLOCK] = 1;
        raw[3 * BLOCK] = 2;
        let raw = Bytes::from(raw);
        let read = |start: u64, length: u64| {
            let [start, length] = [start, length].map(|number| usize::try_from(number).unwrap());
            raw.slice(start..start + length)
        };
        let blocks = Blocks::of_raw(raw.len() as u64, read, Timestamp::UNIX_EPOCH);
        assert_eq!(blocks.indexes(0), [1, 3]);
        assert_eq!(blocks.get(3).unwrap().data.len(), BLOCK);
    }

    #[test]
    fn nothing_is_written_after_the_seal() {
        let now = Timestamp::UNIX_EPOCH;
        let blocks = Blocks::empty(now);
        assert!(blocks.put(0, Block::new(Bytes::from_static(b"a")), now));
        blocks.seal();
        assert!(!blocks.put(1, Block::new(Bytes::from_static(b"b")), now));
        assert_eq!(blocks.written().count, 1);
    }
}
