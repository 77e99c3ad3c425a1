//! Upload: the file as given arrives in the work directory, sparse, hashed while it is written, synced.
//!
//! An upload is a directory called by its token (key and content), with the bytes and, once they are complete, a note
//! that says so. Bytes without the note are written anew: what a dead process wrote proves nothing.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha512};
use tokio_util::sync::CancellationToken;

use super::files::{self, failed};
use super::find;
use super::layout::{Folder, file_name};
use super::lock::Lock;
use super::site::{Site, blocking};
use crate::digest::{hex, unhex};
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::poll::{Pace, poll_until};
use crate::publisher::{Context, ImageSpec, Progress, Staged, UploadRequest};

const BUFFER: usize = 1 << 20;

/// The note that an upload is complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Complete {
    schema: u32,
    size: u64,
    sha512: String,
}

/// The names in an upload's directory.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    /// The directory.
    pub(super) dir: PathBuf,
}

impl Paths {
    /// The upload under a token.
    pub(super) fn new(site: &Site, token: &str) -> Self {
        Self { dir: site.layout.staged().join(token) }
    }

    /// The bytes.
    pub(super) fn image(&self) -> PathBuf {
        self.dir.join("image")
    }

    /// Whose they are.
    pub(super) fn tags(&self) -> PathBuf {
        self.dir.join("tags.json")
    }

    fn complete(&self) -> PathBuf {
        self.dir.join("complete.json")
    }

    /// sha512 of the bytes if they are complete.
    pub(super) fn sha512(&self) -> Result<Option<[u8; 64]>> {
        let Some(bytes) = files::read_small(&self.complete())? else { return Ok(None) };
        let Ok(note) = serde_json::from_slice::<Complete>(&bytes) else { return Ok(None) };
        let size = fs::symlink_metadata(self.image()).map(|found| found.len()).ok();
        Ok((note.schema == 1 && size == Some(note.size)).then(|| unhex(&note.sha512)).flatten())
    }

    /// Whose they are, if that can be read.
    pub(super) fn read_tags(&self) -> Option<ImageTags> {
        let bytes = files::read_small(&self.tags()).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }
}

enum Begin {
    Complete,
    Busy,
    Mine(Lock),
}

/// Brings the bytes here; see [`crate::publisher::Publisher::upload`].
pub(super) async fn upload(site: &Arc<Site>, context: &Context, request: &UploadRequest) -> Result<Staged> {
    site.check_region(&request.region)?;
    let token = site.layout.token(&request.image.tags);
    let staged = |sent| Staged { region: request.region.clone(), id: token.clone(), sent };
    let pace = Pace::new(Duration::from_millis(100), Duration::from_secs(4 * 3600));
    let lock = poll_until(context, "another run's upload of the same image", pace, || async {
        let (image, disk) = (Arc::clone(&request.image), Arc::clone(&request.disk));
        match blocking(site, context, move |site| begin(site, &image, &disk)).await? {
            Begin::Complete => Ok(Some(None)),
            Begin::Mine(lock) => Ok(Some(Some(lock))),
            Begin::Busy => Ok(None),
        }
    });
    let Some(lock) = lock.await? else { return Ok(staged(0)) };
    let stop = context.cancellation().child_token();
    // When this future is dropped the thread must not go on writing.
    let _guard = stop.clone().drop_guard();
    let (disk, progress) = (Arc::clone(&request.disk), Arc::clone(context.progress()));
    let (paths, expected) = (Paths::new(site, &token), request.image.given_sha512().cloned());
    let sent = blocking(site, context, move |_| {
        let sent = receive(&Source { disk, progress, stop, expected }, &paths);
        drop(lock);
        sent
    });
    Ok(staged(sent.await?))
}

/// Looks for what is there already, and takes the upload's lock.
fn begin(site: &Site, image: &ImageSpec, disk: &Disk) -> Result<Begin> {
    site.check_owner(&image.tags)?;
    file_name(image)?;
    let _change = site.change()?;
    if find::by_tags(&site.layout, &image.tags)?.is_some() {
        return Ok(Begin::Complete);
    }
    refuse_closed(site, &Folder::of(&image.tags)?)?;
    if disk.given_size() != image.given_size() {
        return Err(Error::new(Kind::InvalidInput, "the file is not as large as the plan says")
            .with("file", disk.path().display())
            .hint("run the same command again: it verifies the file anew"));
    }
    let paths = Paths::new(site, &site.layout.token(&image.tags));
    files::make_dir(&paths.dir)?;
    let Some(lock) = Lock::take(&paths.dir)? else { return Ok(Begin::Busy) };
    let tags = serde_json::to_vec_pretty(&image.tags)
        .map_err(|error| Error::new(Kind::Unexpected, "could not write an upload's tags").caused_by(error))?;
    files::write(&site.layout.tmp(), &paths.tags(), &tags)?;
    let found = paths.sha512()?.map(|sum| hex(&sum));
    if found.is_some() && (image.given_sha512().is_none() || found.as_ref() == image.given_sha512()) {
        return Ok(Begin::Complete);
    }
    files::remove(&paths.complete())?;
    Ok(Begin::Mine(lock))
}

/// Refuses to add to a version that is published: its directory never grows.
pub(super) fn refuse_closed(site: &Site, folder: &Folder) -> Result<()> {
    let dir = site.layout.public.join(folder.relative());
    if !files::exists(&dir)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "this version is published already, and its directory never gets another image")
        .with("path", dir.display())
        .hint("give the release a new version; if the directory is not ours, move it away"))
}

/// Where the bytes come from, and who watches.
struct Source {
    disk: Arc<Disk>,
    progress: Arc<dyn Progress>,
    stop: CancellationToken,
    expected: Option<String>,
}

/// Writes the bytes and notes that they are complete; returns how many were written.
fn receive(source: &Source, paths: &Paths) -> Result<u64> {
    let image = paths.image();
    let (sum, sent) = copy(source, &image)?;
    source.disk.check_unchanged()?;
    let found = hex(&sum);
    if source.expected.as_ref().is_some_and(|expected| *expected != found) {
        files::remove(&image)?;
        return Err(Error::new(Kind::Corrupt, "the bytes that were written are not the bytes that were verified")
            .with("file", source.disk.path().display())
            .hint("run the same command again; if it happens again, the file or the machine's memory is bad"));
    }
    let note = Complete { schema: 1, size: source.disk.given_size(), sha512: found };
    let bytes = serde_json::to_vec(&note)
        .map_err(|error| Error::new(Kind::Unexpected, "could not write an upload's note").caused_by(error))?;
    // Nobody else writes here while the lock is held, so the draft may lie beside it.
    let draft = paths.dir.join("draft");
    files::make_dir(&draft)?;
    files::write(&draft, &paths.complete(), &bytes)?;
    files::remove_tree(&draft)?;
    Ok(sent)
}

/// Copies data extents, leaves holes, and hashes both.
fn copy(source: &Source, to: &Path) -> Result<([u8; 64], u64)> {
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
    Ok((sum.finalize().into(), sent))
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
