//! Where everything is: the mirrored directory, the work directory beside it, and the names of files in both.
//!
//! Pure, except that a [`Layout`] resolves its path once. Names that could leave the directory, or that mean something
//! else in it, are refused here.

use std::fs;
use std::path::{Path, PathBuf};

use super::config::FormatChoice;
use crate::disk::{Format, Packing};
use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, KeyTag, Place};
use crate::names::{Class, ImageId, PointerName, Region, Suite, Version};
use crate::publisher::{ImageAt, ImageSpec};

/// The checksums of a version directory.
pub(super) const SUMS: &str = "SHA512SUMS";
/// The page of a directory.
pub(super) const INDEX: &str = "index.html";
/// The link to the newest version.
pub(super) const LATEST: &str = "latest";

/// The mirrored directory and the work directory beside it.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// What is mirrored.
    pub(super) public: PathBuf,
    /// `<public>.work`.
    pub(super) work: PathBuf,
    /// Its directory as an account.
    pub(super) place: Place,
    /// The one region.
    pub(super) region: Region,
}

impl Layout {
    /// Resolves links in `path` as far as it exists; changes nothing.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let wrong = |message: &'static str| {
            let hint = "give `path` the absolute name of the directory to be mirrored, such as /srv/images/public";
            Error::new(Kind::InvalidInput, message).with("path", path.display()).hint(hint)
        };
        if !path.is_absolute() {
            return Err(wrong("the path of a local target is not absolute"));
        }
        let public = resolve(path).ok_or_else(|| wrong("the path of a local target cannot be resolved"))?;
        let text = public.to_str().ok_or_else(|| wrong("the path of a local target is no text"))?;
        let name = public.file_name().ok_or_else(|| wrong("the path of a local target has no name"))?;
        let mut beside = name.to_owned();
        beside.push(".work");
        Ok(Self {
            work: public.with_file_name(beside),
            place: Place { provider: "local".parse()?, account: text.parse()? },
            region: "local".parse()?,
            public,
        })
    }

    /// Where drafts of small files are made, and what is being removed goes first.
    pub(super) fn tmp(&self) -> PathBuf {
        self.work.join("tmp")
    }

    /// Where version directories grow.
    pub(super) fn building(&self) -> PathBuf {
        self.work.join("building")
    }

    /// Where uploads arrive, each in a directory called by its token.
    pub(super) fn staged(&self) -> PathBuf {
        self.work.join("staged")
    }

    /// Where retired images are, each in a tree called by its key.
    pub(super) fn retired(&self) -> PathBuf {
        self.work.join("retired")
    }

    /// Where each image's record is.
    pub(super) fn state(&self) -> PathBuf {
        self.work.join("state")
    }

    /// The key of an image here.
    pub(super) fn key(&self, tags: &ImageTags) -> KeyTag {
        tags.key(&self.place, &self.region)
    }

    /// The token under which an image's bytes arrive: other content, other token.
    pub(super) fn token(&self, tags: &ImageTags) -> String {
        tags.token(&self.place, &self.region, 0)
    }
}

/// Resolves the longest existing part of a path and appends the rest, which may not go up.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut rest = Vec::new();
    let mut here = path;
    loop {
        if let Ok(real) = fs::canonicalize(here) {
            return Some(rest.iter().rev().fold(real, |real, name| real.join(name)));
        }
        if fs::symlink_metadata(here).is_ok() {
            return None;
        }
        rest.push(here.file_name()?.to_owned());
        here = here.parent()?;
    }
}

/// The directory of one version, the same in every tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Folder {
    /// The series.
    pub(super) suite: Suite,
    /// The class.
    pub(super) class: Class,
    /// The version.
    pub(super) version: Version,
}

impl Folder {
    /// The directory of an image's version.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when suite or version is a word that means something else in the tree.
    pub(super) fn of(tags: &ImageTags) -> Result<Self> {
        let folder = Self { suite: tags.suite.clone(), class: tags.class, version: tags.version.clone() };
        let taken = ["daily", "dev", LATEST, INDEX, SUMS];
        if folder.suite.as_str() == INDEX || taken.contains(&folder.version.as_str()) {
            let message = format!("`{}/{}` means something else in the tree", folder.suite, folder.version);
            return Err(Error::new(Kind::InvalidInput, message)
                .hint("call the version by a date or number: daily, dev, latest and index.html are taken"));
        }
        Ok(folder)
    }

    /// The directory that holds the versions of this suite and class: `bookworm`, `bookworm/daily`.
    pub(super) fn line(&self) -> String {
        line(&self.suite, self.class)
    }

    /// The directory under a tree's top: `bookworm/daily/20240101-1614`.
    pub(super) fn relative(&self) -> String {
        format!("{}/{}", self.line(), self.version)
    }

    /// The id of a file in it, the same in every state.
    pub(super) fn id(&self, file: &str) -> Result<ImageId> {
        ImageId::new(format!("{}/{file}", self.relative()))
    }

    /// The link that may lead to it; somebody's tries have none.
    pub(super) fn pointer(&self) -> Result<Option<PointerName>> {
        let name = || PointerName::new(format!("{}/{LATEST}", self.line()));
        (self.class != Class::Dev).then(name).transpose()
    }
}

/// The directory that holds the versions of a suite and class.
pub(super) fn line(suite: &Suite, class: Class) -> String {
    match class {
        Class::Release => suite.to_string(),
        Class::Daily | Class::Dev => format!("{suite}/{class}"),
    }
}

