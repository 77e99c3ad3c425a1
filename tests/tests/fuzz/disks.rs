//! What a reader of disk images promises, whatever is in the file.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use cloud_publish_core::disk::{Disk, DiskSource, Expected, Wanted, Watch};
use cloud_publish_core::error::{Error, Kind};

use crate::harness::{SECRET, Verdict, judge, judged};

/// How much of a disk is read, in bytes: a small file may stand for a disk of terabytes.
const ENOUGH: u64 = 16 << 20;

/// Stops a pass when it has read enough.
struct Enough(AtomicU64);

impl Watch for Enough {
    fn advanced(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) > ENOUGH
    }
}

/// Opens an image, and reads it in every way that there is.
pub(crate) fn read(source: &DiskSource) -> Result<Verdict, String> {
    let path = &source.path;
    let disk = match Disk::open_watched(source, Wanted::default(), &Enough(AtomicU64::new(0))) {
        Ok(disk) => disk,
        Err(error) if error.kind() == Kind::Cancelled => return Ok(Verdict::Refused),
        Err(error) => return judge(&error),
    };
    let size = disk.virtual_size();
    if size == 0 || !size.is_multiple_of(512) || size > source.max_size {
        return Err(format!("it opened a disk of {size} bytes"));
    }
    let extents = refused_or(disk.extents())?.unwrap_or_default();
    let ends = extents.iter().map(|extent| extent.end());
    if extents.iter().skip(1).zip(ends).any(|(next, end)| next.offset <= end) {
        return Err("its extents touch or are not in order".to_owned());
    }
    if extents.iter().any(|extent| extent.length == 0 || extent.offset >= size || extent.length > size - extent.offset)
    {
        return Err("an extent is not inside the disk".to_owned());
    }
    let mut buffer = vec![0xee; 70_000];
    for offset in extents.iter().take(64).map(|extent| extent.offset).chain([0, size / 2, size - 1]) {
        let length = usize::try_from(size - offset).unwrap_or(usize::MAX).min(buffer.len());
        refused_or(disk.read_at(offset, &mut buffer[..length]))?;
        if buffer[..length].windows(SECRET.len()).any(|part| part == SECRET) && !holds_secret(path) {
            return Err("it shows another file".to_owned());
        }
    }
    refused_or(disk.read_file_at(0, &mut [0; 512]).or_else(too_short(&disk)))?;
    let wanted = Wanted { given_sha256: true, ..Wanted::default() };
    match disk.verify(&Expected::default(), wanted, &Enough(AtomicU64::new(0))) {
        Err(error) if error.kind() == Kind::Cancelled => Ok(Verdict::Taken),
        verified => judged(verified),
    }
}

fn too_short(disk: &Disk) -> impl Fn(Error) -> cloud_publish_core::error::Result<()> {
    move |error| if disk.file_size() < 512 { Ok(()) } else { Err(error) }
}

/// What was refused is nothing; what broke down is a broken promise.
fn refused_or<T>(result: Result<T, Error>) -> Result<Option<T>, String> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => judge(&error).map(|_| None),
    }
}

fn holds_secret(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(SECRET.len()).any(|part| part == SECRET))
}

/// Runs a program of the host that makes disk images.
pub(crate) fn tool(program: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
