//! Proof: the file is opened as what its name says and its content is hashed again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::layout::format_of;
use super::site::{Site, blocking};
use crate::disk::{Disk, DiskSource, Expected, Format, Wanted, Watch};
use crate::error::Result;
use crate::publisher::{Context, Progress, Proof, ProveRequest};

/// Reads the whole file; see [`crate::publisher::Publisher::prove`].
pub(super) async fn prove(site: &Arc<Site>, context: &Context, request: &ProveRequest) -> Result<Proof> {
    let stop = context.cancellation().child_token();
    // When this future is dropped the thread must not go on reading.
    let _guard = stop.clone().drop_guard();
    let (at, progress) = (request.at.clone(), Arc::clone(context.progress()));
    let read = blocking(site, context, move |site| {
        let found = site.own(&at)?;
        let (format, packing) = format_of(&found.file).unwrap_or((Format::Raw, None));
        let source = DiskSource::new(found.path(), format);
        let source = match packing {
            Some(packing) => source.packed(packing, site.layout.tmp()),
            None => source,
        };
        let follower =
            |total| Follower { stop: stop.clone(), progress: progress.clone(), done: AtomicU64::new(0), total };
        let disk = Disk::open_watched(&source, Wanted::default(), &follower(found.size()?))?;
        let follower = follower(disk.work(Wanted::default()));
        let digests = disk.verify(&Expected::default(), Wanted::default(), &follower)?;
        Ok(Proof::Content { digest: digests.content })
    });
    context.or_cancelled(read).await?
}

/// Hands progress on and asks whether to stop.
struct Follower {
    stop: CancellationToken,
    progress: Arc<dyn Progress>,
    done: AtomicU64,
    total: u64,
}

impl Watch for Follower {
    fn advanced(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advanced(done, self.total);
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}
