//! Upload: the file as given, or what is made of the disk, arrives in the work directory, sparse, hashed, synced.
//!
//! An upload is a directory called by its token (key and content), with the bytes and, once they are complete, a note
//! that says so. Bytes without the note are written anew: what a dead process wrote proves nothing.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::FormatChoice;
use super::convert::convert;
use super::copy::copy;
use super::files;
use super::find;
use super::join::refuse_closed;
use super::layout::file_name;
use super::lock::Lock;
use super::site::{Site, blocking};
use crate::digest::{hex, unhex};
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::poll::{Pace, poll_until};
use crate::publisher::{Context, ImageSpec, Staged, UploadRequest};

/// What was written of an image.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// sha512 of the file.
    pub(super) sha512: [u8; 64],
    /// Bytes of the file.
    pub(super) size: u64,
    /// Bytes written, holes not included.
    pub(super) sent: u64,
}

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
    let (region, id) = (request.region.clone(), token.clone());
    let staged = move |sent| Staged { region, id, sent };
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
    let paths = Paths::new(site, &token);
    let format = FormatChoice::of(&request.image.tags.rendition)?;
    let (written, lock) = match format {
        FormatChoice::AsIs => copy(site, context, (request, lock), paths.image()).await?,
        made => (convert(site, context, (request, made), paths.image()).await?, lock),
    };
    let (disk, image) = (Arc::clone(&request.disk), Arc::clone(&request.image));
    blocking(site, context, move |_| {
        let sent = written.sent;
        let done = disk.check_unchanged().and_then(|()| complete(&disk, wanted_sum(&image), &paths, &written));
        drop(lock);
        done.map(|()| staged(sent))
    })
    .await
}

/// The checksum that the bytes must have: known only of the file as given.
fn wanted_sum(image: &ImageSpec) -> Option<&String> {
    image.given_sha512().filter(|_| FormatChoice::is_as_is(&image.tags.rendition))
}

/// Looks for what is there already, and takes the upload's lock.
fn begin(site: &Site, image: &ImageSpec, disk: &Disk) -> Result<Begin> {
    site.check_owner(&image.tags)?;
    let file = file_name(image)?;
    let _change = site.change()?;
    if find::by_tags(&site.layout, &image.tags)?.is_some() {
        return Ok(Begin::Complete);
    }
    refuse_closed(site, &image.tags, &file)?;
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
    if found.as_ref().is_some_and(|found| wanted_sum(image).is_none_or(|wanted| wanted == found)) {
        return Ok(Begin::Complete);
    }
    files::remove(&paths.complete())?;
    Ok(Begin::Mine(lock))
}

/// Notes that the bytes are complete, if they are the right ones.
fn complete(disk: &Disk, wanted: Option<&String>, paths: &Paths, written: &Written) -> Result<()> {
    let found = hex(&written.sha512);
    if wanted.is_some_and(|wanted| *wanted != found) {
        files::remove(&paths.image())?;
        return Err(Error::new(Kind::Corrupt, "the bytes that were written are not the bytes that were verified")
            .with("file", disk.path().display())
            .hint("run the same command again; if it happens again, the file or the machine's memory is bad"));
    }
    let note = Complete { schema: 1, size: written.size, sha512: found };
    let bytes = serde_json::to_vec(&note)
        .map_err(|error| Error::new(Kind::Unexpected, "could not write an upload's note").caused_by(error))?;
    // Nobody else writes here while the lock is held, so the draft may lie beside it.
    let draft = paths.dir.join("draft");
    files::make_dir(&draft)?;
    files::write(&draft, &paths.complete(), &bytes)?;
    files::remove_tree(&draft)
}
