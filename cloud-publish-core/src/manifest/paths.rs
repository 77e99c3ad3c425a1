//! Paths in our files: relative ones that stay inside their folder, and paths of the configuration.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::words::quote;
use crate::error::{Error, Kind, Result};

/// A path that, by its text, stays inside the folder it is relative to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RelativePath(PathBuf);

impl RelativePath {
    /// The path below `folder`.
    pub(crate) fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

impl FromStr for RelativePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        config_path(text)?;
        let path = Path::new(text);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if inside && path.file_name().is_some() {
            return Ok(Self(normal(path)));
        }
        Err(Error::new(Kind::InvalidInput, format!("{} leaves the manifest's folder", quote(text)))
            .hint("name a file beside the manifest or below it, without `..`"))
    }
}

impl TryFrom<String> for RelativePath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// Checks the text of a path that may lead anywhere.
pub(crate) fn config_path(text: &str) -> Result<()> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Error::new(Kind::InvalidInput, format!("{} is not a usable path", quote(text))));
    }
    Ok(())
}

/// The folder of a file; `.` is left away.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(normal).unwrap_or_default()
}

/// `path` seen from `folder`, without `.` parts; `..` stays, because a symlink may come before it.
pub(crate) fn resolve(folder: &Path, path: impl AsRef<Path>) -> PathBuf {
    normal(&folder.join(path))
}

fn normal(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RelativePath, folder_of, resolve};

    #[test]
    fn a_relative_path_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "/etc/passwd", "a/../../b", "a/..", "a\0b"] {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad:?}");
        }
        let good: RelativePath = "./images/disk.raw".parse().unwrap();
        assert_eq!(good.below(Path::new("releases")), Path::new("releases/images/disk.raw"));
    }

    #[test]
    fn the_same_folder_written_differently_is_the_same_path() {
        assert_eq!(resolve(Path::new("etc"), "./public/"), resolve(Path::new("./etc"), "public"));
        assert_eq!(folder_of(Path::new("publish.toml")), Path::new(""));
    }
}
