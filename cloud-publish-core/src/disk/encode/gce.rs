//! The tarball that Google Compute Engine makes images of: one `disk.raw` of whole GiB in a `.tar.gz`.
//!
//! Rules: <https://cloud.google.com/compute/docs/import/import-existing-image#requirements_for_the_image_file>.
//!
//! # Why the member is not sparse
//! GNU tar's sparse form (`S`) needs the map of all data before the first byte, that is a second reading of the disk,
//! because the file system's holes may not decide about the bytes. A plain header needs none, is what Google's own
//! `gce_export` writes and what every reader knows. Deflated zeros are a thousandth of their size: 0.1 % of the holes
//! is the price.

use std::sync::Arc;

use futures::stream;

use super::blocks::Cut;
use super::deflate::Level;
use super::encoded::Encoded;
use super::gzip::{Around, gzip};
use super::tar::{RECORD, header};
use crate::disk::image::Disk;

const GIB: u64 = 1 << 30;

/// The disk as a tarball for Google Compute Engine.
///
/// # Behaviour
/// As all [encoders](super); [`Encoded::length`] is unknown. The checksum that Google Cloud Storage wants (CRC32C) is
/// the consumer's to compute from the chunks.
pub fn gce_tar_gz(disk: Arc<Disk>, level: Level) -> Encoded {
    let cut = Cut::new(gce_size(disk.virtual_size()));
    tar_gz(disk, cut, level)
}

/// Packs up to the end of the cut.
pub(super) fn tar_gz(disk: Arc<Disk>, cut: Cut, level: Level) -> Encoded {
    // Two empty records end an archive.
    let around = Around { head: gce_tar_header(cut.end).to_vec(), tail: vec![0; 2 * RECORD] };
    match gzip(disk, (cut, level), around) {
        Ok(parts) => Encoded::new(None, cut.end, parts),
        Err(error) => Encoded::new(None, cut.end, stream::iter([Err(error)])),
    }
}

/// The size of `disk.raw`: rounded up to a whole GiB.
pub fn gce_size(virtual_size: u64) -> u64 {
    virtual_size.next_multiple_of(GIB)
}

/// The header of the archive's one member; its data follows, then zeros.
pub fn gce_tar_header(size: u64) -> [u8; 512] {
    header(b"disk.raw", size)
}
