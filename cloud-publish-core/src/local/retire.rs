//! Taking back: hide, retire, restore, delete.
//!
//! A version's images never change, but they can go. The last image of a version goes with the whole directory, by one
//! rename. One of several goes alone: a copy of its build manifest first (so that its identity is never lost), then the
//! checksums and the page without it, then the file, then its place in the build manifest. Each verb does again, without
//! harm, whatever a killed one had done.

use std::path::Path;

use jiff::Timestamp;

use super::entry::{self, Entry, Tree};
use super::files::{self, Moved};
use super::find;
use super::listing;
use super::lists;
use super::site::Site;
use super::upload_item::Filed;
use super::visibility::{clear_retired, is_own_version, move_version, others};
use crate::error::{Error, Kind, Result};
use crate::publisher::{Deletion, ImageAt};

/// Leaves an image out of pages and `latest`; its file stays.
pub(super) fn hide(site: &Site, at: &ImageAt) -> Result<()> {
    let _change = site.change()?;
    let found = site.own(at)?;
    let mut record = site.record(&found, &at.tags)?;
    record.hidden = true;
    record.write(&site.layout)?;
    if found.tree == Tree::Public { show(site, &found, None) } else { Ok(()) }
}

/// Writes the lists of an image's version and the pages above it.
fn show(site: &Site, found: &Entry, without: Option<&str>) -> Result<()> {
    if lists::write(&site.layout, &found.folder, &found.dir, without)? == 0 {
        listing::unpoint(&site.layout, &found.folder)?;
    }
    listing::refresh(&site.layout, &found.folder.suite)
}

/// Moves an image out of the mirrored tree, restorably.
pub(super) fn retire(site: &Site, at: &ImageAt, now: Timestamp) -> Result<()> {
    let _change = site.change()?;
    let found = site.own(at)?;
    retire_found(site, at, &found, now)
}

fn retire_found(site: &Site, at: &ImageAt, found: &Entry, now: Timestamp) -> Result<()> {
    let mut record = site.record(found, &at.tags)?;
    record.marks.retired.get_or_insert(now);
    record.write(&site.layout)?;
    match found.tree {
        // Nobody sees it there, and the mark keeps it from being published.
        Tree::Building => Ok(()),
        Tree::Public if others(found)?.is_empty() => retire_version(site, at, found),
        Tree::Public => retire_one(site, at, found),
        Tree::Retired => settle_public(site, found),
    }
}

fn retire_version(site: &Site, at: &ImageAt, found: &Entry) -> Result<()> {
    let layout = &site.layout;
    clear_retired(site, found)?;
    listing::unpoint(layout, &found.folder)?;
    move_version(&found.dir, &find::dir(layout, &found.folder, Tree::Retired, &at.tags))?;
    listing::refresh(layout, &found.folder.suite)
}

fn retire_one(site: &Site, at: &ImageAt, found: &Entry) -> Result<()> {
    let layout = &site.layout;
    clear_retired(site, found)?;
    let to = find::dir(layout, &found.folder, Tree::Retired, &at.tags);
    files::make_dir(&to)?;
    let Some(mut manifest) = entry::read_manifest(&found.manifest())? else { return Err(vanished(found)) };
    manifest.retain(|upload| upload.reference == found.upload.reference);
    let copy = Entry { dir: to, tree: Tree::Retired, ..found.clone() };
    files::write(&layout.tmp(), &copy.manifest(), &manifest.to_bytes()?)?;
    show(site, found, Some(&found.file))?;
    if files::rename_new(&found.path(), &copy.path())? == Moved::Taken {
        return Err(vanished(found));
    }
    settle_public(site, found)
}

/// Makes the public version directory tell of the images that are left in it; without a directory there is nothing to do.
fn settle_public(site: &Site, found: &Entry) -> Result<()> {
    let layout = &site.layout;
    let public = Entry { dir: layout.public.join(found.folder.relative()), tree: Tree::Public, ..found.clone() };
    if is_own_version(site, &found.folder, &public.dir)? {
        lists::trim_manifests(layout, &found.folder, &public.dir)?;
        return show(site, &public, None);
    }
    listing::refresh(layout, &found.folder.suite)
}

