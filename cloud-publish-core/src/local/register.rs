//! Register: a complete upload becomes an image of its version's building directory; and discarding what never did.

use std::path::Path;

use super::build_manifest::BuildManifest;
use super::entry::{self, Tree};
use super::files::{self, Moved};
use super::find;
use super::join::refuse_closed;
use super::layout::{Folder, file_name, manifest_name};
use super::lock::Lock;
use super::record::Record;
use super::site::Site;
use super::upload::Paths;
use super::upload_item::Filed;
use crate::error::{Error, Kind, Result};
use crate::publisher::{ImageSpec, RegisterRequest, Registered};
use crate::survey::FoundStaged;

/// Makes a private image of an upload; see [`crate::publisher::Publisher::register`].
///
/// A kill leaves one of: the upload as it was, with a build manifest that names a file not there yet (ignored, written
/// again); or the image in place, with an empty upload directory (removed by whoever comes next).
pub(super) fn register(site: &Site, request: &RegisterRequest) -> Result<Registered> {
    let (layout, image) = (&site.layout, &*request.image);
    site.check_region(&request.staged.region)?;
    site.check_owner(&image.tags)?;
    let _change = site.change()?;
    let paths = Paths::new(site, &layout.token(&image.tags));
    let registered = |folder: &Folder, file: &str| -> Result<Registered> {
        let made = Registered::new(layout.region.clone(), folder.id(file)?);
        Ok(Registered { links: site.links(folder, file), ..made })
    };
    if let Some(found) = find::by_tags(layout, &image.tags)? {
        files::remove_tree(&paths.dir)?;
        return registered(&found.folder, &found.file);
    }
    let (folder, file) = (Folder::of(&image.tags)?, file_name(image)?);
    refuse_closed(site, &image.tags, &file)?;
    let Some(sha512) = paths.sha512()? else {
        return Err(Error::new(Kind::NotFound, "the uploaded bytes are gone or not complete")
            .with("id", &request.staged.id)
            .hint("run the same command again: it uploads them again"));
    };
    let dir = find::dir(layout, &folder, Tree::Building, &image.tags);
    files::make_dir(&dir)?;
    refuse_taken(&dir, &folder, &file)?;
    Record::new(folder.id(&file)?, image.tags.clone()).write(layout)?;
    let filed = Filed {
        tags: image.tags.clone(),
        file: file.clone(),
        sha512,
        description: image.description.clone(),
        extra: image.extra_tags.clone(),
        build_job: image.build_job.clone(),
        outside_suite: image.outside_suite.clone(),
    };
    let path = dir.join(manifest_name(&file));
    let mut manifest = match entry::read_manifest(&path)? {
        Some(manifest) => manifest,
        None => given_manifest(image)?,
    };
    manifest.put(layout, &folder, &filed);
    files::write(&layout.tmp(), &path, &manifest.to_bytes()?)?;
    if files::rename_new(&paths.image(), &dir.join(&file))? == Moved::Taken {
        return Err(taken(&file));
    }
    files::remove_tree(&paths.dir)?;
    registered(&folder, &file)
}

/// The build's own manifest, or an empty list; uploads of ours in it were published elsewhere and stay behind.
pub(super) fn given_manifest(image: &ImageSpec) -> Result<BuildManifest> {
    let Some(path) = &image.build_manifest else { return Ok(BuildManifest::empty()) };
    let read = || -> Result<BuildManifest> {
        let bytes = files::read_small(path)?.ok_or_else(|| {
            Error::new(Kind::InvalidInput, "the build manifest is not there").hint("correct `build_manifest`")
        })?;
        let mut manifest = BuildManifest::parse(&bytes)?;
        manifest.retain(|_| false);
        Ok(manifest)
    };
    read().map_err(|error| error.with("path", path.display()))
}

/// Refuses a file name that another image of the version has.
fn refuse_taken(dir: &Path, folder: &Folder, file: &str) -> Result<()> {
    let entries = entry::read_sound(dir, folder, Tree::Building)?;
    let is_taken = entries.iter().any(|entry| entry.is_present() && entry.file == file);
    if is_taken { Err(taken(file)) } else { Ok(()) }
}

fn taken(file: &str) -> Error {
    Error::new(Kind::NameTaken, format!("another image of this version is called {file}"))
        .hint("let naming.image have {variant} and {arch} in it")
}

/// Removes an upload that never became an image; see [`crate::publisher::Publisher::discard`].
pub(super) fn discard(site: &Site, staged: &FoundStaged) -> Result<()> {
    site.check_region(&staged.region)?;
    let refused = |message: &'static str| Error::new(Kind::Refused, message).with("id", &staged.id);
    let Some(tags) = &staged.tags else {
        return Err(refused("nobody can tell whose upload this is")
            .hint("look into its directory under the work directory and remove it by hand"));
    };
    site.check_owner(tags)?;
    if site.layout.token(tags) != staged.id {
        return Err(refused("the upload's name does not belong to its tags").hint("survey again"));
    }
    let _change = site.change()?;
    let paths = Paths::new(site, &staged.id);
    if !files::exists(&paths.dir)? {
        return Ok(());
    }
    let Some(_lock) = Lock::take(&paths.dir)? else {
        return Err(refused("somebody is uploading to it").hint("wait until the other run is done"));
    };
    files::remove_tree(&paths.dir)
}
