//! Extents: where a view has data. The holes between them read as zeros.

use std::fs::File;
use std::iter;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::error::{Error, Kind, Result};

/// A run of data, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extent {
    /// Where it starts.
    pub offset: u64,
    /// How long it is; never 0 in a list that this module gives out.
    pub length: u64,
}

impl Extent {
    /// The first byte after it.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Extents in order, not overlapping; the first error is the last item.
pub(super) type Extents<'a> = Box<dyn Iterator<Item = Result<Extent>> + 'a>;

/// Joins neighbours that touch.
#[cfg(feature = "qcow2")]
pub(super) fn merged<'a>(extents: impl Iterator<Item = Result<Extent>> + 'a) -> Extents<'a> {
    let mut extents = extents.peekable();
    Box::new(iter::from_fn(move || {
        let mut run = match extents.next()? {
            Ok(run) => run,
            Err(error) => return Some(Err(error)),
        };
        while let Some(Ok(next)) = extents.next_if(|next| matches!(next, Ok(next) if next.offset == run.end())) {
            run.length += next.length;
        }
        Some(Ok(run))
    }))
}

/// The data of `file` from `start` up to `end`, as its file system reports it.
///
/// Where the file system knows no holes, that is one extent. The descriptor's position moves; nobody here relies on it.
pub(super) fn file_data(file: &File, start: u64, end: u64) -> Extents<'_> {
    let mut at = Some(start);
    Box::new(iter::from_fn(move || {
        let found = next_data(file, at?, end).transpose();
        at = match &found {
            Some(Ok(extent)) => Some(extent.end()),
            _ => None,
        };
        found
    }))
}

fn next_data(file: &File, from: u64, end: u64) -> Result<Option<Extent>> {
    if from >= end {
        return Ok(None);
    }
    let start = match seek(file, SeekFrom::Data(from)) {
        Ok(start) if start >= end => return Ok(None),
        Ok(start) => start.max(from),
        // A hole up to the end, which must still be where it was.
        Err(Errno::NXIO) if reaches(file, end)? => return Ok(None),
        Err(Errno::NXIO) => return Err(became_shorter(from)),
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => from,
        Err(errno) => {
            return Err(Error::new(Kind::Storage, "could not look for data in the disk image").caused_by(errno));
        }
    };
    let stop = match seek(file, SeekFrom::Hole(start)) {
        Ok(stop) if stop > start => stop.min(end),
        _ => end,
    };
    Ok(Some(Extent { offset: start, length: stop - start }))
}

fn reaches(file: &File, end: u64) -> Result<bool> {
    let found = file.metadata();
    let found = found.map_err(|e| Error::new(Kind::Storage, "could not look at the disk image").caused_by(e))?;
    Ok(found.len() >= end)
}

/// A refusal because the file was truncated after it was opened.
pub(super) fn became_shorter(offset: u64) -> Error {
    Error::new(Kind::InvalidInput, "the disk image became shorter while it was being read")
        .with("offset", offset)
        .hint("wait until whatever writes the file is done, then run the same command again")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::{Extent, file_data};

    #[test]
    fn holes_of_a_file_are_left_out_and_the_range_is_kept() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(64 << 20).unwrap();
        file.write_all_at(&[1; 65_536], 16 << 20).unwrap();
        file.write_all_at(&[1; 65_536], 48 << 20).unwrap();
        let whole: Vec<_> = file_data(&file, 0, 64 << 20).map(Result::unwrap).collect();
        assert_eq!(whole.len(), 2, "{whole:?}");
        assert_eq!(whole[0], Extent { offset: 16 << 20, length: 65_536 });
        let part: Vec<_> = file_data(&file, (16 << 20) + 512, 48 << 20).map(Result::unwrap).collect();
        assert_eq!(part, [Extent { offset: (16 << 20) + 512, length: 65_536 - 512 }]);
    }

    #[test]
    fn a_file_system_that_knows_no_holes_gives_one_extent() {
        // procfs refuses SEEK_DATA as any file system without support does.
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let found: Vec<_> = file_data(&file, 512, 4096).map(Result::unwrap).collect();
        assert_eq!(found, [Extent { offset: 512, length: 4096 - 512 }]);
    }

    #[test]
    fn a_hole_where_the_file_used_to_be_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        assert_eq!(file_data(&file, 0, 4096).count(), 0);
        let found: Vec<_> = file_data(&file, 0, 8192).collect();
        assert!(matches!(found.as_slice(), [Err(_)]), "{found:?}");
    }

    #[cfg(feature = "qcow2")]
    #[test]
    fn touching_extents_are_joined() {
        let pieces = [(0, 4), (4, 4), (9, 1), (10, 2)].map(|(offset, length)| Ok(Extent { offset, length }));
        let joined: Vec<_> = super::merged(pieces.into_iter()).map(Result::unwrap).collect();
        assert_eq!(joined, [Extent { offset: 0, length: 8 }, Extent { offset: 9, length: 3 }]);
    }
}
