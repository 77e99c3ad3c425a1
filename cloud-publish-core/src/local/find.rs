//! Finding one image, by its id or by its key, whichever tree it is in.

use std::path::PathBuf;

use super::entry::{self, Entry, Tree};
use super::layout::{Folder, Layout, take_apart};
use super::record::Record;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::publisher::ImageAt;

/// The version directory in each tree; the retired tree is the image's own.
pub(super) fn dir(layout: &Layout, folder: &Folder, tree: Tree, tags: &ImageTags) -> PathBuf {
    let top = match tree {
        Tree::Public => layout.public.clone(),
        Tree::Building => layout.building(),
        Tree::Retired => layout.retired().join(layout.key(tags).as_str()),
    };
    top.join(folder.relative())
}

fn present(layout: &Layout, folder: &Folder, tags: &ImageTags) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for tree in [Tree::Public, Tree::Retired, Tree::Building] {
        found.extend(entry::read(&dir(layout, folder, tree, tags), folder, tree)?.entries);
    }
    found.retain(Entry::is_present);
    Ok(found)
}

/// Finds the image that somebody names; `None` when it is gone.
///
/// # Errors
/// [`Kind::Refused`] when the file under this id is another image, or its tags cannot be believed.
pub(super) fn by_id(layout: &Layout, at: &ImageAt) -> Result<Option<Entry>> {
    let (folder, file) = take_apart(at)?;
    let Some(found) = present(layout, &folder, &at.tags)?.into_iter().find(|entry| entry.file == file) else {
        return Ok(None);
    };
    if found.tags(layout)? == at.tags {
        return Ok(Some(found));
    }
    Err(Error::new(Kind::Refused, "the file under this id is another image")
        .with("id", &at.id)
        .hint("survey again: somebody has replaced it"))
}

/// Finds the image that somebody names and that must be there.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Refused`].
pub(super) fn existing(layout: &Layout, at: &ImageAt) -> Result<Entry> {
    by_id(layout, at)?.ok_or_else(|| {
        Error::new(Kind::NotFound, "there is no such image file").with("id", &at.id).hint("run the same command again")
    })
}

/// Finds the image with these tags.
///
/// # Errors
/// [`Kind::Conflict`] when the key belongs to other content, another version, or two files.
pub(super) fn by_tags(layout: &Layout, tags: &ImageTags) -> Result<Option<Entry>> {
    let key = layout.key(tags);
    let mut same_key = Vec::new();
    let mut places = vec![(Folder::of(tags)?, tags.clone())];
    if let Some(record) = Record::read(layout, &key)?.filter(|record| record.deleted.is_none()) {
        places.push((Folder::of(&record.tags)?, record.tags));
    }
    places.dedup_by(|a, b| a.0 == b.0);
    for (folder, tags) in &places {
        let found = present(layout, folder, tags)?.into_iter();
        same_key.extend(found.filter_map(|entry| Some((entry.upload.tags(layout).ok()?, entry))));
    }
    same_key.retain(|(found, _)| layout.key(found) == key);
    let conflict = |message: String| {
        let hint = "two artifacts may not share release, variant, arch and rendition: give the release a new name";
        Err(Error::new(Kind::Conflict, message).with("key", &key).hint(hint))
    };
    let mut found = same_key.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((one, entry)), None) if one == *tags => Ok(Some(entry)),
        (Some((one, entry)), None) => {
            conflict(format!("{} is this image with other content ({})", entry.path().display(), one.digest))
        }
        // The same file twice: a rename that some network file system carried out as a copy. The first tree counts.
        (Some((one, entry)), Some((_, other))) if one == *tags && entry.file == other.file => Ok(Some(entry)),
        (Some((_, entry)), Some((_, other))) => {
            conflict(format!("two files are one image: {} and {}", entry.path().display(), other.path().display()))
        }
    }
}
