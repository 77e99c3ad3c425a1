//! The file behind a disk: one descriptor, opened once and never again by name.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::extent::{Extents, became_shorter, file_data};
use super::view::View;
use crate::error::{Error, Kind, Result};

/// Large enough that a system call costs nothing, small enough that a few of them fit a modest memory.
const BLOCK: usize = 1 << 20;

/// The file as given.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

/// What changes when somebody writes to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

impl Source {
    /// Opens a regular file. Nothing else is waited for: a FIFO is refused at once (`O_NONBLOCK`).
    pub(super) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let descriptor = rustix::fs::open(path, flags, Mode::empty());
        let file = File::from(descriptor.map_err(|errno| cannot_open(errno.into()))?);
        let found = file.metadata().map_err(cannot_open)?;
        if !found.is_file() {
            let what = if found.is_dir() { "a directory" } else { "not a regular file" };
            return Err(Error::new(Kind::InvalidInput, format!("a disk image must be a regular file, this is {what}"))
                .hint("name the image file itself"));
        }
        Ok(Self { file, path: path.to_owned(), stamp: Stamp::from(&found) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file that was opened elsewhere; `path` is what errors call it.
    pub(super) fn of_open(file: File, path: &Path) -> Result<Self> {
        let stamp = Stamp::from(&file.metadata().map_err(|e| cannot_read(e, 0))?);
        Ok(Self { file, path: path.to_owned(), stamp })
    }

    /// Another handle on the same open file, for a format reader that needs one of its own.
    pub(super) fn share(&self) -> Result<Self> {
        let file = self.file.try_clone().map_err(|e| cannot_read(e, 0))?;
        Ok(Self { file, path: self.path.clone(), stamp: self.stamp })
    }

    #[cfg(feature = "qcow2")]
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Refuses when the open file is not what it was.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let found = self.file.metadata().map_err(|e| cannot_read(e, 0))?;
        if Stamp::from(&found) == self.stamp {
            return Ok(());
        }
        Err(Error::new(Kind::InvalidInput, "the disk image was changed while it was being read")
            .with("size before", self.stamp.size)
            .with("size now", found.size())
            .hint("wait until whatever writes the file is done, then run the same command again"))
    }
}

impl View for Source {
    fn size(&self) -> u64 {
        self.stamp.size
    }

    fn block(&self) -> usize {
        BLOCK
    }

    fn data(&self, start: u64, end: u64) -> Extents<'_> {
        file_data(&self.file, start, end.min(self.stamp.size))
    }

    fn read_data(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|e| cannot_read(e, offset))
    }
}

fn cannot_open(error: io::Error) -> Error {
    let (kind, hint) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "check the path; in a manifest it is relative to the manifest"),
        io::ErrorKind::PermissionDenied => (Kind::Storage, "make the file readable for this user"),
        _ => (Kind::Storage, "check that the path names a readable regular file"),
    };
    Error::new(kind, "could not open the disk image").hint(hint).caused_by(error)
}

fn cannot_read(error: io::Error, offset: u64) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return became_shorter(offset);
    }
    Error::new(Kind::Storage, "could not read the disk image").with("offset", offset).caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, SystemTime};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{Source, View};
    use crate::error::Kind;

    #[test]
    fn fifos_directories_and_links_to_them_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = folder.path().join("link");
        symlink(folder.path(), &link).unwrap();
        for path in [fifo.as_path(), folder.path(), &link] {
            assert_eq!(Source::open(path).unwrap_err().kind(), Kind::InvalidInput, "{path:?}");
        }
        assert_eq!(Source::open(&folder.path().join("none")).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn a_link_to_a_file_is_read_and_later_replacements_of_the_name_do_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two, link) = (folder.path().join("1"), folder.path().join("2"), folder.path().join("link"));
        fs::write(&one, [1; 512]).unwrap();
        fs::write(&two, [2; 512]).unwrap();
        symlink(&one, &link).unwrap();
        let source = Source::open(&link).unwrap();
        fs::remove_file(&link).unwrap();
        symlink(&two, &link).unwrap();
        let mut found = [0; 512];
        source.read(0, &mut found).unwrap();
        assert_eq!(found, [1; 512]);
        source.check_unchanged().unwrap();
    }

    #[test]
    fn writing_and_truncating_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        fs::write(&path, [1; 1024]).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(long_ago).unwrap();
        let source = Source::open(&path).unwrap();
        source.check_unchanged().unwrap();
        fs::write(&path, [2; 1024]).unwrap();
        assert_eq!(source.check_unchanged().unwrap_err().kind(), Kind::InvalidInput);

        let source = Source::open(&path).unwrap();
        file.set_len(512).unwrap();
        assert_eq!(source.check_unchanged().unwrap_err().kind(), Kind::InvalidInput);
        assert!(source.read_data(512, &mut [0; 512]).is_err());
    }

    #[test]
    fn reads_past_the_end_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        fs::write(&path, [1; 512]).unwrap();
        let source = Source::open(&path).unwrap();
        assert!(source.read(1, &mut [0; 512]).is_err());
        assert!(source.read(u64::MAX, &mut [0; 2]).is_err());
        source.read(512, &mut []).unwrap();
    }
}
