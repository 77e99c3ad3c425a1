//! Adding a format to a version that is published already: a directory with all of both is made beside it, then the two
//! are swapped in one step.
//!
//! Whoever mirrors the tree sees the old directory or the new one. Files that were there stay the same files; only the
//! build manifests that name the new ones, the checksums and the page differ. An image of an artifact that the version
//! does not have is refused: people rely on a published version having what it had, in the formats that there are.

use std::path::Path;

use super::entry::{self, Entry, Tree};
use super::files::{self, Moved};
use super::layout::{Folder, INDEX, SUMS, manifest_name};
use super::lists;
use super::retire::{filed, vanished};
use super::site::Site;
use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, claims_owner};

/// Refuses to add to a version that is published, except another rendition of an image that it has, under a name that
/// nothing has there.
pub(super) fn refuse_closed(site: &Site, tags: &ImageTags, file: &str) -> Result<()> {
    let folder = Folder::of(tags)?;
    let dir = site.layout.public.join(folder.relative());
    if !files::exists(&dir)? {
        return Ok(());
    }
    let entries = entry::read(&dir, &folder, Tree::Public)?.entries;
    if has_sibling(site, &entries, tags) {
        return refuse_taken(&dir, &entries, file);
    }
    let mut ours = entries.iter().filter(|entry| claims_owner(entry.upload.annotations(), &site.owner));
    let (message, hint) = if ours.any(|entry| entry.upload.is_of_another_place(&site.layout)) {
        (
            "this directory was published under another path than the target's",
            "move it back, or bind mount it there: images keep the identity of the path they were published at",
        )
    } else {
        (
            "this version is published already, and gets no further image, only further formats",
            "give the release a new version; if the directory is not ours, move it away",
        )
    };
    Err(Error::new(Kind::Refused, message).with("path", dir.display()).hint(hint))
}

/// Whether the version has the same disk for the same use in another format.
fn has_sibling(site: &Site, entries: &[Entry], tags: &ImageTags) -> bool {
    let present = entries.iter().filter(|entry| entry.is_present());
    let mut others = present.filter_map(|entry| entry.upload.tags(&site.layout).ok());
    others.any(|other| ImageTags { rendition: tags.rendition.clone(), ..other } == *tags)
}

/// Refuses the name of a file that the published version has, and of a build manifest in it that is none of ours.
fn refuse_taken(dir: &Path, entries: &[Entry], file: &str) -> Result<()> {
    let (image, manifest) = (dir.join(file), dir.join(manifest_name(file)));
    let is_foreign = !entries.iter().any(|entry| entry.manifest() == manifest);
    let taken = if files::exists(&image)? {
        image
    } else if is_foreign && files::exists(&manifest)? {
        manifest
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::NameTaken, "the published version has something else of this name")
        .with("path", taken.display())
        .hint("move it away, then run the same command again; if it is ours, give naming.image {variant} and {arch}"))
}

/// Brings images of a building directory into the published one; those that are `left` stay.
///
/// A kill before the swap loses at most the new images, which are uploaded again; after it nothing is left to do.
pub(super) fn join(
    site: &Site,
    (folder, building): (&Folder, &Path),
    coming: &[&Entry],
    left: &[&Entry],
) -> Result<()> {
    let layout = &site.layout;
    let public = layout.public.join(folder.relative());
    for entry in coming {
        refuse_closed(site, &entry.tags(layout)?, &entry.file)?;
    }
    let draft = layout.tmp().join("joined");
    files::remove_tree(&draft)?;
    files::make_dir(&draft)?;
    let manifests: Vec<String> = coming.iter().map(|entry| manifest_name(&entry.file)).collect();
    for name in files::names(&public)? {
        if name == SUMS || name == INDEX || manifests.contains(&name) {
            continue;
        }
        if !files::is_file(&public.join(&name)) {
            return Err(Error::new(Kind::Conflict, "something that is no file is in a version's directory")
                .with("path", public.join(&name).display())
                .hint("move it away, then run the same command again"));
        }
        files::hard_link(&public.join(&name), &draft.join(&name))?;
    }
    let stays = |file: &str| left.iter().any(|entry| entry.file == file);
    for entry in coming {
        let at = [&draft, &public, building].map(|dir| dir.join(manifest_name(&entry.file)));
        let found = at.iter().map(|path| entry::read_manifest(path)).find_map(Result::transpose);
        let mut manifest = found.transpose()?.ok_or_else(|| vanished(entry))?;
        manifest.retain(|upload| upload.file_in(folder).is_none_or(|file| !stays(file)));
        manifest.put(layout, folder, &filed(site, entry)?);
        let [path, ..] = at;
        files::write(&layout.tmp(), &path, &manifest.to_bytes()?)?;
    }
    for entry in coming {
        if files::rename_new(&entry.path(), &draft.join(&entry.file))? == Moved::Taken {
            return Err(vanished(entry));
        }
    }
    lists::write(layout, folder, &draft, None)?;
    files::sync_parent(&draft.join(SUMS))?;
    // What was taken from it is not needed any more, and after the swap nobody would come back for it.
    if left.is_empty() {
        files::remove_tree(building)?;
    } else {
        lists::trim_manifests(layout, folder, building)?;
    }
    files::exchange(&draft, &public)?;
    files::remove_tree(&draft)
}
