//! The tarball that Google Compute Engine makes images of: one `disk.raw` of whole GiB in a `.tar.gz`.
//!
//! Rules: <https://cloud.google.com/compute/docs/import/import-existing-image#requirements_for_the_image_file>.
//!
//! # Why the member is sparse
//! Google's own instructions say `tar --format=oldgnu -Sczf`, which stores no holes (`gce_export`, which stores them, is
//! read as well). Stored zeros would be a hundredth of a usual image, and hours of a mostly empty large disk. The price
//! is that the data must be read twice: the map of the holes comes first, and it may not depend on what a file system
//! happens to report. A hole in the map is a run of whole units of zeros; there are at most [`MOST_UNITS`] of them, so
//! that the map stays small.

use std::sync::Arc;

use futures::stream::{StreamExt as _, TryStreamExt as _, once};

use super::blocks::{BLOCK, Bench, Block, Cut, blocks};
use super::deflate::Level;
use super::encoded::Encoded;
use super::gzip::{Around, gzip};
use super::tar::{RECORD, member};
use crate::disk::extent::Extent;
use crate::disk::image::Disk;
use crate::error::Result;

const GIB: u64 = 1 << 30;

/// The most units that a disk is divided into to tell data from holes.
const MOST_UNITS: u64 = 8192;

/// The disk as a tarball for Google Compute Engine.
///
/// # Behaviour
/// As all [encoders](super); [`Encoded::length`] is unknown. Reads the disk's data twice. The checksum that Google Cloud
/// Storage wants (CRC32C) is the consumer's to compute from the chunks.
pub fn gce_tar_gz(disk: Arc<Disk>, level: Level) -> Encoded {
    let cut = Cut::new(gce_size(disk.virtual_size()));
    tar_gz(disk, cut, level)
}

/// Packs the one range of a cut.
pub(super) fn tar_gz(disk: Arc<Disk>, cut: Cut, level: Level) -> Encoded {
    let size = cut.ranges.iter().map(Extent::end).max().unwrap_or(0);
    let work = disk.virtual_size();
    let parts = once(async move {
        let at_once = cut.at_once;
        let ranges = data(Arc::clone(&disk), cut, size).await?;
        let packed: u64 = ranges.iter().map(|range| range.length).sum();
        // Two empty records end an archive.
        let (head, tail) = (member(b"disk.raw", size, &ranges), vec![0; 2 * RECORD]);
        gzip(disk, (Cut { ranges, at_once }, level), Around { head, holes: work.saturating_sub(packed), tail })
    });
    Encoded::new(None, work, parts.try_flatten())
}

/// The size of `disk.raw`: rounded up to a whole GiB.
pub fn gce_size(virtual_size: u64) -> u64 {
    virtual_size.next_multiple_of(GIB)
}

/// Where there is data, in whole units: a pure function of content and size.
async fn data(disk: Arc<Disk>, cut: Cut, size: u64) -> Result<Vec<Extent>> {
    let unit = size.div_ceil(MOST_UNITS).next_power_of_two().max(BLOCK as u64);
    let (mut at, mut found) = (0_u64, Vec::<Extent>::new());
    let mut blocks = std::pin::pin!(blocks(disk, cut, |_: &mut Bench<()>| Ok(())));
    while let Some(block) = blocks.next().await {
        match block? {
            Block::Zeros(length) => at += length,
            Block::Data(length, ()) => {
                let from = at - at % unit;
                let to = size.min(from + unit);
                match found.last_mut() {
                    Some(last) if last.end() >= from => last.length = to - last.offset,
                    _ => found.push(Extent { offset: from, length: to - from }),
                }
                at += length;
            }
        }
    }
    Ok(found)
}
