//! qcow2, version 3, with deflated clusters.
//!
//! Format: <https://www.qemu.org/docs/master/interop/qcow2.html>. Guest clusters of zeros are left out; of the others
//! each is deflated for itself and, unless that makes it larger, put behind the one before, across the borders of host
//! clusters. L2 tables follow the data that they describe; header, refcount table and L1 table have their place at the
//! start and are written last, so a file that was cut short is no qcow2 image at all. Memory is one L2 table and two
//! refcount blocks.

mod layout;
mod space;
mod writer;

use std::fs::File;
use std::sync::Arc;

use futures::stream::StreamExt;

use self::layout::CLUSTER;
use self::writer::{Cluster, Writer};
use super::blocks::{Bench, Block, Cut, blocking, blocks, is_zero};
use super::deflate::{Deflater, Level};
use crate::disk::image::Disk;
use crate::error::Result;

/// QEMU inflates with a window of 4 KiB.
const WINDOW_BITS: u8 = 12;

/// Writes the disk into an empty file as qcow2; returns the file's size in bytes.
///
/// # Behaviour
/// As all [encoders](super). `advanced` is told after each step how many bytes of the disk are done. The file is not
/// synced; when the future is dropped, at most one more MiB is written to it.
///
/// # Errors
/// As [`Disk::read_at`]; [`Kind::Storage`](crate::error::Kind::Storage) when the file cannot be written.
pub async fn write_qcow2(disk: Arc<Disk>, file: File, mut advanced: impl FnMut(u64) + Send) -> Result<u64> {
    let size = disk.virtual_size();
    write(disk, file, (Cut::new(size), &mut advanced)).await
}

pub(super) async fn write(disk: Arc<Disk>, file: File, how: (Cut, &mut (dyn FnMut(u64) + Send))) -> Result<u64> {
    let (cut, advanced) = how;
    let mut writer = Writer::new(file, disk.virtual_size());
    let mut clusters = std::pin::pin!(blocks(disk, cut, deflate));
    let mut done = 0;
    while let Some(block) = clusters.next().await {
        done += match block? {
            Block::Zeros(length) => {
                writer = blocking(move || writer.skip(length)).await?;
                length
            }
            Block::Data(length, clusters) => {
                writer = blocking(move || writer.put(clusters)).await?;
                length
            }
        };
        advanced(done);
    }
    blocking(move || writer.finish()).await
}

fn deflate(bench: &mut Bench<Option<Deflater>>) -> Result<Vec<Cluster>> {
    let deflater = bench.tools.get_or_insert_with(|| Deflater::with_window(Level::DEFAULT, WINDOW_BITS));
    let each = bench.block.chunks(CLUSTER).map(|cluster| {
        if is_zero(cluster) {
            return Ok(Cluster::Zeros);
        }
        // The last one may be short: its rest is zeros.
        let mut whole = cluster.to_vec();
        whole.resize(CLUSTER, 0);
        let deflated = deflater.finished(&whole)?;
        Ok(if deflated.len() < CLUSTER { Cluster::Deflated(deflated) } else { Cluster::Plain(whole) })
    });
    each.collect()
}
