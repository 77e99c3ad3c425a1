//! Who may change a directory now: an advisory lock on a file in it, freed by the system when its holder dies.
//!
//! The work directory's lock guards every short change of state, between processes too; an upload directory's lock says
//! that somebody is sending bytes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::files::failed;
use crate::error::Result;

/// A lock on a directory, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock of `dir`, which must exist.
    pub(super) fn wait(dir: &Path) -> Result<Self> {
        loop {
            let file = open(dir)?;
            file.lock().map_err(failed("could not lock", dir))?;
            if is_still(&file, dir) {
                return Ok(Self { _file: file });
            }
        }
    }

    /// Waits until nobody changes `dir`, and writes nothing; `None` when nobody ever did. Readers do not wait for each
    /// other.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let file = File::open(name(dir)).ok()?;
        file.lock_shared().ok()?;
        Some(Self { _file: file })
    }

    /// Takes the lock of `dir`, which must exist, unless somebody has it.
    pub(super) fn take(dir: &Path) -> Result<Option<Self>> {
        let file = open(dir)?;
        match file.try_lock() {
            Ok(()) => Ok(is_still(&file, dir).then_some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("could not lock", dir)(error)),
        }
    }

    /// Whether somebody holds the lock of `dir`.
    pub(super) fn is_held(dir: &Path) -> bool {
        File::open(name(dir)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn name(dir: &Path) -> PathBuf {
    dir.join("lock")
}

/// Opened for writing, which exclusive locks on NFS need.
fn open(dir: &Path) -> Result<File> {
    let path = name(dir);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    opened.map_err(failed("could not open", &path))
}

/// Whether the open file is the one that has the name now: it may have been removed while we waited.
fn is_still(file: &File, dir: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let open = file.metadata().map(identity).ok();
    open.is_some() && open == fs::metadata(name(dir)).map(identity).ok()
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn a_lock_keeps_others_away_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(first.is_some());
        assert!(Lock::take(dir.path()).unwrap().is_none());
        assert!(Lock::is_held(dir.path()));
        drop(first);
        assert!(!Lock::is_held(dir.path()));
        assert!(Lock::take(dir.path()).unwrap().is_some());
    }

    #[test]
    fn reading_makes_no_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Lock::read(dir.path()).is_none());
        assert!(!Lock::is_held(dir.path()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
