//! Preflight: what would stop a publication to this directory, found before the first byte; it writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, FsWord, PROC_SUPER_MAGIC, access, statfs, statvfs};

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

/// File systems that keep no files, though `root` seems to be allowed to write there: proc, sysfs, cgroup2.
/// <https://man7.org/linux/man-pages/man2/statfs.2.html>
const OF_THE_KERNEL: [FsWord; 3] = [PROC_SUPER_MAGIC, 0x6265_6572, 0x6367_7270];

/// Looks; see [`crate::publisher::Publisher::preflight`].
pub(super) fn preflight(site: &Site, request: &PreflightRequest) -> Vec<Finding> {
    let mut troubles = directories(site);
    let is_usable = troubles.is_empty();
    let (mut files, mut folders) = (BTreeMap::new(), BTreeSet::new());
    for (image, region) in &request.additions {
        if let Err(error) = addition(site, image, region) {
            tell(&mut troubles, error);
        }
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
    if is_usable {
        troubles.extend(space(site, files.values().sum()));
    }
    let mut findings: Vec<Finding> = troubles.iter().map(|error| finding(site, Severity::Error, error)).collect();
    findings.extend(folders.iter().flat_map(|folder| foreign_pages(site, folder)));
    findings
}

/// Adds what is not told yet: what is wrong with a directory is so for each of its images.
fn tell(troubles: &mut Vec<Error>, error: Error) {
    if troubles.iter().all(|told| told.chain() != error.chain()) {
        troubles.push(error);
    }
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
    refuse_closed(site, &image.tags, &file_name(image)?)?;
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
        if let Err(error) = usable(path, existing) {
            tell(&mut troubles, error);
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

/// What forbids making `path` below the nearest directory that exists.
fn usable(path: &Path, existing: &Path) -> Result<()> {
    let found = fs::metadata(existing).map_err(files::failed("could not look at", existing))?;
    if !found.is_dir() {
        let error = Error::new(Kind::InvalidInput, "there is something else where a directory must be");
        return Err(error.with("path", existing.display()).hint("move it away, or choose another `path`"));
    }
    if statfs(existing).is_ok_and(|system| OF_THE_KERNEL.contains(&system.f_type)) {
        let error = Error::new(Kind::InvalidInput, "no directory can be made here: it belongs to the kernel");
        return Err(error.with("path", existing.display()).hint("choose another `path`"));
    }
    access(existing, Access::WRITE_OK | Access::EXEC_OK).map_err(|errno| {
        let hint = format!("give it write access to {} and what is above it as far as missing", path.display());
        Error::new(Kind::PermissionDenied, "this user may not write here")
            .with("path", existing.display())
            .hint(hint)
            .caused_by(io::Error::from(errno))
    })
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
    // Some file systems do not count.
    if room.f_blocks == 0 {
        return None;
    }
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
