//! Publication: the version's building directory gets its checksums and its page and appears among the mirrored files by
//! one rename, with every image that may become public now. What else waits in it, because a gate refused it or nobody
//! asked for it any more, stays behind. Further formats of a published version come by [`join`].

use std::path::Path;

use super::entry::{self, Entry, Tree};
use super::files::{self, Moved};
use super::find;
use super::join::join;
use super::layout::{Folder, manifest_name};
use super::listing;
use super::lists;
use super::record::Record;
use super::retire::vanished;
use super::site::Site;
use super::upload::Paths;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::manifest::Visibility;
use crate::names::ImageId;
use crate::publisher::VisibilityRequest;

/// Lets everybody see an image and those that may go along with it, or nobody; see
/// [`crate::publisher::Publisher::set_visibility`].
pub(super) fn set(site: &Site, request: &VisibilityRequest) -> Result<()> {
    let unsupported = |message: &'static str, hint: &'static str| {
        Err(Error::new(Kind::Unsupported, message).with("id", &request.at.id).hint(hint))
    };
    let wants_public = match request.wanted {
        Visibility::Public => true,
        Visibility::Private => false,
        Visibility::SharedWith(_) | Visibility::Community => {
            return unsupported(
                "a directory knows no other visibilities than private and public",
                "choose one of them",
            );
        }
    };
    let _change = site.change()?;
    let found = site.own(&request.at)?;
    match (wants_public, found.tree) {
        (true, Tree::Public) => listing::refresh(&site.layout, &found.folder.suite),
        (true, Tree::Building) => publish(site, &found, &request.along),
        (true, Tree::Retired) => {
            Err(Error::new(Kind::Refused, "the image is retired").with("id", &request.at.id).hint("restore it first"))
        }
        (false, Tree::Public) => unsupported("a published image cannot be made private", "withdraw it instead"),
        (false, Tree::Building | Tree::Retired) => Ok(()),
    }
}

/// Moves an image and those that go along into the mirrored tree.
///
/// A kill before the rename leaves a complete building directory, after it a published version whose pages above are
/// written by the next call.
fn publish(site: &Site, found: &Entry, along: &[ImageTags]) -> Result<()> {
    let (layout, folder, building) = (&site.layout, &found.folder, &found.dir);
    let public = layout.public.join(folder.relative());
    let is_new = !files::exists(&public)?;
    let entries = entry::read_sound(building, folder, Tree::Building)?;
    let present = entries.iter().filter(|entry| entry.is_present());
    let own = found.tags(layout)?;
    let goes = |entry: &&Entry| entry.upload.tags(layout).is_ok_and(|tags| tags == own || along.contains(&tags));
    let (coming, left): (Vec<&Entry>, Vec<&Entry>) = present.partition(goes);
    for entry in coming.iter().chain(&left) {
        check_ready(site, entry, own.release.as_str())?;
    }
    if !is_new {
        join(site, (folder, building), &coming, &left)?;
    } else if left.is_empty() {
        lists::trim_manifests(layout, folder, building)?;
        lists::write(layout, folder, building, None)?;
        move_version(building, &public)?;
    } else {
        part(site, (folder, building), &coming)?;
    }
    for entry in &coming {
        let tags = entry.upload.tags(layout).ok();
        tags.map_or(Ok(()), |tags| files::remove_tree(&Paths::new(site, &layout.token(&tags)).dir))?;
    }
    files::prune(building.parent().unwrap_or(building), &layout.building());
    listing::refresh(layout, &folder.suite)
}

/// Publishes some of a building directory's images; the others stay in it.
///
/// A kill before the rename loses at most the images that were to be published, which are uploaded again.
fn part(site: &Site, (folder, building): (&Folder, &Path), coming: &[&Entry]) -> Result<()> {
    let layout = &site.layout;
    let draft = layout.tmp().join("part");
    files::make_dir(&draft)?;
    for entry in coming {
        let manifest = entry::read_manifest(&entry.manifest())?.ok_or_else(|| vanished(entry))?;
        files::write(&layout.tmp(), &draft.join(manifest_name(&entry.file)), &manifest.to_bytes()?)?;
        if files::rename_new(&entry.path(), &draft.join(&entry.file))? == Moved::Taken {
            return Err(vanished(entry));
        }
    }
    lists::trim_manifests(layout, folder, &draft)?;
    lists::write(layout, folder, &draft, None)?;
    lists::trim_manifests(layout, folder, building)?;
    move_version(&draft, &layout.public.join(folder.relative()))
}

/// Refuses to publish a version in which something waits that nobody may want in it.
fn check_ready(site: &Site, entry: &Entry, release: &str) -> Result<()> {
    let tags = entry.tags(&site.layout)?;
    let id: ImageId = entry.folder.id(&entry.file)?;
    let refused =
        |message: &'static str, hint: &'static str| Err(Error::new(Kind::Refused, message).with("id", &id).hint(hint));
    if tags.owner != site.owner || tags.release.as_str() != release {
        return refused(
            "an image of another release waits in the same version directory",
            "two releases may not share suite, class and version: give one a new version, or delete its images",
        );
    }
    let marks = Record::read(&site.layout, &site.layout.key(&tags))?.map(|record| record.marks).unwrap_or_default();
    if marks.retired.is_some() || marks.withdrawn.is_some() {
        return refused(
            "an image of this version was taken back before it was published",
            "restore it, or delete it, then run the same command again",
        );
    }
    Ok(())
}

/// Renames a version directory into the mirrored tree, never over another.
pub(super) fn move_version(from: &Path, to: &Path) -> Result<()> {
    files::make_dir(to.parent().unwrap_or(to))?;
    match files::rename_new(from, to)? {
        Moved::Now => Ok(()),
        // The next try looks at what is there: the same images are adopted, others refused.
        Moved::Taken => Err(Error::new(Kind::Conflict, "somebody else has just made this version's directory")
            .with("path", to.display())
            .hint("run the same command again: it looks at what is there")
            .retryable(None)),
    }
}

/// Whether the version directory in the mirrored tree still has one of this owner's images: only then may one be added
/// back to it.
pub(super) fn is_own_version(site: &Site, folder: &Folder, dir: &Path) -> Result<bool> {
    let entries = entry::read_sound(dir, folder, Tree::Public)?;
    let mut tags = entries.iter().filter(|entry| entry.is_present()).map(|entry| entry.upload.tags(&site.layout));
    Ok(tags.any(|tags| tags.is_ok_and(|tags| tags.owner == site.owner)))
}

/// The images of a version directory that are there, without one of them.
pub(super) fn others(found: &Entry) -> Result<Vec<Entry>> {
    let mut entries = entry::read_sound(&found.dir, &found.folder, found.tree)?;
    entries.retain(|entry| entry.is_present() && entry.file != found.file);
    Ok(entries)
}

/// Removes the retired tree of an image that is not in it any more.
pub(super) fn clear_retired(site: &Site, found: &Entry) -> Result<()> {
    let tags = found.tags(&site.layout)?;
    let tree = site.layout.retired().join(site.layout.key(&tags).as_str());
    let left = find::dir(&site.layout, &found.folder, Tree::Retired, &tags).join(&found.file);
    if files::is_file(&left) {
        return Err(Error::new(Kind::Conflict, "the image is both published and retired")
            .with("path", left.display())
            .hint("compare the two files and move one of them away"));
    }
    files::remove_tree(&tree)
}
