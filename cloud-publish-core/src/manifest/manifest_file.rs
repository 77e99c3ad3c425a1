//! The file that a release was read from, so that a change of it is noticed before the release becomes public.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::document::Document;
use crate::error::{Error, Kind, Result};

/// A manifest file as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    path: PathBuf,
    sha256: [u8; 32],
}

impl ManifestFile {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { path: path.to_owned(), sha256: Sha256::digest(text).into() }
    }

    /// Refuses when the file does not hold the same text any more. Only the text counts, not when it was written.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when it was changed or is gone.
    pub fn check_unchanged(&self) -> Result<()> {
        let changed = || {
            Error::new(Kind::InvalidInput, "the manifest was changed while its release was being published")
                .with("file", self.path.display())
                .hint("run the same command again: it reads the manifest and verifies the files anew")
        };
        match Document::text_of(&self.path) {
            Ok(text) if Self::new(&self.path, &text) == *self => Ok(()),
            Ok(_) => Err(changed()),
            Err(error) => Err(changed().caused_by(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::error::Kind;
    use crate::manifest::Release;
    use crate::manifest::examples::RELEASE;

    #[test]
    fn another_text_or_none_is_noticed_and_the_same_written_again_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bookworm-20240101.toml");
        fs::write(&file, RELEASE).unwrap();
        let manifest = Release::read(&file).unwrap().file.unwrap();
        fs::write(&file, RELEASE).unwrap();
        manifest.check_unchanged().unwrap();
        fs::write(&file, format!("{RELEASE}\n")).unwrap();
        assert_eq!(manifest.check_unchanged().unwrap_err().kind(), Kind::InvalidInput);
        fs::remove_file(&file).unwrap();
        assert_eq!(manifest.check_unchanged().unwrap_err().kind(), Kind::InvalidInput);
    }

    #[test]
    fn a_release_that_was_never_a_file_has_none() {
        assert_eq!(Release::parse("nowhere.toml".as_ref(), RELEASE).unwrap().file, None);
    }
}
