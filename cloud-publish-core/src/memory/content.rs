//! What the cloud's side sees of a disk's bytes: their digest and how many there are. It keeps no bytes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::digest::Digest;
use crate::disk::{Disk, Wanted, Watch};
use crate::error::{Error, Kind, Result};
use crate::publisher::Context;

/// What a disk holds, read from the disk itself and never taken from its spec.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    /// sha256 of the raw content, holes included.
    pub(super) digest: Digest,
    /// Bytes in data extents: what would be sent.
    pub(super) data: u64,
}

struct UntilCancelled(CancellationToken);

impl Watch for UntilCancelled {
    fn advanced(&self, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Reads the whole disk on a thread that may block.
pub(super) async fn read(context: &Context, disk: &Arc<Disk>) -> Result<Content> {
    let disk = Arc::clone(disk);
    let watch = UntilCancelled(context.cancellation().clone());
    let reading = tokio::task::spawn_blocking(move || {
        let data = disk.extents()?.iter().map(|extent| extent.length).sum();
        Ok(Content { digest: disk.digests(Wanted::default(), &watch)?.content, data })
    });
    let read = context.or_cancelled(reading).await?;
    read.map_err(|error| Error::new(Kind::Unexpected, "reading the disk broke off").caused_by(error))?
}
