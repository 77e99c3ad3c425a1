//! The unpacked file: sparse, without a name, in the work directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::digests::{Watch, check_cancelled};
use crate::disk::hashing::{Block, Hashers, ZEROS};
use crate::error::{Error, Kind, Result};

/// The unit of holes: what file systems allocate at least.
const PAGE: usize = 4096;
/// Zeros hashed between two looks at whether to stop.
const ZERO_RUN: u64 = 1 << 22;
/// Data written between two looks at the free space, in bytes.
const STRIDE: u64 = 64 << 20;
/// What is left free for others who write there, such as the state: in bytes.
const RESERVE: u64 = 64 << 20;

/// Takes the unpacked bytes in order.
pub(super) struct Spool<'a, 'scope> {
    file: File,
    work_dir: PathBuf,
    hashers: &'a Hashers<'scope>,
    watch: &'a dyn Watch,
    /// The most bytes that may come out.
    limit: u64,
    at: u64,
    /// Bytes that may still be written before the free space is looked at.
    credit: u64,
}

impl<'a, 'scope> Spool<'a, 'scope> {
    /// Makes the file. `least` is how many bytes it will need at least, as far as can be known before.
    pub(super) fn create(
        work_dir: &Path,
        (limit, least): (u64, u64),
        hashers: &'a Hashers<'scope>,
        watch: &'a dyn Watch,
    ) -> Result<Self> {
        let file = nameless(work_dir).map_err(|error| cannot_write(error, work_dir))?;
        let spool = Self { file, work_dir: work_dir.to_owned(), hashers, watch, limit, at: 0, credit: 0 };
        if least > 0 {
            spool.check_space(least)?;
        }
        Ok(spool)
    }

    /// Appends data; zeros in it become holes.
    pub(super) fn data(&mut self, block: Vec<u8>) -> Result<()> {
        check_cancelled(self.watch)?;
        let mut offset = self.at;
        self.advance(block.len() as u64)?;
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let (run, tail) = rest.split_at(first_run(rest, offset));
            if !is_zero(run) {
                self.write(offset, run)?;
            }
            offset += run.len() as u64;
            rest = tail;
        }
        self.hashers.send(&Block::Data(Arc::new(block)))
    }

    /// Appends zeros.
    pub(super) fn hole(&mut self, length: u64) -> Result<()> {
        self.advance(length)?;
        let mut left = length;
        while left > 0 {
            check_cancelled(self.watch)?;
            let run = left.min(ZERO_RUN);
            self.hashers.send(&Block::Zeros(run))?;
            left -= run;
        }
        Ok(())
    }

    /// The file with all its bytes.
    pub(super) fn finish(self) -> Result<File> {
        self.file.set_len(self.at).map_err(|error| cannot_write(error, &self.work_dir))?;
        Ok(self.file)
    }

    fn advance(&mut self, length: u64) -> Result<()> {
        self.at = self.at.saturating_add(length);
        if self.at > self.limit {
            return Err(Error::new(Kind::InvalidInput, "the disk image unpacks to more than a disk may have")
                .with("limit", self.limit)
                .hint("boot images grow on the instance: build it as small as its content allows"));
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let needed = bytes.len() as u64;
        if needed > self.credit {
            self.check_space(STRIDE)?;
            self.credit = STRIDE;
        }
        self.credit = self.credit.saturating_sub(needed);
        self.file.write_all_at(bytes, offset).map_err(|error| cannot_write(error, &self.work_dir))
    }

    /// Refuses before the file system is full: the state may be on it, too.
    fn check_space(&self, needed: u64) -> Result<()> {
        let Ok(room) = rustix::fs::fstatvfs(&self.file) else { return Ok(()) };
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        // Some file systems do not count.
        if room.f_blocks == 0 || free >= needed.saturating_add(RESERVE) {
            return Ok(());
        }
        Err(no_space(&self.work_dir).with("bytes free", free))
    }
}

/// How long the first run of pages is that are all zeros, or all not. The first page may be cut by `offset`.
fn first_run(bytes: &[u8], offset: u64) -> usize {
    let page = |from: usize| bytes.get(from..).unwrap_or_default();
    let mut end = PAGE - usize::try_from(offset % PAGE as u64).unwrap_or(0);
    let zero = is_zero(bytes.get(..end).unwrap_or(bytes));
    while end < bytes.len() && is_zero(page(end).get(..PAGE).unwrap_or(page(end))) == zero {
        end += PAGE;
    }
    end.min(bytes.len())
}

fn is_zero(page: &[u8]) -> bool {
    page.chunks(ZEROS.len()).all(|part| ZEROS.get(..part.len()) == Some(part))
}

/// A file without a name in a folder.
fn nameless(folder: &Path) -> io::Result<File> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::create_dir_all(folder)?;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(CWD, folder, flags | OFlags::TMPFILE, mode) {
        Ok(file) => Ok(File::from(file)),
        // Some file systems, such as NFS, need a name for a moment.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => unlinked(folder, flags, mode),
        Err(errno) => Err(errno.into()),
    }
}

fn unlinked(folder: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    let path = folder.join(format!("unpacking-{}", uuid::Uuid::new_v4()));
    let file = File::from(rustix::fs::openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL, mode)?);
    fs::remove_file(&path)?;
    Ok(file)
}

fn no_space(work_dir: &Path) -> Error {
    Error::new(Kind::Storage, "there is not enough room to unpack the disk image")
        .with("work_dir", work_dir.display())
        .hint("free some space, or let `work_dir` name a folder of a larger file system")
}

fn cannot_write(error: io::Error, work_dir: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            no_space(work_dir).caused_by(error)
        }
        _ => Error::new(Kind::Storage, "could not unpack the disk image")
            .with("work_dir", work_dir.display())
            .hint("let `work_dir` name a folder that this user may write to")
            .caused_by(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::thread::scope;

    use rustix::fs::{Mode, OFlags};

    use super::{PAGE, Spool, first_run, unlinked};
    use crate::disk::hashing::{Hashers, Hashes};
    use crate::error::Kind;

    #[test]
    fn runs_end_where_pages_of_the_file_begin_to_differ() {
        let mut bytes = vec![0; 5 * PAGE];
        assert_eq!(first_run(&bytes, 0), 5 * PAGE);
        bytes[2 * PAGE + 7] = 1;
        assert_eq!(first_run(&bytes, 0), 2 * PAGE);
        assert_eq!(first_run(&bytes[2 * PAGE..], 2 * PAGE as u64), PAGE);
        // The file's pages begin 100 bytes later than the block's.
        assert_eq!(first_run(&bytes, PAGE as u64 - 100), 100 + PAGE);
        assert_eq!(first_run(&bytes[..50], PAGE as u64 - 100), 50);
    }

    #[test]
    fn a_file_system_without_nameless_files_keeps_no_name_either() {
        let folder = tempfile::tempdir().unwrap();
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = unlinked(folder.path(), flags, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(file.metadata().unwrap().nlink(), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_system_without_room_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        scope(|scope| {
            let hashers = Hashers::start(scope, Hashes::default()).unwrap();
            let error = Spool::create(folder.path(), (u64::MAX, 1 << 60), &hashers, &()).err().unwrap();
            assert_eq!(error.kind(), Kind::Storage);
            assert!(error.message().contains("not enough room") && error.context("bytes free").is_some(), "{error}");
        });
    }
}
