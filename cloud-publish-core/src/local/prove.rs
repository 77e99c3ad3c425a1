//! Proof: the file is opened as what it should be, and the disk in it is hashed again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::config::FormatChoice;
use super::layout::format_of;
use super::read_back;
use super::site::{Site, blocking};
use crate::digest::Digest;
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
        let path = found.path();
        let follower = Follower { stop, progress, done: AtomicU64::new(0), total: AtomicU64::new(0) };
        let digest = match FormatChoice::of(&at.tags.rendition)? {
            FormatChoice::Vhd => read_back::vhd(&path, &at.tags.digest, &follower)?,
            FormatChoice::GceTarGz => read_back::tar_gz(&path, &at.tags.digest, &follower)?,
            FormatChoice::Raw => disk(&DiskSource::new(path, Format::Raw), &follower)?,
            FormatChoice::Qcow2 => disk(&DiskSource::new(path, Format::Qcow2), &follower)?,
            FormatChoice::AsIs => {
                let (format, packing) = format_of(&found.file).unwrap_or((Format::Raw, None));
                let source = DiskSource::new(path, format);
                match packing {
                    Some(packing) => disk(&source.packed(packing, site.layout.tmp()), &follower)?,
                    None => disk(&source, &follower)?,
                }
            }
        };
        Ok(Proof::Content { digest })
    });
    context.or_cancelled(read).await?
}

fn disk(source: &DiskSource, follower: &Follower) -> Result<Digest> {
    let disk = Disk::open_watched(source, Wanted::default(), follower)?;
    follower.total.store(disk.work(Wanted::default()), Ordering::Relaxed);
    follower.done.store(0, Ordering::Relaxed);
    Ok(disk.verify(&Expected::default(), Wanted::default(), follower)?.content)
}

/// Hands progress on and asks whether to stop.
pub(super) struct Follower {
    stop: CancellationToken,
    progress: Arc<dyn Progress>,
    done: AtomicU64,
    pub(super) total: AtomicU64,
}

impl Watch for Follower {
    fn advanced(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advanced(done, self.total.load(Ordering::Relaxed));
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}
