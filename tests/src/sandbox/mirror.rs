//! A copy of a folder in which a command may do what it likes.
//!
//! Directories are made anew, and so are files, as copies. Large ones share the original's blocks where the file system can
//! do that, or else its content by a hard link, so that disk images cost nothing: what renames, replaces or removes such a
//! file changes the copy alone; what opens it to write into it would reach the original, and no verb of ours does. On
//! another file system they are copies too. Symbolic links would not do: the files of a release must lie in its folder.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::ioctl_ficlone;

use super::scratch::PREFIX;

/// Smaller files are always copied, in bytes.
const LARGE: u64 = 1 << 20;

/// More files and directories than this are no folder of a configuration.
const MOST: usize = 100_000;

/// Copies a folder to `to`, which must not exist yet, without `left_out`, paths relative to it.
///
/// # Errors
/// What cannot be read or made; too many entries, or a link to a folder that it lies in.
pub(super) fn make(from: &Path, to: &Path, left_out: &[PathBuf]) -> Result<(), String> {
    let root = from.canonicalize().map_err(|error| failed(from, &error))?;
    let mut mirror = Mirror { root: root.clone(), to, left_out, most: MOST, entries: 0 };
    mirror.folder(from, Path::new(""), &mut vec![root])
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("cannot copy {} for the sandbox: {error}", path.display())
}

struct Mirror<'a> {
    /// The original, without links in its path.
    root: PathBuf,
    to: &'a Path,
    left_out: &'a [PathBuf],
    most: usize,
    entries: usize,
}

impl Mirror<'_> {
    /// Copies what is in `from` to `at`. `above` are the folders that it lies in and itself, without links.
    fn folder(&mut self, from: &Path, at: &Path, above: &mut Vec<PathBuf>) -> Result<(), String> {
        let to = self.to.join(at);
        fs::create_dir(&to).map_err(|error| failed(&to, &error))?;
        let entries = match fs::read_dir(from) {
            // Whoever runs this could not read the original either.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
            entries => entries.map_err(|error| failed(from, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed(from, &error))?;
            let at = at.join(entry.file_name());
            let is_sandbox = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if !is_sandbox && !self.left_out.contains(&at) {
                self.entry(&entry, &at, above)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, at: &Path, above: &mut Vec<PathBuf>) -> Result<(), String> {
        self.entries += 1;
        if self.entries > self.most {
            return Err(format!(
                "{} has more than {} files and folders: too many to copy for the sandbox\n\
                 hint: give publish.toml a folder of its own, with the releases and scripts that it needs",
                self.root.display(),
                self.most
            ));
        }
        let path = entry.path();
        // A link that leads nowhere would let the copy write there.
        let Ok(real) = path.canonicalize() else { return Ok(()) };
        let about = fs::metadata(&real).map_err(|error| failed(&path, &error))?;
        let to = self.to.join(at);
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let is_way = self.left_out.iter().any(|path| path.starts_with(at));
        match real.strip_prefix(&self.root) {
            // What is written must not be reached by a link, as it is left out by its path.
            Ok(below) if is_link && !is_way => {
                return symlink(self.to.join(below), &to).map_err(|error| failed(&path, &error));
            }
            _ => {}
        }
        // <https://bford.info/cachedir/>: cargo's `target` is one.
        if about.is_dir() && real.join("CACHEDIR.TAG").is_file() {
            return Ok(());
        }
        if about.is_dir() {
            if above.contains(&real) {
                return Err(format!(
                    "the link {} leads to a folder that it lies in: the sandbox cannot copy it\n\
                     hint: try a copy of the configuration's folder without it",
                    path.display()
                ));
            }
            above.push(real);
            self.folder(&path, at, above)?;
            above.pop();
            return Ok(());
        }
        // Pipes, sockets and devices have no copy.
        if about.is_file() { file(&real, &to, about.len()) } else { Ok(()) }
    }
}

fn file(real: &Path, to: &Path, size: u64) -> Result<(), String> {
    if size >= LARGE && (shared(real, to).is_ok() || fs::hard_link(real, to).is_ok()) {
        return Ok(());
    }
    match fs::copy(real, to) {
        Ok(_) => Ok(()),
        // Whoever runs this could not read the original either.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(format!(
            "{}\nhint: set TMPDIR to a folder of the configuration's file system: there large files need no room",
            failed(real, &error)
        )),
    }
}

