//! The files of a version directory that tell of the others: checksums, its page, and which uploads its build manifests
//! name. They are made again, by renames, whenever an image comes back or goes.

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest as _, Sha512};

use super::entry::{self, Entry, Tree};
use super::files;
use super::layout::{Folder, INDEX, Layout, SUMS, kind_of, manifest_name};
use super::page::{self, FileLine};
use super::record::Record;
use crate::digest::hex;
use crate::error::{Error, Kind, Result};

/// Writes `SHA512SUMS` and `index.html` of a version directory for the images that are there, as if `without` were not.
/// Its build manifest is about to change, so the checksums leave that out, too, even if it tells of other images.
///
/// Returns how many images the page lists: hidden ones are there and have checksums, but nobody is led to them.
pub(super) fn write(layout: &Layout, folder: &Folder, dir: &Path, without: Option<&str>) -> Result<usize> {
    let mut entries = entry::read_sound(dir, folder, Tree::Public)?;
    entries.retain(|entry| entry.is_present() && without != Some(entry.file.as_str()));
    let sums = sums(&entries, without.map(manifest_name))?;
    files::write(&layout.tmp(), &dir.join(SUMS), sums.as_bytes())?;
    let (mut lines, mut date) = (Vec::new(), Timestamp::UNIX_EPOCH);
    for entry in &entries {
        let tags = entry.tags(layout)?;
        date = date.max(tags.date);
        if Record::read(layout, &layout.key(&tags))?.is_some_and(|record| record.hidden) {
            continue;
        }
        lines.push(FileLine {
            file: entry.file.clone(),
            manifest: name_of(&entry.manifest()),
            description: entry.upload.description().to_owned(),
            made_for: format!("{}, {}", tags.variant, tags.arch),
            format: kind_of(&entry.file),
            size: entry.size()?,
            sha512: sha512(entry)?,
            digest: tags.digest.to_string(),
            build_job: entry.upload.build_job().map(ToOwned::to_owned),
            outside_suite: entry.upload.outside_suite(),
        });
    }
    files::write(&layout.tmp(), &dir.join(INDEX), page::version(folder, date, &lines).as_bytes())?;
    Ok(lines.len())
}

/// Makes the build manifests of a version directory name only files that are there; removes those that name none.
pub(super) fn trim_manifests(layout: &Layout, folder: &Folder, dir: &Path) -> Result<()> {
    let entries = entry::read_sound(dir, folder, Tree::Public)?;
    for entry in entries.iter().filter(|entry| !entry.is_present()) {
        let path = entry.manifest();
        let Some(mut manifest) = entry::read_manifest(&path)? else { continue };
        let is_there = |file: &str| files::is_file(&dir.join(file));
        manifest.retain(|upload| upload.file_in(folder).is_none_or(is_there));
        if manifest.uploads().any(|upload| upload.is_tagged()) {
            files::write(&layout.tmp(), &path, &manifest.to_bytes()?)?;
        } else {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// The checksums of images and build manifests, as `sha512sum` writes them, sorted by name.
fn sums(entries: &[Entry], without: Option<String>) -> Result<String> {
    let mut lines = Vec::new();
    for entry in entries {
        lines.push((entry.file.clone(), sha512(entry)?));
        let path = entry.manifest();
        if without.as_ref() != Some(&name_of(&path)) {
            let bytes = files::read_small(&path)?.unwrap_or_default();
            lines.push((name_of(&path), hex(&Sha512::digest(&bytes))));
        }
    }
    lines.sort();
    lines.dedup();
    Ok(lines.into_iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect())
}

fn sha512(entry: &Entry) -> Result<String> {
    entry.upload.sha512().ok_or_else(|| {
        Error::new(Kind::Storage, "a build manifest has no readable digest of its file")
            .with("path", entry.manifest().display())
            .hint("restore the build manifest from a mirror")
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
