//! Small disks with known content.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::{Digest, hex};
use crate::disk::{Disk, DiskSource, Format};
use crate::error::{Error, Kind, Result};

/// Bytes of a sample: large enough for several parts and a hole.
const SIZE: usize = 1 << 20;

/// A small raw disk without a partition table, and what is known of it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The open disk.
    pub disk: Arc<Disk>,
    /// Its content's digest, computed from the pattern and not from the file.
    pub digest: Digest,
    /// sha512 of the file, 128 hex digits, computed likewise.
    pub sha512: String,
}

impl Sample {
    /// Writes a disk with a pattern of `seed` into a folder: data, a hole of half its size, data.
    ///
    /// # Errors
    /// [`Kind::Storage`] when the folder cannot be written to.
    pub fn write(folder: &Path, name: &str, seed: u8) -> Result<Self> {
        let path = folder.join(name);
        let content = pattern(seed);
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&path)?;
            let quarter = SIZE / 4;
            let (head, tail) = (content.get(..quarter), content.get(quarter * 3..));
            file.write_all(head.unwrap_or_default())?;
            file.seek(SeekFrom::Start((quarter * 3) as u64))?;
            file.write_all(tail.unwrap_or_default())?;
            file.sync_all()
        };
        written().map_err(|error| {
            Error::new(Kind::Storage, "a sample disk could not be written")
                .with("file", path.display())
                .caused_by(error)
                .hint("give the fixture a folder that can be written to")
        })?;
        let digest = Digest::from_bytes(Sha256::digest(&content).into());
        let sha512 = hex(&Sha512::digest(&content));
        let disk = Disk::open(&DiskSource::new(path, Format::Raw))?;
        Ok(Self { disk: Arc::new(disk), digest, sha512 })
    }
}

/// Bytes that never repeat within a page, with zeros in the middle half.
fn pattern(seed: u8) -> Vec<u8> {
    let byte = |at: usize| {
        let mixed = at.wrapping_mul(2_654_435_761).wrapping_add(usize::from(seed).wrapping_mul(977)) >> 7;
        u8::try_from(mixed % 251).unwrap_or_default()
    };
    let hole = SIZE / 4..SIZE / 4 * 3;
    (0..SIZE).map(|at| if hole.contains(&at) { 0 } else { byte(at) }).collect()
}
