//! The disk in parts, each with its sha256.
//!
//! Sizes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_publish_core::disk::Disk;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;
use futures::stream::{StreamExt, TryStreamExt, iter};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

/// The smallest part that we send: large enough for few requests, small enough for a line that breaks.
const SMALLEST: u64 = 16 << 20;

/// More parts S3 does not take.
const MOST: u64 = 10_000;

const MIB: u64 = 1 << 20;

/// Memory for parts on their way.
const MEMORY: u64 = 64 << 20;

/// Parts on their way at one time, at most.
const AT_ONCE: u64 = 4;

/// The sha256 of a part.
pub(super) type Sum = [u8; 32];

/// A part of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// From 1.
    pub(super) number: i32,
    /// In bytes.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

/// Bytes of each part but the last.
pub(super) fn part_size(size: u64) -> u64 {
    size.div_ceil(MOST).next_multiple_of(MIB).max(SMALLEST)
}

/// The parts of a disk of so many bytes.
pub(super) fn split(size: u64) -> impl Iterator<Item = Part> {
    let each = part_size(size);
    (1..=i32::MAX).zip(0..size.div_ceil(each)).map(move |(number, index)| {
        let offset = index.saturating_mul(each);
        Part { number, offset, length: size.saturating_sub(offset).min(each) }
    })
}

/// How many parts may be on their way at one time.
pub(super) fn at_once(size: u64) -> usize {
    usize::try_from((MEMORY / part_size(size)).clamp(1, AT_ONCE)).unwrap_or(1)
}

/// Reads a part, off the asynchronous threads; holes become zeros without being read.
pub(super) async fn read(disk: &Arc<Disk>, part: Part) -> Result<(Bytes, Sum)> {
    let disk = Arc::clone(disk);
    let read = spawn_blocking(move || {
        let mut data = vec![0; usize::try_from(part.length).unwrap_or(usize::MAX)];
        disk.read_at(part.offset, &mut data)?;
        let sum = Sha256::digest(&data).into();
        Ok((Bytes::from(data), sum))
    });
    read.await.map_err(|error| Error::new(Kind::Unexpected, "reading the disk image was abandoned").caused_by(error))?
}

/// The sums of all parts, in order.
pub(super) async fn sums(context: &Context, disk: &Arc<Disk>) -> Result<Vec<Sum>> {
    let size = disk.virtual_size();
    let mut reads = Vec::new();
    for part in split(size) {
        reads.push(async move {
            context.check()?;
            read(disk, part).await.map(|(_, sum)| sum)
        });
    }
    iter(reads).buffered(at_once(size)).try_collect().await
}

/// A sum as S3 writes it.
pub(super) fn encode(sum: &Sum) -> String {
    STANDARD.encode(sum)
}

/// The checksum of the whole, as S3 computes it of an upload in parts: the sha256 of the parts' sha256 sums, and their
/// number. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
pub(super) fn composite(sums: &[Sum]) -> String {
    format!("{}-{}", STANDARD.encode(Sha256::digest(sums.concat())), sums.len())
}

#[cfg(test)]
mod tests {
    use super::{MIB, MOST, Part, at_once, composite, part_size, split};

    #[test]
    fn parts_cover_the_disk_without_gap_or_overlap() {
        for size in [512, 16 * MIB, 16 * MIB + 512, 40 * MIB, 200_000 * MIB + 512] {
            let mut end = 0;
            for (part, number) in split(size).zip(1..) {
                assert_eq!((part.number, part.offset), (number, end));
                end += part.length;
            }
            assert_eq!(end, size);
        }
        assert_eq!(split(512).collect::<Vec<_>>(), [Part { number: 1, offset: 0, length: 512 }]);
    }

    #[test]
    fn even_the_largest_disk_has_as_many_parts_as_s3_takes_and_fits_in_memory() {
        for size in [1, 160_000 * MIB, 2 << 40, 64 << 40] {
            assert!(size.div_ceil(part_size(size)) <= MOST);
            assert!(at_once(size) == 1 || u64::try_from(at_once(size)).unwrap() * part_size(size) <= 64 * MIB);
        }
        assert_eq!((part_size(40 * MIB), at_once(40 * MIB)), (16 * MIB, 4));
    }

    #[test]
    fn the_whole_is_the_sum_of_sums() {
        // sha256 of 32 zero bytes.
        assert_eq!(composite(&[[0; 32]]), "Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU=-1");
    }
}
