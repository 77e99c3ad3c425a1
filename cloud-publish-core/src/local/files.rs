//! Single file operations that leave nothing half-done: write by rename, rename without replacing, sync.
//!
//! Owns no names and no layout. Every temporary file is made in the work directory beside the mirrored one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::{Error, Kind, Result};

/// A place where tests may look, or cut a verb short.
#[cfg(not(test))]
fn step(_path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
use super::tests::steps::step;

/// Turns a failed file operation into an error that names the path.
pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |error| {
        let kind = if error.kind() == io::ErrorKind::PermissionDenied { Kind::PermissionDenied } else { Kind::Storage };
        let hint = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "give this user write access to the target's path and the .work beside it"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space, then run the same command again"
            }
            io::ErrorKind::CrossesDevices => "the target's path and the .work beside it must be on one file system",
            _ => "see the cause, mend it, then run the same command again",
        };
        Error::new(kind, what).with("path", path).hint(hint).caused_by(error)
    }
}

/// Whether a rename that must not replace anything took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// It did.
    Now,
    /// The name was taken; nothing was changed.
    Taken,
}

/// Renames without ever replacing something.
pub(super) fn rename_new(from: &Path, to: &Path) -> Result<Moved> {
    step(to)?;
    let done = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no flags; the work directory's lock keeps our own kind away meanwhile.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if !exists(to)? => fs::rename(from, to),
        other => other.map_err(io::Error::from),
    };
    match done {
        Ok(()) => {
            sync_parent(from)?;
            sync_parent(to)?;
            Ok(Moved::Now)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Moved::Taken),
        Err(error) => Err(failed("could not rename", to)(error)),
    }
}

/// Swaps two directories in one step.
pub(super) fn exchange(one: &Path, other: &Path) -> Result<()> {
    step(other)?;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            Err(Error::new(Kind::Unsupported, "this file system cannot swap two directories")
                .with("path", other.display())
                .hint("give the release a new version: to a published one nothing can be added here"))
        }
        done => {
            done.map_err(|errno| failed("could not swap", other)(errno.into()))?;
            sync_parent(one)?;
            sync_parent(other)
        }
    }
}

/// Gives a file another name in another directory, without copying it.
pub(super) fn hard_link(from: &Path, to: &Path) -> Result<()> {
    step(to)?;
    fs::hard_link(from, to).map_err(failed("could not link", to))
}

/// Whether something has this name, a dangling link included.
pub(super) fn exists(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if absent(&error) => Ok(false),
        Err(error) => Err(failed("could not look at", path)(error)),
    }
}

/// Whether this is a regular file, not a link to one.
pub(super) fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads a small file of ours, `None` when there is none; at most 16 MiB.
pub(super) fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    const MOST: u64 = 16 << 20;
    let found = match fs::symlink_metadata(path) {
        Err(error) if absent(&error) => return Ok(None),
        other => other.map_err(failed("could not look at", path))?,
    };
    if !found.is_file() || found.len() > MOST {
        let message = "this is no regular file of at most 16 MiB";
        return Err(Error::new(Kind::InvalidInput, message).with("path", path.display()));
    }
    match fs::read(path) {
        Err(error) if absent(&error) => Ok(None),
        other => other.map(Some).map_err(failed("could not read", path)),
    }
}

/// Makes `path` hold exactly `bytes`, by renaming a synced file from `tmp` over it; does nothing when it does already.
pub(super) fn write(tmp: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    if is_file(path) && fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    step(path)?;
    let draft = tmp.join("draft");
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed("could not write", &draft))?;
    step(path)?;
    fs::rename(&draft, path).map_err(failed("could not rename", path))?;
    sync_parent(path)
}

/// Makes `path` a symbolic link to `to`, replacing another link there in one step.
pub(super) fn link(tmp: &Path, path: &Path, to: &str) -> Result<()> {
    let draft = tmp.join("link");
    remove(&draft)?;
    std::os::unix::fs::symlink(to, &draft).map_err(failed("could not link", &draft))?;
    step(path)?;
    fs::rename(&draft, path).map_err(failed("could not rename", path))?;
    sync_parent(path)
}

/// Removes a file or link; gone already is success.
pub(super) fn remove(path: &Path) -> Result<()> {
    step(path)?;
    match fs::remove_file(path) {
        Err(error) if absent(&error) => Ok(()),
        other => other.map_err(failed("could not remove", path)),
    }
}

/// Removes a directory with all that is in it; gone already is success.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    step(path)?;
    match fs::remove_dir_all(path) {
        Err(error) if absent(&error) => Ok(()),
        other => other.map_err(failed("could not remove", path)),
    }
}

/// Removes the directory if it is empty, then its parents while they are, up to and without `top`.
pub(super) fn prune(path: &Path, top: &Path) {
    let within = path.ancestors().take_while(|above| above.starts_with(top) && *above != top);
    for above in within {
        if fs::remove_dir(above).is_err() {
            return;
        }
    }
}

/// Makes a directory and its parents.
pub(super) fn make_dir(path: &Path) -> Result<()> {
    step(path)?;
    fs::create_dir_all(path).map_err(failed("could not make the directory", path))
}

/// The names in a directory, sorted; empty when there is no such directory. Names that are no text are left out.
pub(super) fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if absent(&error) => return Ok(Vec::new()),
        other => other.map_err(failed("could not read the directory", path))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("could not read the directory", path))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// The names of the directories in a directory, sorted; links to directories are none.
pub(super) fn directories(path: &Path) -> Result<Vec<String>> {
    let mut names = names(path)?;
    names.retain(|name| fs::symlink_metadata(path.join(name)).is_ok_and(|found| found.is_dir()));
    Ok(names)
}

/// Makes the names in the directory that holds `path` survive a power cut.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed("could not sync the directory", parent))
}