/// The name of an image's file.
///
/// # Errors
/// [`Kind::InvalidInput`] when the name could leave the directory, hide in it, or is too long; for a rendition that is
/// not made here.
pub(super) fn file_name(image: &ImageSpec) -> Result<String> {
    let name = image.name.as_str();
    if !is_plain(name) || name.len() > 200 {
        return Err(Error::new(Kind::InvalidInput, format!("`{name}` is not usable as a file name"))
            .hint("let naming.image give at most 200 bytes, without / and \\ and without a leading dot"));
    }
    let format = FormatChoice::of(&image.tags.rendition)?;
    Ok(format!("{name}.{}", format.extension(image.format, image.packing())))
}

/// What an image file holds, by its name: the format of the disk, and what is around it.
pub(super) fn format_of(file: &str) -> Option<(Format, Option<Packing>)> {
    split(file).map(|(_, format, packing)| (format, packing))
}

/// The parts of an image file's name. A tar archive, whose disk is always raw, goes without the word.
fn split(file: &str) -> Option<(&str, Format, Option<Packing>)> {
    let suffixed = |packing: Packing| Some((file.strip_suffix(packing.as_str())?.strip_suffix('.')?, packing));
    // "tar.xz" ends in "xz", too.
    if let Some((name, packing)) = Packing::ALL.into_iter().filter(|packing| packing.is_tar()).find_map(suffixed) {
        return Some((name, Format::Raw, Some(packing)));
    }
    let (file, packing) = match Packing::ALL.into_iter().find_map(suffixed) {
        Some((inner, packing)) => (inner, Some(packing)),
        None => (file, None),
    };
    let (name, extension) = file.rsplit_once('.')?;
    let format = [Format::Raw, Format::Qcow2, Format::Vhd].into_iter().find(|format| format.as_str() == extension)?;
    Some((name, format, packing))
}

/// What an image file is, in words for people.
pub(super) fn kind_of(file: &str) -> String {
    match format_of(file) {
        Some((Format::Raw, None)) => "raw disk".to_owned(),
        Some((Format::Vhd, None)) => "fixed VHD".to_owned(),
        Some((format, None)) => format.to_string(),
        Some((Format::Raw, Some(packing))) if packing.is_tar() => format!("disk.raw in a {packing}"),
        Some((format, Some(packing))) => format!("{format} in {packing}"),
        None => "file".to_owned(),
    }
}

/// Whether a text is one visible name in a directory.
pub(super) fn is_plain(name: &str) -> bool {
    let bad = |c: char| c == '/' || c == '\\' || c.is_control();
    !name.is_empty() && !name.starts_with('.') && !name.contains(bad)
}

/// The image's name in an image file's name, `None` for other files.
pub(super) fn stem(file: &str) -> Option<&str> {
    split(file).map(|(name, _, _)| name).filter(|name| !name.is_empty())
}

/// The name of the build manifest beside an image file.
pub(super) fn manifest_name(file: &str) -> String {
    format!("{}.json", stem(file).unwrap_or(file))
}

/// The directory and file of an image that somebody names by its id.
///
/// # Errors
/// [`Kind::Refused`] when the id is not where the tags say, [`Kind::InvalidInput`].
pub(super) fn take_apart(at: &ImageAt) -> Result<(Folder, String)> {
    let folder = Folder::of(&at.tags)?;
    let inside = at.id.as_str().strip_prefix(&folder.relative()).and_then(|rest| rest.strip_prefix('/'));
    match inside.filter(|file| is_plain(file) && stem(file).is_some()) {
        Some(file) => Ok((folder, file.to_owned())),
        None => Err(Error::new(Kind::Refused, "the id is no file of the version that the tags name")
            .with("id", &at.id)
            .hint("survey again: the id may come from another target")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, format_of, is_plain, stem};
    use crate::disk::{Format, Packing};

    #[test]
    fn names_that_leave_or_hide_are_not_plain() {
        for bad in ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a\nb"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert!(is_plain("debian-12-generic-amd64"));
    }

    #[test]
    fn only_image_files_have_a_stem() {
        assert_eq!(stem("a.b.qcow2"), Some("a.b"));
        assert_eq!(stem("a.b.tar.gz"), Some("a.b"));
        assert_eq!((stem("SHA512SUMS"), stem(".raw"), stem("a.gz")), (None, None, None));
        assert_eq!(stem("a.json"), None);
        assert_eq!(format_of("a.vhd"), Some((Format::Vhd, None)));
        assert_eq!((stem("a.b.raw.xz"), format_of("a.raw.xz")), (Some("a.b"), Some((Format::Raw, Some(Packing::Xz)))));
        assert_eq!((stem("a.tar.xz"), format_of("a.tar.xz")), (Some("a"), Some((Format::Raw, Some(Packing::TarXz)))));
        assert_eq!((stem("a.tar"), format_of("a.tar")), (Some("a"), Some((Format::Raw, Some(Packing::Tar)))));
        assert_eq!((stem("a.xz"), stem("a.json.gz"), stem("tar.xz")), (None, None, None));
    }

    #[test]
    fn the_account_is_the_same_before_and_after_the_directory_exists() {
        let top = tempfile::tempdir().unwrap();
        let real = top.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, top.path().join("alias")).unwrap();
        let path = top.path().join("alias/public");
        let before = Layout::new(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let after = Layout::new(&path).unwrap();
        assert_eq!(before.place, after.place);
        assert!(after.work.ends_with("real/public.work"));
    }

    #[test]
    fn a_path_that_cannot_be_resolved_is_refused() {
        let top = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", top.path().join("broken")).unwrap();
        assert!(Layout::new(&top.path().join("broken")).is_err());
        assert!(Layout::new(&top.path().join("missing/../x")).is_err());
        assert!(Layout::new(std::path::Path::new("relative")).is_err());
    }
}
