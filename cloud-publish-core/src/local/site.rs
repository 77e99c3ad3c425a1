//! One local target's settings with its layout, and the two ways to work on it: reading, and changing under the lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::FormatChoice;
use super::entry::Entry;
use super::files;
use super::find;
use super::layout::{Folder, Layout};
use super::lock::Lock;
use super::page;
use super::record::Record;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::names::{Owner, Region, Rendition, TargetName};
use crate::publisher::{Context, ImageAt};

/// One local target.
#[derive(Debug)]
pub(super) struct Site {
    /// Its name in the configuration.
    pub(super) target: TargetName,
    /// Who publishes.
    pub(super) owner: Owner,
    /// Where.
    pub(super) layout: Layout,
    /// In which formats.
    pub(super) formats: Vec<FormatChoice>,
    /// The address under which the directory is mirrored, without a slash at its end.
    pub(super) base_url: Option<String>,
}

impl Site {
    /// The renditions of each artifact.
    pub(super) fn renditions(&self) -> Result<Vec<Rendition>> {
        self.formats.iter().map(|format| format.as_str().parse()).collect()
    }

    /// Takes the lock under which everything is changed; makes the work directory first.
    pub(super) fn change(&self) -> Result<Lock> {
        let layout = &self.layout;
        files::make_dir(&layout.work)?;
        let lock = Lock::wait(&layout.work)?;
        // What is in there was left by a process that died: drafts, and what it was removing.
        files::remove_tree(&layout.tmp())?;
        for dir in [layout.tmp(), layout.building(), layout.staged(), layout.retired(), layout.state()] {
            files::make_dir(&dir)?;
        }
        Ok(lock)
    }

    /// Refuses a region that does not exist here.
    pub(super) fn check_region(&self, region: &Region) -> Result<()> {
        if *region == self.layout.region {
            return Ok(());
        }
        Err(Error::new(Kind::InvalidInput, format!("a directory has no region `{region}`")).hint("its one is `local`"))
    }

    /// Refuses what belongs to somebody else.
    pub(super) fn check_owner(&self, tags: &ImageTags) -> Result<()> {
        if tags.owner == self.owner {
            return Ok(());
        }
        Err(Error::new(Kind::Refused, format!("the image belongs to {}", tags.owner))
            .with("owner", &self.owner)
            .hint("publish as its owner, or leave it alone"))
    }

    /// The image that somebody names, which must be there and ours.
    pub(super) fn own(&self, at: &ImageAt) -> Result<Entry> {
        self.check_region(&at.region)?;
        self.check_owner(&at.tags)?;
        find::existing(&self.layout, at)
    }

    /// The record of an image that is there; a lost one starts anew.
    pub(super) fn record(&self, entry: &Entry, tags: &ImageTags) -> Result<Record> {
        match Record::read(&self.layout, &self.layout.key(tags))? {
            Some(record) if record.tags == *tags => Ok(record),
            _ => Ok(Record::new(entry.folder.id(&entry.file)?, tags.clone())),
        }
    }

    /// Where people download a file.
    pub(super) fn url(&self, folder: &Folder, file: &str) -> Option<String> {
        let base = self.base_url.as_ref()?;
        Some(format!("{base}/{}/{}", folder.relative(), page::href(file)))
    }

    /// The pages about a file.
    pub(super) fn links(&self, folder: &Folder, file: &str) -> BTreeMap<String, String> {
        self.url(folder, file).map(|url| ("download".to_owned(), url)).into_iter().collect()
    }
}

/// Runs work on a thread that may block, unless the run is asked to stop.
///
/// Work that has begun is not cut short: it takes moments, and whoever waits for it should hear how it ended.
pub(super) async fn blocking<T, F>(site: &Arc<Site>, context: &Context, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Site) -> Result<T> + Send + 'static,
{
    context.check()?;
    let site = Arc::clone(site);
    let done = tokio::task::spawn_blocking(move || work(&site)).await;
    done.map_err(|error| Error::new(Kind::Unexpected, "work on the directory was cut short").caused_by(error))?
}
