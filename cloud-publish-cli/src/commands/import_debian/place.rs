//! Where the manifest goes: its name, its folder, and writing it without ever leaving half of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::ReleaseName;

/// Where to write.
#[derive(Debug)]
pub(super) struct Place {
    to: To,
    below: String,
}

#[derive(Debug)]
enum To {
    Out,
    Folder(PathBuf),
    File(PathBuf, ReleaseName),
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It was written.
    New,
    /// It said the same already.
    Same,
    /// It would have been written.
    Not,
}

impl Place {
    /// The place that `out` names, for a manifest of the images in `images`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the images would not be beside the manifest or below it, or its name is not usable.
    pub(super) fn of(out: Option<&Path>, images: &Path) -> Result<Self> {
        let to = match out {
            None => To::Folder(images.to_owned()),
            Some(out) if out == Path::new("-") => To::Out,
            Some(out) if out.is_dir() => To::Folder(out.to_owned()),
            Some(out) => To::File(out.to_owned(), name_of(out)?),
        };
        let below = match &to {
            To::Out => String::new(),
            To::Folder(folder) => below(folder, images)?,
            To::File(file, _) => below(file.parent().unwrap_or(Path::new("")), images)?,
        };
        Ok(Self { to, below })
    }

    /// The release's name, if the file's name says it.
    pub(super) fn name(&self) -> Option<ReleaseName> {
        match &self.to {
            To::File(_, name) => Some(name.clone()),
            To::Out | To::Folder(_) => None,
        }
    }

    /// The images' folder seen from the manifest's.
    pub(super) fn below(&self) -> &str {
        &self.below
    }

    /// The file of a release; `None` for standard output.
    pub(super) fn file(&self, name: &ReleaseName) -> Option<PathBuf> {
        match &self.to {
            To::Out => None,
            To::Folder(folder) => Some(folder.join(format!("{name}.toml"))),
            To::File(file, _) => Some(file.clone()),
        }
    }
}

fn name_of(file: &Path) -> Result<ReleaseName> {
    match (file.extension().and_then(OsStr::to_str), file.file_stem().and_then(OsStr::to_str)) {
        (Some("toml"), Some(stem)) => ReleaseName::new(stem),
        _ => Err(Error::new(Kind::InvalidInput, format!("`{}` is not a name for a manifest", file.display())).hint(
            format!("call it NAME.toml, after the release; for a folder, make it first: `mkdir {}`", file.display()),
        )),
    }
}

/// `images` seen from `folder`.
fn below(folder: &Path, images: &Path) -> Result<String> {
    let real = |path: &Path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::canonicalize(path).map_err(|error| {
            Error::new(Kind::InvalidInput, format!("could not open the folder `{}`", path.display())).caused_by(error)
        })
    };
    let (above, real_images) = (real(folder)?, real(images)?);
    let outside = || {
        Error::new(Kind::InvalidInput, format!("`{}` is not below `{}`", images.display(), folder.display()))
            .hint("images lie beside their manifest or below it: write the manifest there, or move the images")
    };
    let inner = real_images.strip_prefix(above).map_err(|_| outside())?;
    let parts: Option<Vec<&str>> = inner.components().map(text).collect();
    Ok(parts.ok_or_else(outside)?.join("/"))
}

fn text(part: Component<'_>) -> Option<&str> {
    part.as_os_str().to_str()
}

/// Makes a file hold a text, by renaming a complete one over it.
///
/// # Errors
/// [`Kind::Conflict`] when something else is there and may not be replaced, [`Kind::Storage`].
pub(super) fn write(file: &Path, text: &str, (force, dry_run): (bool, bool)) -> Result<Written> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Storage, format!("could not write `{}`", file.display()))
            .hint("make room and let this user write there, or name another place with --out")
            .caused_by(error)
    };
    match fs::read(file) {
        Ok(there) if there == text.as_bytes() => return Ok(Written::Same),
        Ok(_) if !force => {
            return Err(Error::new(Kind::Conflict, format!("`{}` says something else", file.display())));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if dry_run {
        return Ok(Written::Not);
    }
    let (draft, mut new) = draft(file).map_err(failed)?;
    let done = new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).and_then(|()| fs::rename(&draft, file));
    done.map_err(|error| {
        // Half a draft is of no use to anybody.
        drop(fs::remove_file(&draft));
        failed(error)
    })?;
    Ok(Written::New)
}

/// A new file beside `file`, under a name that nobody can foresee: others may put links into a folder that is shared.
fn draft(file: &Path) -> std::io::Result<(PathBuf, File)> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    // Its keys are random.
    name.push(format!(".{:016x}.new", RandomState::new().hash_one(std::process::id())));
    let path = file.with_file_name(name);
    Ok((path.clone(), File::create_new(path)?))
}
