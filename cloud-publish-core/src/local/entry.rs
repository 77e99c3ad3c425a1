//! What a version directory holds: the image files that its build manifests tell of.

use std::fs;
use std::path::{Path, PathBuf};

use super::build_manifest::BuildManifest;
use super::files;
use super::layout::{Folder, Layout, manifest_name, stem};
use super::upload_item::Upload;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;

/// The three trees that have version directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tree {
    /// The mirrored one.
    Public,
    /// Taken back, restorable.
    Retired,
    /// Not published yet.
    Building,
}

/// One image that a build manifest tells of; its file may be missing.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where.
    pub(super) tree: Tree,
    /// The version directory in that tree.
    pub(super) dir: PathBuf,
    /// The version.
    pub(super) folder: Folder,
    /// The file's name.
    pub(super) file: String,
    /// What the build manifest says.
    pub(super) upload: Upload,
}

impl Entry {
    /// The image file.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(&self.file)
    }

    /// Whether the image file is there.
    pub(super) fn is_present(&self) -> bool {
        files::is_file(&self.path())
    }

    /// Bytes of the image file.
    pub(super) fn size(&self) -> Result<u64> {
        let path = self.path();
        fs::symlink_metadata(&path).map(|found| found.len()).map_err(files::failed("could not look at", &path))
    }

    /// Who it is.
    ///
    /// # Errors
    /// [`Kind::Refused`] when its tags cannot be believed.
    pub(super) fn tags(&self, layout: &Layout) -> Result<ImageTags> {
        self.upload.tags(layout).map_err(|trouble| {
            Error::new(Kind::Refused, "the tags in a build manifest cannot be believed")
                .with("path", self.path().display())
                .hint("look at the annotations of the Upload in the build manifest beside it; nothing was changed")
                .caused_by(trouble)
        })
    }

    /// The build manifest beside the file.
    pub(super) fn manifest(&self) -> PathBuf {
        self.dir.join(manifest_name(&self.file))
    }
}

/// What was read of a version directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// The images of any owner, sorted by file name; also those whose file is missing.
    pub(super) entries: Vec<Entry>,
    /// Build manifests that cannot be read.
    pub(super) problems: Vec<String>,
}

/// Reads a version directory; one that is not there is empty.
pub(super) fn read(dir: &Path, folder: &Folder, tree: Tree) -> Result<Contents> {
    let mut contents = Contents::default();
    for name in files::names(dir)?.iter().filter(|name| name.ends_with(".json")) {
        let path = dir.join(name);
        let manifest = match read_manifest(&path) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => continue,
            Err(error) => {
                contents.problems.push(format!("{}: {}", path.display(), error.chain().join(": ")));
                continue;
            }
        };
        for upload in manifest.uploads().filter(Upload::is_tagged) {
            let file = upload.file_in(folder).filter(|file| stem(file).is_some() && manifest_name(file) == *name);
            if let Some(file) = file.map(ToOwned::to_owned) {
                let (dir, folder) = (dir.to_owned(), folder.clone());
                contents.entries.push(Entry { tree, dir, folder, file, upload });
            }
        }
    }
    contents.entries.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(contents)
}

/// Reads a version directory that is about to be changed.
///
/// # Errors
/// [`Kind::Storage`] when a build manifest in it cannot be read: nothing may be rewritten around it.
pub(super) fn read_sound(dir: &Path, folder: &Folder, tree: Tree) -> Result<Vec<Entry>> {
    let contents = read(dir, folder, tree)?;
    match contents.problems.first() {
        None => Ok(contents.entries),
        Some(problem) => Err(Error::new(Kind::Storage, format!("a build manifest cannot be read: {problem}"))
            .hint("restore the file from a mirror, or move it out of the directory")),
    }
}

/// Reads a build manifest, `None` when it is not there.
pub(super) fn read_manifest(path: &Path) -> Result<Option<BuildManifest>> {
    files::read_small(path)?.map(|bytes| BuildManifest::parse(&bytes)).transpose()
}
