//! The qcow2 header: the fields that decide whether the image is taken at all.

use super::{damaged, refused};
use crate::disk::field::{be32, be64, bytes};
use crate::disk::size::check_size;
use crate::disk::source::Source;
use crate::disk::view::View;
use crate::error::Result;

/// Of version 3, with the byte of the compression type; what a version 2 image has there is not looked at.
const HEADER_SIZE: usize = 112;
const MIN_V3_LENGTH: u32 = 104;
/// A million L2 tables: 32 GiB of the smallest clusters, 512 TiB of the usual ones. QEMU's limit is four times as much, and
/// a file of holes could have it, which every reader would have to hold in memory.
const MAX_L1: u64 = 8 << 20;
/// QEMU's limit, in bytes.
const MAX_REFCOUNT_TABLE: u64 = 8 << 20;

const EXTENSIONS_END: u32 = 0;
const FEATURE_NAMES: u32 = 0x6803_f857;
const FEATURE_NAME_SIZE: u32 = 48;

/// The incompatible features that have a name. A reader must refuse bits that it does not know.
const INCOMPATIBLE: [(u64, &str); 5] = [
    (1 << 0, "it was not closed properly (dirty bit): repair it with `qemu-img check -r all`"),
    (1 << 1, "it is marked as corrupt"),
    (1 << 2, "its data is in another file (external data file)"),
    (1 << 3, "its clusters are not compressed with zlib (zstd is not supported)"),
    (1 << 4, "it has extended L2 entries (subclusters), which are not supported"),
];

/// A table whose place and length are in the header, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The checked header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) cluster_bits: u32,
    /// Size of the disk, in bytes; not 0, a multiple of 512, within the limit.
    pub(super) size: u64,
    /// All entries that the header announces.
    pub(super) l1: Table,
    pub(super) refcounts: Table,
}

impl Header {
    /// Reads and checks the header of `file`.
    pub(super) fn read(file: &Source, max_size: u64) -> Result<Self> {
        if file.size() < HEADER_SIZE as u64 {
            return Err(damaged("it is shorter than a header"));
        }
        let mut raw = [0; HEADER_SIZE];
        file.read(0, &mut raw)?;
        let header = Self::parse(&raw)?;
        check_size(header.size, max_size)?;
        header.check_tables(file.size())?;
        if header.version == 3 {
            header.check_extensions(file, u64::from(be32(&raw, 100)))?;
        }
        Ok(header)
    }

    fn parse(raw: &[u8; HEADER_SIZE]) -> Result<Self> {
        let (version, cluster_bits) = (be32(raw, 4), be32(raw, 20));
        if !matches!(version, 2 | 3) {
            return Err(refused(format_args!("version {version} is unknown, only 2 and 3 are")));
        }
        if !(9..=21).contains(&cluster_bits) {
            return Err(damaged("its cluster size is not between 512 bytes and 2 MiB"));
        }
        if be64(raw, 8) != 0 || be32(raw, 16) != 0 {
            return Err(refused("it needs a backing file"));
        }
        if be32(raw, 32) != 0 {
            return Err(refused("it is encrypted"));
        }
        if be32(raw, 60) != 0 {
            return Err(refused("it has internal snapshots, which would be published with it"));
        }
        if version == 3 {
            check_v3(raw, cluster_bits)?;
        }
        let clusters = u64::from(be32(raw, 56));
        Ok(Self {
            version,
            cluster_bits,
            size: be64(raw, 24),
            l1: Table { offset: be64(raw, 40), length: u64::from(be32(raw, 36)) * 8 },
            refcounts: Table { offset: be64(raw, 48), length: clusters << cluster_bits },
        })
    }

    pub(super) fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// How much of the disk one L2 table describes, in bytes.
    pub(super) fn l2_span(&self) -> u64 {
        self.cluster() << (self.cluster_bits - 3)
    }

    fn check_tables(&self, file_size: u64) -> Result<()> {
        for (table, name, max) in
            [(self.l1, "L1 table", MAX_L1), (self.refcounts, "refcount table", MAX_REFCOUNT_TABLE)]
        {
            if table.length == 0 || table.length > max {
                return Err(damaged(format_args!("its {name} has an impossible length")).with("bytes", table.length));
            }
            if table.offset == 0 || !table.offset.is_multiple_of(self.cluster()) {
                return Err(damaged(format_args!("its {name} is not at a cluster")).with("offset", table.offset));
            }
            if table.offset.checked_add(table.length).is_none_or(|end| end > file_size) {
                return Err(damaged(format_args!("its {name} reaches past the end of the file")));
            }
        }
        if self.size.div_ceil(self.l2_span()) > self.l1.length / 8 {
            return Err(damaged("its L1 table is too short for its disk"));
        }
        Ok(())
    }

    /// Walks the header extensions: all inside the first cluster, no odd lengths where a reader trusts them.
    fn check_extensions(&self, file: &Source, header_length: u64) -> Result<()> {
        let mut at = header_length;
        loop {
            if at + 8 > self.cluster().min(file.size()) {
                return Err(damaged("its header extensions do not end"));
            }
            let mut raw = [0; 8];
            file.read(at, &mut raw)?;
            let (kind, length) = (be32(&raw, 0), be32(&raw, 4));
            if kind == FEATURE_NAMES && !length.is_multiple_of(FEATURE_NAME_SIZE) {
                return Err(damaged("its list of feature names is cut"));
            }
            at += 8 + u64::from(length).next_multiple_of(8);
            if at > self.cluster() {
                return Err(damaged("its header extensions do not end"));
            }
            if kind == EXTENSIONS_END {
                return Ok(());
            }
        }
    }
}

fn check_v3(raw: &[u8; HEADER_SIZE], cluster_bits: u32) -> Result<()> {
    let (incompatible, refcount_order, length) = (be64(raw, 72), be32(raw, 96), be32(raw, 100));
    if let Some((_, why)) = INCOMPATIBLE.iter().find(|(bit, _)| incompatible & bit != 0) {
        return Err(refused(why));
    }
    if incompatible != 0 {
        return Err(refused("it has incompatible features that are unknown").with("bits", format!("{incompatible:#x}")));
    }
    if refcount_order > 6 {
        return Err(damaged("its refcounts have an impossible width"));
    }
    if length < MIN_V3_LENGTH || length > 1 << cluster_bits || !length.is_multiple_of(8) {
        return Err(damaged("its header has an impossible length").with("bytes", length));
    }
    if length > MIN_V3_LENGTH && bytes(raw, 104) != [0] {
        return Err(damaged("its compression type contradicts its features"));
    }
    Ok(())
}
