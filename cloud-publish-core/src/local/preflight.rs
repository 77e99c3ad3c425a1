//! Preflight: what would stop a publication to this directory, found before the first byte; it writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::config::FormatChoice;
use super::entry::{self, Tree};
use super::expect::expect;
use super::files;
use super::find;
use super::join::refuse_closed;
use super::layout::{Folder, INDEX, file_name};
use super::listing;
use super::register::given_manifest;
use super::site::Site;
use crate::error::{Error, Kind, Result};
use crate::names::Region;
use crate::publisher::{Finding, ImageSpec, PreflightRequest, Severity};

/// Looks; see [`crate::publisher::Publisher::preflight`].
pub(super) fn preflight(site: &Site, request: &PreflightRequest) -> Vec<Finding> {
    let mut troubles = Vec::new();
    troubles.extend(directories(site));
    let (mut files, mut folders) = (BTreeMap::new(), BTreeSet::new());
    for (image, region) in &request.additions {
        troubles.extend(addition(site, image, region).err());
        if let (Ok(folder), Ok(file)) = (Folder::of(&image.tags), file_name(image)) {
            let name = format!("{}/{file}", folder.relative());
            folders.insert(folder);
            if files.insert(name.clone(), known_size(image)).is_some() {
                troubles.push(Error::new(Kind::InvalidInput, format!("two images would be called {name}")).hint(
                    "let naming.image have {variant} and {arch} in it, and `formats` not both as-is and the own format",
                ));
            }
        }
    }
    troubles.extend(space(site, files.values().sum()));
    let mut findings: Vec<Finding> = troubles.iter().map(|error| finding(site, Severity::Error, error)).collect();
    findings.extend(folders.iter().flat_map(|folder| foreign_pages(site, folder)));
    findings
}

fn finding(site: &Site, severity: Severity, error: &Error) -> Finding {
    let (message, hint) = (error.chain().join(": "), error.advice().map(ToOwned::to_owned));
    Finding { severity, region: Some(site.layout.region.clone()), message, hint }
}

/// What forbids one image.
fn addition(site: &Site, image: &ImageSpec, region: &Region) -> Result<()> {
    expect(site, image, region)?;
    given_manifest(image)?;
    if find::by_tags(&site.layout, &image.tags)?.is_some() {
        return Ok(());
    }
    let folder = Folder::of(&image.tags)?;
    refuse_closed(site, &image.tags)?;
    listing::latest(&site.layout, &folder.line())?;
    let building = find::dir(&site.layout, &folder, Tree::Building, &image.tags);
    let waiting = entry::read(&building, &folder, Tree::Building)?.entries;
    let mut tags = waiting.iter().filter(|entry| entry.is_present()).map(|entry| entry.tags(&site.layout));
    if tags.any(|tags| tags.is_ok_and(|tags| tags.release != image.tags.release || tags.owner != image.tags.owner)) {
        return Err(Error::new(Kind::Conflict, "an image of another release waits in the same version directory")
            .with("path", building.display())
            .hint("two releases may not share suite, class and version: give one a new version"));
    }
    Ok(())
}

/// What forbids writing to the two directories.
fn directories(site: &Site) -> Vec<Error> {
    let mut troubles = Vec::new();
    let (public, work) = (&site.layout.public, &site.layout.work);
    let nearest = [nearest(public), nearest(work)];
    for (path, existing) in [public, work].into_iter().zip(nearest) {
        if !existing.is_dir() {
            let error = Error::new(Kind::InvalidInput, "there is something else where a directory must be");
            troubles.push(error.with("path", existing.display()).hint("move it away, or choose another `path`"));
        } else if access(existing, Access::WRITE_OK | Access::EXEC_OK).is_err() {
            let error = Error::new(Kind::PermissionDenied, "this user may not write here");
            let hint = format!("give it write access to {} and what is above it as far as missing", path.display());
            troubles.push(error.with("path", existing.display()).hint(hint));
        }
    }
    let [public, work] = nearest.map(|existing| fs::metadata(existing).map(|found| found.dev()).ok());
    if public != work {
        troubles.push(
            Error::new(Kind::InvalidInput, "the target's path and the .work beside it are on two file systems")
                .with("path", site.layout.public.display())
                .hint("let `path` be a directory inside the mounted file system, not its top"),
        );
    }
    troubles
}

fn nearest(path: &Path) -> &Path {
    path.ancestors().find(|above| files::exists(above).unwrap_or(true)).unwrap_or(path)
}

/// Bytes that an image will have: what a conversion comes to is not known before.
fn known_size(image: &ImageSpec) -> u64 {
    if FormatChoice::is_as_is(&image.tags.rendition) { image.given_size() } else { 0 }
}

/// Whether the bytes fit; images of holes need less, which cannot be known before they are written.
fn space(site: &Site, wanted: u64) -> Option<Error> {
    let room = statvfs(nearest(&site.layout.work)).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    (wanted > free).then(|| {
        Error::new(Kind::QuotaExceeded, format!("{wanted} bytes are to be written, {free} are free"))
            .with("path", site.layout.work.display())
            .hint("free some space, or delete old versions")
    })
}

/// Pages of others, which will stay as they are and list nothing of ours.
fn foreign_pages(site: &Site, folder: &Folder) -> Vec<Finding> {
    let public = &site.layout.public;
    let dirs = BTreeSet::from([public.clone(), public.join(folder.suite.as_str()), public.join(folder.line())]);
    let pages = dirs.iter().map(|dir| dir.join(INDEX)).filter(|page| listing::is_foreign_page(page));
    let warn = |page: std::path::PathBuf| {
        let error = Error::new(Kind::NameTaken, "this page was made by somebody else and is left as it is")
            .with("path", page.display())
            .hint("remove it to have the list of versions made here");
        finding(site, Severity::Warning, &error)
    };
    pages.map(warn).collect()
}
