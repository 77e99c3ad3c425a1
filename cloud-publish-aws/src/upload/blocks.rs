//! The disk as blocks: which may hold data, and each of them read, compared with zeros and hashed, in order.

use std::sync::Arc;

use bytes::Bytes;
use cloud_publish_core::disk::{Disk, Extent};
use cloud_publish_core::error::{Error, Kind, Result};
use futures::stream::{self, Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::ranges::Ranges;
use crate::ebs::{BLOCK, BLOCK_SIZE};

/// Blocks read ahead, each on a thread of its own while it is hashed.
const AHEAD: usize = 4;

static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A block that is not all zeros.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) index: u32,
    /// [`BLOCK`] bytes; past the disk's end they are zeros.
    pub(super) data: Bytes,
    pub(super) sha256: [u8; 32],
}

/// The blocks that these extents touch.
pub(super) fn touched(extents: &[Extent]) -> Ranges {
    let mut blocks = Ranges::default();
    for extent in extents {
        let (first, end) = (extent.offset / BLOCK_SIZE, extent.end().div_ceil(BLOCK_SIZE));
        blocks.add(index(first), index(end));
    }
    blocks
}

/// The largest volume has 2^27 blocks, and larger disks are refused before.
fn index(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The blocks that may hold data.
///
/// # Errors
/// As [`Disk::extents`].
pub(super) async fn of(disk: &Arc<Disk>) -> Result<Ranges> {
    let disk = Arc::clone(disk);
    off_thread(move || disk.extents().map(|extents| touched(&extents))).await
}

/// Reads these blocks in their order; `None` in place of one that is all zeros.
pub(super) fn read(disk: Arc<Disk>, blocks: &Ranges) -> impl Stream<Item = Result<Option<Block>>> + Send + use<> {
    let indexes: Vec<(u32, u32)> = blocks.iter().collect();
    let each = indexes.into_iter().flat_map(|(start, end)| start..end);
    stream::iter(each).map(move |index| read_one(Arc::clone(&disk), index)).buffered(AHEAD)
}

/// Reads one block.
///
/// # Errors
/// As [`Disk::read_at`].
pub(super) async fn read_one(disk: Arc<Disk>, index: u32) -> Result<Option<Block>> {
    off_thread(move || {
        let offset = u64::from(index).saturating_mul(BLOCK_SIZE);
        let length = disk.virtual_size().saturating_sub(offset).min(BLOCK_SIZE);
        let mut data = vec![0; BLOCK];
        if let Some(part) = data.get_mut(..usize::try_from(length).unwrap_or(BLOCK)) {
            disk.read_at(offset, part)?;
        }
        if data == ZEROS {
            return Ok(None);
        }
        let sha256 = Sha256::digest(&data).into();
        Ok(Some(Block { index, data: Bytes::from(data), sha256 }))
    })
    .await
}

/// Refuses a disk that was written to since it was verified.
///
/// # Errors
/// As [`Disk::check_unchanged`].
pub(super) async fn unchanged(disk: &Arc<Disk>) -> Result<()> {
    let disk = Arc::clone(disk);
    off_thread(move || disk.check_unchanged()).await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| Error::new(Kind::Unexpected, "reading the disk image was abandoned").caused_by(error))?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;
    use std::sync::Arc;

    use cloud_publish_core::disk::{Disk, DiskSource, Extent, Format};
    use futures::stream::TryStreamExt as _;
    use sha2::{Digest as _, Sha256};

    use super::{Block, of, read, touched};
    use crate::ebs::{BLOCK, BLOCK_SIZE};

    const SECTOR: u64 = 512;

    /// The last block is a single sector.
    fn disk(pieces: &[(u64, &[u8])]) -> Arc<Disk> {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(8 * BLOCK_SIZE + SECTOR).unwrap();
        pieces.iter().for_each(|(at, piece)| file.as_file().write_all_at(piece, *at).unwrap());
        Arc::new(Disk::open(&DiskSource::new(file.path(), Format::Raw)).unwrap())
    }

    async fn blocks(disk: &Arc<Disk>) -> Vec<Block> {
        let found: Vec<_> = read(Arc::clone(disk), &of(disk).await.unwrap()).try_collect().await.unwrap();
        found.into_iter().flatten().collect()
    }

    #[tokio::test]
    async fn only_what_is_not_zero_comes_in_order_with_its_hash() {
        let disk = disk(&[(6 * BLOCK_SIZE, &[6; 100]), (BLOCK_SIZE - 1, &[1, 1]), (4 * BLOCK_SIZE, &[0; 100])]);
        let found = blocks(&disk).await;
        assert_eq!(found.iter().map(|block| block.index).collect::<Vec<_>>(), [0, 1, 6]);
        for block in found {
            assert_eq!(block.data.len(), BLOCK);
            assert_eq!(block.sha256, <[u8; 32]>::from(Sha256::digest(&block.data)));
        }
    }

    #[tokio::test]
    async fn the_last_block_is_filled_up_with_zeros() {
        let disk = disk(&[(8 * BLOCK_SIZE, &[9; 512])]);
        let found = blocks(&disk).await;
        let [last] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((last.index, last.data.len()), (8, BLOCK));
        assert!(last.data[..512].iter().all(|byte| *byte == 9) && last.data[512..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn extents_touch_every_block_they_reach_into() {
        let extents = [(0, 1), (BLOCK_SIZE - 1, 2), (5 * BLOCK_SIZE, BLOCK_SIZE)];
        let extents = extents.map(|(offset, length)| Extent { offset, length });
        assert_eq!(touched(&extents).iter().collect::<Vec<_>>(), [(0, 2), (5, 6)]);
    }
}
