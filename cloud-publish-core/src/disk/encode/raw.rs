//! Raw: the content, nothing else.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use super::ZEROS;
use super::blocks::{BLOCK, Bench, Block, Cut, blocks};
use super::encoded::{Encoded, Part};
use crate::disk::image::Disk;
use crate::error::Result;

/// The content of a disk, of whatever format its file is.
///
/// # Behaviour
/// As all [encoders](super); [`Encoded::length`] is the disk's size.
pub fn raw(disk: Arc<Disk>) -> Encoded {
    let size = disk.virtual_size();
    Encoded::new(Some(size), size, content(disk, Cut::new(size)))
}

/// The content in chunks, padded with zeros up to the end of the cut.
pub(super) fn content(disk: Arc<Disk>, cut: Cut) -> impl Stream<Item = Result<Part>> + Send + 'static {
    blocks(disk, cut, |bench: &mut Bench<()>| Ok(Bytes::from(std::mem::take(&mut bench.block))))
        .map_ok(chunks)
        .try_flatten()
}

fn chunks(block: Block<Bytes>) -> impl Stream<Item = Result<Part>> + Send + 'static {
    let (zeros, data) = match block {
        Block::Zeros(length) => (length, None),
        Block::Data(content, bytes) => (0, Some(Part { content, bytes })),
    };
    let zeros = (0..zeros).step_by(BLOCK).map(move |at| {
        let length = zeros - at;
        let part = usize::try_from(length).ok().and_then(|length| ZEROS.get(..length)).unwrap_or(&ZEROS);
        Part { content: part.len() as u64, bytes: Bytes::from_static(part) }
    });
    stream::iter(data.into_iter().chain(zeros)).map(Ok)
}
