//! A folder that exists for one run: a copy of the configuration's folder, and what the fakes' clients read.
//!
//! [`mirror`] makes the copy. What is written (`state`, the directories of `local` targets) is absent from it, so that it is
//! made there anew.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud_publish_core::local::LocalConfig;
use cloud_publish_core::manifest::{Config, State};
use tempfile::TempDir;

use super::{config, mirror};

/// What the names of all such folders begin with.
pub(super) const PREFIX: &str = "cloud-publish-sandbox-";

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
        let written = confined(config)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let scratch = Self { folder, _lock: lock };
        mirror::make(&config.folder, &scratch.site(), &written)?;
        // As it may be a link: some readers would take the folder that it leads to.
        let name = file.file_name().ok_or_else(|| format!("{} is not a file", file.display()))?;
        let copy = scratch.site().join(name);
        fs::remove_file(&copy).and_then(|()| fs::copy(file, &copy)).map_err(failed)?;
        // An absolute path leads to the original from here too.
        confined(&config::read(&copy)?)?;
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

/// What runs write, relative to the configuration's folder; refused when it lies elsewhere.
fn confined(config: &Config) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    // By default it is the folder itself, and so the copy.
    if config.work_dir != config.folder {
        paths.push(("work_dir".to_owned(), config.work_dir.clone()));
    }
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
    fn the_folder_itself_may_be_the_work_dir() {
        for line in ["", "work_dir = \".\"\n", "work_dir = \"./\"\n"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("publish.toml");
            fs::write(&file, format!("{line}{}", CONFIG.replace("PATH", "public"))).unwrap();
            let scratch = Scratch::make(&file, &config::read(&file).unwrap()).unwrap();
            let copy = config::read(&scratch.site().join("publish.toml")).unwrap();
            assert_eq!(copy.work_dir, scratch.site(), "{line}");
        }
    }

    #[test]
    fn an_absolute_path_into_the_folder_is_refused_as_it_leads_to_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("public");
        let refused = scratch(folder.path(), inside.to_str().unwrap()).unwrap_err();
        assert!(refused.starts_with("`path` of target.local leads out of"), "{refused}");
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