/// A file of its own that shares its blocks with the original until one of them is written; leaves nothing if that cannot be.
fn shared(real: &Path, to: &Path) -> io::Result<()> {
    let original = fs::File::open(real)?;
    let copy = fs::File::create_new(to)?;
    let done = ioctl_ficlone(&copy, &original).map_err(io::Error::from);
    let done = done.and_then(|()| copy.set_permissions(original.metadata()?.permissions()));
    if done.is_err() {
        fs::remove_file(to)?;
    }
    done
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::{Path, PathBuf};

    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use tempfile::TempDir;

    use super::{LARGE, Mirror, PREFIX, make};

    struct Place(TempDir);

    impl Place {
        fn new(files: &[&str]) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            for name in files {
                let path = place.from(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, *name).unwrap();
            }
            place
        }

        fn from(&self, name: &str) -> PathBuf {
            self.0.path().join("from").join(name)
        }

        fn to(&self, name: &str) -> PathBuf {
            self.0.path().join(format!("{PREFIX}to")).join(name)
        }

        fn make(&self, left_out: &[&str]) -> Result<(), String> {
            let left_out: Vec<PathBuf> = left_out.iter().map(PathBuf::from).collect();
            make(&self.from(""), &self.to(""), &left_out)
        }
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn what_a_command_writes_stays_in_the_copy() {
        let place = Place::new(&["script", "images/day/notes", "images/disk.raw"]);
        fs::File::options().write(true).open(place.from("images/disk.raw")).unwrap().set_len(LARGE).unwrap();
        fs::set_permissions(place.from("script"), fs::Permissions::from_mode(0o755)).unwrap();
        place.make(&[]).unwrap();
        assert_eq!(fs::metadata(place.to("script")).unwrap().permissions().mode() & 0o777, 0o755);
        fs::write(place.to("images/day/notes"), "changed").unwrap();
        fs::write(place.to("images/SHA512SUMS"), "new").unwrap();
        assert!(place.to("images/disk.raw").canonicalize().unwrap().starts_with(place.to("").canonicalize().unwrap()));
        assert_eq!(fs::metadata(place.to("images/disk.raw")).unwrap().len(), LARGE);
        fs::write(place.to("images/other"), "other").unwrap();
        fs::rename(place.to("images/other"), place.to("images/disk.raw")).unwrap();
        assert_eq!(text(&place.from("images/day/notes")), "images/day/notes");
        assert_eq!(fs::metadata(place.from("images/disk.raw")).unwrap().len(), LARGE);
        assert!(!place.from("images/SHA512SUMS").exists());
    }

    #[test]
    fn links_lead_into_the_copy_and_folders_elsewhere_are_copied() {
        let place = Place::new(&["releases/one/file", "../elsewhere/script", "var/state/ledger"]);
        symlink("one", place.from("releases/latest")).unwrap();
        symlink(place.from("../elsewhere"), place.from("scripts")).unwrap();
        symlink("absent", place.from("broken")).unwrap();
        symlink("var", place.from("lib")).unwrap();
        place.make(&["lib/state"]).unwrap();
        fs::write(place.to("releases/latest/file"), "changed").unwrap();
        fs::write(place.to("scripts/script"), "changed").unwrap();
        assert_eq!(text(&place.to("releases/one/file")), "changed");
        assert_eq!(text(&place.from("releases/one/file")), "releases/one/file");
        assert_eq!(text(&place.from("../elsewhere/script")), "../elsewhere/script");
        assert!(!place.to("broken").is_symlink());
        assert!(place.to("lib").is_dir() && !place.to("lib/state").exists());
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_no_cache_is_copied() {
        let place = Place::new(&["file", "target/CACHEDIR.TAG", "target/debug/publish"]);
        mknodat(CWD, place.from("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        place.make(&[]).unwrap();
        assert!(place.to("file").exists() && !place.to("pipe").exists() && !place.to("target").exists());
    }

    #[test]
    fn a_folder_without_end_and_one_with_too_much_are_refused() {
        let place = Place::new(&["a/one", "a/two"]);
        let (root, to) = (place.from("").canonicalize().unwrap(), place.to(""));
        let mut mirror = Mirror { root: root.clone(), to: &to, left_out: &[], most: 2, entries: 0 };
        let refused = mirror.folder(&root, Path::new(""), &mut vec![root.clone()]).unwrap_err();
        assert!(refused.contains("has more than 2 files and folders"), "{refused}");
        fs::remove_dir_all(&to).unwrap();
        symlink(place.from(".."), place.from("a/up")).unwrap();
        let refused = place.make(&[]).unwrap_err();
        assert!(refused.contains("leads to a folder that it lies in"), "{refused}");
    }
}
