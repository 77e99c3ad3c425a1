//! Writes guest clusters in their order, and the tables that lead to them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::layout::{CLUSTER, L2_ENTRIES, Layout};
use super::space::Space;
use crate::error::{Error, Kind, Result};

/// Set in an entry whose cluster nobody else refers to.
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
/// Where the number of further sectors is in the entry of a deflated cluster.
const SECTORS_SHIFT: u32 = 54;

/// One guest cluster.
#[derive(Debug)]
pub(super) enum Cluster {
    Zeros,
    Deflated(Vec<u8>),
    Plain(Vec<u8>),
}

/// An image that is being written.
pub(super) struct Writer {
    file: File,
    layout: Layout,
    space: Space,
    /// The guest cluster that comes next.
    at: u64,
    /// The L2 table of the region that `at` is in.
    l2: Vec<u64>,
    l1: Vec<u64>,
    /// The refcount table.
    counts: Vec<u64>,
}

impl Writer {
    pub(super) fn new(file: File, size: u64) -> Self {
        let layout = Layout::new(size);
        let (l2, l1) = (vec![0; L2_ENTRIES], Vec::new());
        Self { file, layout, space: Space::new(&layout), at: 0, l2, l1, counts: Vec::new() }
    }

    /// Leaves out so many bytes of zeros, whole clusters except at the end.
    pub(super) fn skip(mut self, bytes: u64) -> Result<Self> {
        let mut left = bytes.div_ceil(CLUSTER as u64);
        while left > 0 {
            let region = L2_ENTRIES as u64;
            let step = left.min(region - self.at % region);
            self.advance(step)?;
            left -= step;
        }
        Ok(self)
    }

    pub(super) fn put(mut self, clusters: Vec<Cluster>) -> Result<Self> {
        for cluster in clusters {
            let entry = match cluster {
                Cluster::Zeros => 0,
                Cluster::Plain(bytes) => {
                    let at = self.space.cluster();
                    self.write(at, &bytes)?;
                    COPIED | at
                }
                Cluster::Deflated(bytes) => {
                    let length = bytes.len() as u64;
                    let at = self.space.bytes(length);
                    self.write(at, &bytes)?;
                    let sectors = (at + length - 1) / 512 - at / 512;
                    COMPRESSED | sectors << SECTORS_SHIFT | at
                }
            };
            let index = usize::try_from(self.at % L2_ENTRIES as u64).unwrap_or(usize::MAX);
            if let Some(place) = self.l2.get_mut(index) {
                *place = entry;
            }
            self.advance(1)?;
        }
        Ok(self)
    }

    /// Goes on by clusters of one region; at its end the L2 table is written.
    fn advance(&mut self, clusters: u64) -> Result<()> {
        self.at += clusters;
        if self.at.is_multiple_of(L2_ENTRIES as u64) { self.close_region() } else { Ok(()) }
    }

    fn close_region(&mut self) -> Result<()> {
        if self.l2.iter().all(|entry| *entry == 0) {
            self.l1.push(0);
        } else {
            let at = self.space.cluster();
            self.write(at, &table(&self.l2))?;
            self.l1.push(COPIED | at);
            self.l2.fill(0);
        }
        self.settle(false)
    }

    fn settle(&mut self, all: bool) -> Result<()> {
        for (region, counts) in self.space.settled(all) {
            let at = counts.cluster * CLUSTER as u64;
            self.write(at, &counts.to_bytes())?;
            let index = usize::try_from(region).unwrap_or(usize::MAX);
            if index >= self.counts.len() {
                self.counts.resize(index + 1, 0);
            }
            if let Some(entry) = self.counts.get_mut(index) {
                *entry = at;
            }
        }
        Ok(())
    }

    /// Writes the tables, the header last; returns the size of the file.
    pub(super) fn finish(mut self) -> Result<u64> {
        if !self.at.is_multiple_of(L2_ENTRIES as u64) {
            self.close_region()?;
        }
        self.settle(true)?;
        let size = self.space.size();
        self.file.set_len(size).map_err(cannot_write)?;
        self.write(self.layout.refcount_table(), &table(&self.counts))?;
        self.write(self.layout.l1(), &table(&self.l1))?;
        self.write(0, &self.layout.header())?;
        Ok(size)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, at).map_err(cannot_write)
    }
}

fn table(entries: &[u64]) -> Vec<u8> {
    entries.iter().flat_map(|entry| entry.to_be_bytes()).collect()
}

fn cannot_write(error: std::io::Error) -> Error {
    Error::new(Kind::Storage, "could not write the qcow2 image")
        .hint("see the cause, mend it, then run the same command again")
        .caused_by(error)
}
