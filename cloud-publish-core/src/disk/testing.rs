//! Disks for tests: scratch files and a GPT builder that can lie.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::format::Format;
use super::gpt::crc32;
use super::image::{Disk, DiskSource};
use super::packed::Packing;
use super::source::Source;
use crate::error::Result;

/// A file in a folder of its own, removed with it.
pub(super) struct Scratch {
    _folder: TempDir,
    path: PathBuf,
}

impl Scratch {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let scratch = Self::sparse(0, &[]);
        fs::write(&scratch.path, bytes).unwrap();
        scratch
    }

    /// A file of `size` with some pieces of data, holes elsewhere.
    pub(super) fn sparse(size: u64, pieces: &[(u64, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let file = fs::File::create(&path).unwrap();
        file.set_len(size).unwrap();
        for (at, piece) in pieces {
            file.write_all_at(piece, *at).unwrap();
        }
        Self { _folder: folder, path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn source(&self) -> Source {
        Source::open(&self.path).unwrap()
    }

    pub(super) fn open(&self, format: Format) -> Result<Disk> {
        Disk::open(&DiskSource::new(&self.path, format))
    }

    /// A packed file, to be unpacked in a folder beside it.
    pub(super) fn packed(&self, format: Format, packing: Packing) -> DiskSource {
        DiskSource::new(&self.path, format).packed(packing, self.path.with_file_name("work"))
    }
}

/// Bytes that repeat late and have no zeros in a row.
pub(super) fn noise(length: usize) -> Vec<u8> {
    (0_u32..).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3] | 1).take(length).collect()
}

/// A disk of 1 MiB (512) or 8 MiB (4096) with a GPT whose checksums are right, whatever was patched.
pub(super) struct Gpt {
    pub(super) sector: usize,
    /// Type, first and last sector.
    pub(super) partitions: Vec<([u8; 16], u64, u64)>,
    pub(super) patch_primary: Vec<(usize, u32)>,
    pub(super) patch_backup: Vec<(usize, u32)>,
}

impl Gpt {
    pub(super) fn new(sector: usize) -> Self {
        let esp = [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
        let partitions = vec![(esp, 64, 1000), (*b"Hah!IdontNeedEFI", 40, 63)];
        Self { sector, partitions, patch_primary: Vec::new(), patch_backup: Vec::new() }
    }

    /// The primary header with a field of four bytes replaced.
    pub(super) fn patched(mut self, at: usize, value: u32) -> Self {
        self.patch_primary.push((at, value));
        self
    }

    pub(super) fn build(&self) -> Vec<u8> {
        let sectors = 2048;
        let mut disk = vec![0; sectors * self.sector];
        disk[446 + 4] = 0xee;
        disk[446 + 8] = 1;
        disk[446 + 12..446 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        let mut table = vec![0; 128 * 128];
        for (entry, (kind, first, last)) in table.chunks_exact_mut(128).zip(&self.partitions) {
            entry[..16].copy_from_slice(kind);
            entry[32..40].copy_from_slice(&first.to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        let last = sectors as u64 - 1;
        let length = table.len().div_ceil(self.sector) as u64;
        let backup = last - length;
        for (here, other, list, patches) in [(1, last, 2, &self.patch_primary), (last, 1, backup, &self.patch_backup)] {
            let mut header = [0; 92];
            header[..8].copy_from_slice(b"EFI PART");
            let words = [(8, 0x0001_0000), (12, 92), (80, 128), (84, 128), (88, crc32(&table))];
            let longs = [(24, here), (32, other), (40, 2 + length), (48, backup - 1), (72, list)];
            longs.iter().for_each(|(at, value)| header[*at..at + 8].copy_from_slice(&u64::to_le_bytes(*value)));
            for (at, value) in words.iter().chain(patches) {
                let end = 92.min(at + 4);
                header[*at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            }
            header[16..20].fill(0);
            let checksum = crc32(&header);
            header[16..20].copy_from_slice(&checksum.to_le_bytes());
            let at = usize::try_from(here).unwrap() * self.sector;
            disk[at..at + 92].copy_from_slice(&header);
            let at = usize::try_from(list).unwrap() * self.sector;
            disk[at..at + table.len()].copy_from_slice(&table);
        }
        disk
    }
}
