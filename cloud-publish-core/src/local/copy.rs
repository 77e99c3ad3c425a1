//! The file as given, copied: byte for byte, hashed while it is written, with its holes.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha512};
use tokio_util::sync::CancellationToken;

use super::files::{self, failed};
use super::lock::Lock;
use super::site::{Site, blocking};
use super::upload::Written;
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::publisher::{Context, Progress, UploadRequest};

const BUFFER: usize = 1 << 20;

/// Where the bytes come from, and who watches.
struct Source {
    disk: Arc<Disk>,
    progress: Arc<dyn Progress>,
    stop: CancellationToken,
}

/// Copies on a thread that holds the upload's lock, and gives the lock back.
pub(super) async fn copy(
    site: &Arc<Site>,
    context: &Context,
    (request, lock): (&UploadRequest, Lock),
    to: PathBuf,
) -> Result<(Written, Lock)> {
    let stop = context.cancellation().child_token();
    // When this future is dropped the thread must not go on writing.
    let _guard = stop.clone().drop_guard();
    let (disk, progress) = (Arc::clone(&request.disk), Arc::clone(context.progress()));
    blocking(site, context, move |_| Ok((copy_file(&Source { disk, progress, stop }, &to)?, lock))).await
}

/// Copies data extents, leaves holes, and hashes both.
fn copy_file(source: &Source, to: &Path) -> Result<Written> {
    let (disk, size) = (&source.disk, source.disk.given_size());
    files::remove(to)?;
    let file = File::create_new(to).map_err(failed("could not create", to))?;
    file.set_len(size).map_err(failed("could not size", to))?;
    let mut sum = Sha512::new();
    let (mut at, mut sent) = (0_u64, 0_u64);
    let mut buffer = vec![0_u8; BUFFER];
    for extent in disk.given_extents()? {
        zeros(&mut sum, extent.offset.saturating_sub(at), &source.stop)?;
        at = extent.offset;
        while at < extent.end() {
            if source.stop.is_cancelled() {
                return Err(stopped());
            }
            let length = usize::try_from(extent.end() - at).map_or(BUFFER, |left| left.min(BUFFER));
            let Some(part) = buffer.get_mut(..length) else { break };
            disk.read_given_at(at, part)?;
            sum.update(&*part);
            file.write_all_at(part, at).map_err(failed("could not write", to))?;
            at += length as u64;
            sent += length as u64;
            source.progress.advanced(at, size);
        }
    }
    zeros(&mut sum, size.saturating_sub(at), &source.stop)?;
    file.sync_all().map_err(failed("could not sync", to))?;
    source.progress.advanced(size, size);
    Ok(Written { sha512: sum.finalize().into(), size, sent })
}

fn zeros(sum: &mut Sha512, mut count: u64, stop: &CancellationToken) -> Result<()> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    while count > 0 {
        if stop.is_cancelled() {
            return Err(stopped());
        }
        let part = ZEROS.get(..usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len())).unwrap_or(&ZEROS);
        sum.update(part);
        count -= part.len() as u64;
    }
    Ok(())
}

fn stopped() -> Error {
    Error::new(Kind::Cancelled, "stopped on request")
}
