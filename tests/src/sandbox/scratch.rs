//! A folder that exists for one run: a copy of the configuration's folder, and what the fakes' clients read.
//!
//! The copy is made of links: whatever is only read (releases, scripts, certificates) is the user's own. What is written
//! (`state`, `work_dir`, the directories of `local` targets) is absent from the copy, so that it is made there anew.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud_publish_core::local::LocalConfig;
use cloud_publish_core::manifest::{Config, State};
use tempfile::TempDir;

const PREFIX: &str = "cloud-publish-sandbox-";

/// Locked as long as its sandbox lives.
const LOCK: &str = "lock";

/// A folder without a locked file is taken for a dead sandbox's only when it is older.
const YOUNG: Duration = Duration::from_secs(60);

/// The folder; it is removed with this value.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes the folder, and removes those of sandboxes that were killed.
    pub(super) fn make(file: &Path, config: &Config) -> Result<Self, String> {
        sweep();
        let failed = |error: std::io::Error| format!("cannot make a folder for the sandbox: {error}");
        let written = written(config)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let scratch = Self { folder, _lock: lock };
        mirror(&config.folder, &scratch.site(), Path::new(""), &written).map_err(failed)?;
        // A link would lead some readers to its folder.
        let name = file.file_name().ok_or_else(|| format!("{} is not a file", file.display()))?;
        let copy = scratch.site().join(name);
        fs::remove_file(&copy).and_then(|()| fs::copy(file, &copy)).map_err(failed)?;
        Ok(scratch)
    }

    /// The copy of the configuration's folder.
    pub(super) fn site(&self) -> PathBuf {
        self.path("site")
    }

    /// A path beside the copy.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the copy.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// What runs write, relative to the configuration's folder.
fn written(config: &Config) -> Result<Vec<PathBuf>, String> {
    let mut paths = vec![("work_dir".to_owned(), config.work_dir.clone())];
    if let State::Folder(state) = &config.state {
        paths.push(("state".to_owned(), state.clone()));
    }
    for target in config.targets.values().filter(|target| target.provider.as_str() == "local") {
        let own: LocalConfig = target.own().map_err(|error| error.to_string())?;
        let mut beside = own.path.clone().into_os_string();
        beside.push(".work");
        let name = format!("`path` of target.{}", target.name);
        paths.push((name.clone(), own.path));
        paths.push((name, beside.into()));
    }
    let inside = |(name, path): (String, PathBuf)| {
        let below = path.strip_prefix(&config.folder).ok();
        let plain = |path: &&Path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let below = below.filter(plain).filter(|path| path.file_name().is_some());
        below.map(Path::to_owned).ok_or_else(|| {
            format!(
                "{name} leads out of the configuration's folder, to {}: the sandbox would write there\n\
                 hint: try a copy of the configuration with a path below its folder",
                path.display()
            )
        })
    };
    paths.into_iter().map(inside).collect()
}

/// Links everything of a folder but what is written.
fn mirror(from: &Path, to: &Path, at: &Path, written: &[PathBuf]) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, at) = (entry.file_name(), at.join(entry.file_name()));
        if written.contains(&at) {
            continue;
        }
        // A way to what is written must be of our own.
        if written.iter().any(|path| path.starts_with(&at)) && entry.path().is_dir() {
            mirror(&entry.path(), &to.join(name), &at, written)?;
        } else {
            symlink(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Removes what sandboxes left that had no time to.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let age = entry.metadata().and_then(|found| found.modified()).ok().and_then(|time| time.elapsed().ok());
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        if age.is_some_and(|age| age > YOUNG) && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            // What belongs to somebody else stays.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Scratch;
    use crate::sandbox::config;

    const CONFIG: &str = "schema = 1\nowner = \"debian\"\nreleases = \"var/releases\"\nstate = \"var/state\"\n\
                          [target.local]\nprovider = \"local\"\npath = \"PATH\"\n";

    fn scratch(folder: &Path, path: &str) -> Result<Scratch, String> {
        let file = folder.join("publish.toml");
        fs::write(&file, CONFIG.replace("PATH", path)).unwrap();
        Scratch::make(&file, &config::read(&file)?)
    }

    #[test]
    fn the_copy_has_what_is_read_and_lacks_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["var/releases", "var/state/ledger", "public", "public.work"] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        fs::write(folder.path().join("var/releases/r.toml"), "x").unwrap();
        let scratch = scratch(folder.path(), "public").unwrap();
        let site = scratch.site();
        assert_eq!(fs::read_to_string(site.join("var/releases/r.toml")).unwrap(), "x");
        for path in ["var/state", "public", "public.work"] {
            assert!(!site.join(path).exists(), "{path}");
        }
        fs::create_dir(site.join("var/state")).unwrap();
        assert!(folder.path().join("var/state/ledger").exists());
        drop(scratch);
        assert!(!site.exists());
    }

    #[test]
    fn a_directory_outside_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        for outside in ["/srv/images", "../public", "."] {
            let refused = scratch(folder.path(), outside).unwrap_err();
            assert!(refused.starts_with("`path` of target.local leads out of"), "{refused}");
        }
    }
}