/// Undoes [`hide`] and [`retire`]; the marks are taken away by [`crate::publisher::Publisher::tag`].
pub(super) fn restore(site: &Site, at: &ImageAt) -> Result<()> {
    let _change = site.change()?;
    let found = site.own(at)?;
    let mut record = site.record(&found, &at.tags)?;
    record.hidden = false;
    record.write(&site.layout)?;
    match found.tree {
        Tree::Building => Ok(()),
        Tree::Public => {
            clear_retired(site, &found)?;
            show(site, &found, None)
        }
        Tree::Retired => bring_back(site, &found),
    }
}

fn bring_back(site: &Site, found: &Entry) -> Result<()> {
    let (layout, folder) = (&site.layout, &found.folder);
    let public = layout.public.join(folder.relative());
    let back = Entry { dir: public.clone(), tree: Tree::Public, ..found.clone() };
    if files::exists(&public)? {
        if !is_own_version(site, folder, &public)? {
            return Err(Error::new(Kind::NameTaken, "somebody else has made this version's directory")
                .with("path", public.display())
                .hint("move it away, then restore again"));
        }
        // Its build manifest may tell of other formats: it is about to change, so the checksums leave it out meanwhile.
        lists::write(layout, folder, &public, Some(&found.file))?;
        let mut manifest = match entry::read_manifest(&back.manifest())? {
            Some(manifest) => manifest,
            None => entry::read_manifest(&found.manifest())?.ok_or_else(|| vanished(found))?,
        };
        manifest.put(layout, folder, &filed(site, found)?);
        files::write(&layout.tmp(), &back.manifest(), &manifest.to_bytes()?)?;
        if files::rename_new(&found.path(), &back.path())? == Moved::Taken {
            return Err(vanished(found));
        }
    } else {
        lists::trim_manifests(layout, folder, &found.dir)?;
        lists::write(layout, folder, &found.dir, None)?;
        move_version(&found.dir, &public)?;
    }
    clear_retired(site, &back)?;
    show(site, &back, None)
}

pub(super) fn filed(site: &Site, found: &Entry) -> Result<Filed> {
    let sha512 = found.upload.sha512().as_deref().and_then(crate::digest::unhex::<64>);
    Ok(Filed {
        tags: found.tags(&site.layout)?,
        file: found.file.clone(),
        sha512: sha512.ok_or_else(|| vanished(found))?,
        description: found.upload.description().to_owned(),
        extra: found.upload.extra(),
        build_job: found.upload.build_job().map(ToOwned::to_owned),
        outside_suite: found.upload.outside_suite(),
    })
}

/// Removes an image for good, retiring it first where that was not done; its record stays as a tombstone.
pub(super) fn delete(site: &Site, at: &ImageAt, now: Timestamp) -> Result<Deletion> {
    let layout = &site.layout;
    site.check_region(&at.region)?;
    site.check_owner(&at.tags)?;
    let _change = site.change()?;
    let Some(found) = find::by_id(layout, at)? else { return Ok(Deletion::Gone) };
    if found.tree == Tree::Public {
        retire_found(site, at, &found, now)?;
    }
    let mut record = site.record(&found, &at.tags)?;
    record.deleted = Some(now);
    record.write(layout)?;
    let grave = layout.tmp().join("deleted");
    files::remove_tree(&grave)?;
    if found.tree == Tree::Building {
        bury(&found.path(), &grave)?;
        lists::trim_manifests(layout, &found.folder, &found.dir)?;
        files::prune(&found.dir, &layout.building());
        files::remove(&grave)?;
    } else {
        let tree = layout.retired().join(layout.key(&at.tags).as_str());
        bury(&tree, &grave)?;
        files::remove_tree(&grave)?;
    }
    Ok(Deletion::Gone)
}

/// Takes something out of sight in one step; whoever changes the directory next removes what a kill leaves of it.
fn bury(path: &Path, grave: &Path) -> Result<()> {
    match files::rename_new(path, grave)? {
        Moved::Now => Ok(()),
        Moved::Taken => Err(Error::new(Kind::Conflict, "somebody else is deleting at the same time")
            .with("path", path.display())
            .hint("run the same command again")),
    }
}

pub(super) fn vanished(found: &Entry) -> Error {
    Error::new(Kind::Conflict, "somebody changes the directory at the same time")
        .with("path", found.path().display())
        .hint("stop whatever else works on the directory, then run the same command again")
}
