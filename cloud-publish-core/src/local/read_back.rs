//! The disk in a fixed VHD or a tarball that was made here: its frame must be such as the encoder writes, and its content
//! the disk with zeros behind it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::atomic::Ordering;

use flate2::bufread::GzDecoder;
use tar::Archive;

use super::files::failed;
use super::prove::Follower;
use crate::digest::Digest;
use crate::disk::Watch as _;
use crate::disk::encode::{Unpadding, VHD_FOOTER, gce_size, vhd_footer, vhd_size};
use crate::error::{Error, Kind, Result};

/// The digest of the disk in a fixed VHD.
///
/// # Errors
/// [`Kind::Corrupt`] when it is not framed as it was.
pub(super) fn vhd(path: &Path, wanted: &Digest, follower: &Follower) -> Result<Digest> {
    let file = File::open(path).map_err(failed("could not open", path))?;
    let length = file.metadata().map_err(failed("could not look at", path))?.len();
    let size = length.saturating_sub(VHD_FOOTER);
    if size == 0 || vhd_size(size) != size {
        return Err(corrupt(path, "a fixed VHD of this size was never written"));
    }
    follower.total.store(size, Ordering::Relaxed);
    let mut rest = Rest { path, reader: BufReader::with_capacity(BUFFER, file) };
    let content = rest.content(size, follower)?;
    if rest.end(512)? != vhd_footer(size, wanted) {
        return Err(corrupt(path, "the footer is not the one that was written"));
    }
    Ok(content.finish(vhd_size(1), wanted))
}

/// The digest of the disk in a tarball.
///
/// # Errors
/// [`Kind::Corrupt`] when it is not packed as it was.
pub(super) fn tar_gz(path: &Path, wanted: &Digest, follower: &Follower) -> Result<Digest> {
    let file = File::open(path).map_err(failed("could not open", path))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::with_capacity(BUFFER, file)));
    let not_ours = |error: std::io::Error| corrupt(path, "the archive cannot be read").caused_by(error);
    let mut entries = archive.entries().map_err(not_ours)?;
    let first = entries.next().transpose().map_err(not_ours)?;
    let Some(entry) = first.filter(|entry| entry.path_bytes().as_ref() == b"disk.raw") else {
        return Err(corrupt(path, "the archive does not begin with `disk.raw`"));
    };
    let size = entry.size();
    if size == 0 || gce_size(size) != size {
        return Err(corrupt(path, "`disk.raw` is not of whole GiB"));
    }
    follower.total.store(size, Ordering::Relaxed);
    let mut disk = Rest { path, reader: entry };
    let content = disk.content(size, follower)?;
    if !disk.end(0)?.is_empty() || entries.next().is_some() {
        return Err(corrupt(path, "the archive has more in it than one disk"));
    }
    // One empty record has ended the entries, the other one ends the member, whose checksum was right, and the file.
    let mut member = Rest { path, reader: archive.into_inner() };
    let last = member.end(512)?;
    let mut file = Rest { path, reader: member.reader.into_inner() };
    if last != [0; 512] || !file.end(0)?.is_empty() {
        return Err(corrupt(path, "something follows the archive"));
    }
    Ok(content.finish(gce_size(1), wanted))
}

const BUFFER: usize = 1 << 20;

/// What is left to be read of a file.
struct Rest<'a, R> {
    path: &'a Path,
    reader: R,
}

impl<R: Read> Rest<'_, R> {
    fn exactly(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.reader.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                corrupt(self.path, "the file cannot be unpacked").caused_by(error)
            }
            _ => failed("could not read", self.path)(error),
        })
    }

    fn content(&mut self, size: u64, follower: &Follower) -> Result<Unpadding> {
        let (mut content, mut left, mut buffer) = (Unpadding::default(), size, vec![0; BUFFER]);
        while left > 0 {
            if follower.cancelled() {
                return Err(Error::new(Kind::Cancelled, "stopped on request"));
            }
            let length = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            let part = buffer.get_mut(..length).unwrap_or_default();
            self.exactly(part)?;
            content.update(part);
            left -= length as u64;
            follower.advanced(length as u64);
        }
        Ok(content)
    }

    /// The last bytes, of which there should be `expected`: at most one more is read.
    fn end(&mut self, expected: usize) -> Result<Vec<u8>> {
        let mut last = Vec::new();
        let most = expected as u64 + 1;
        let read = self.reader.by_ref().take(most).read_to_end(&mut last);
        read.map_err(|error| corrupt(self.path, "the end of the file cannot be unpacked").caused_by(error))?;
        Ok(last)
    }
}

fn corrupt(path: &Path, message: &'static str) -> Error {
    Error::new(Kind::Corrupt, message)
        .with("path", path.display())
        .hint("withdraw the image: users have something else than what was published")
}
