//! Reads a folder of builds: names, sizes, small files, and what each disk can be started from.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cloud_publish_core::disk::{BootStructure, Disk, DiskSource};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::import::debian::{Folder, ImageFile, PackageIndex, Seen, Wishes};

/// The largest JSON or checksum file that is read: Debian's largest has 60 KiB.
const MOST: u64 = 16 << 20;

/// Disks that cannot be published, told together with what else is wrong.
#[derive(Debug, Default)]
pub(super) struct Unsound(Vec<String>);

impl Unsound {
    /// Adds the disks to what is wrong.
    pub(super) fn add_to<T>(self, found: Result<T>) -> Result<T> {
        if self.0.is_empty() {
            return found;
        }
        let found = found.err();
        let lines = found.iter().map(|error| error.message().to_owned()).chain(self.0);
        let all = Error::new(Kind::InvalidInput, lines.collect::<Vec<_>>().join("\n"));
        Err(match found.as_ref().and_then(Error::advice) {
            Some(hint) => all.hint(hint.to_owned()),
            None => all,
        })
    }
}

/// Reads a folder; folders in it are not looked at.
///
/// # Errors
/// [`Kind::Storage`] when something cannot be read.
pub(super) fn folder(path: &Path, wishes: &Wishes) -> Result<(Folder, Unsound)> {
    let (mut folder, mut unsound) = (Folder::default(), Unsound::default());
    let unreadable = |error| {
        Error::new(Kind::Storage, format!("could not read the folder `{}`", path.display()))
            .hint("name the folder of the image files")
            .caused_by(error)
    };
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let Some(name) = file.file_name().and_then(OsStr::to_str).map(ToOwned::to_owned) else { continue };
        if name.starts_with('.') || !file.is_file() {
            continue;
        }
        if name == "SHA512SUMS" {
            folder.sums = Some(small(&file)?);
        } else if name.ends_with(".json") {
            folder.json.insert(name, small(&file)?);
        } else if let Some(image) = ImageFile::of(&name) {
            let is_wanted = wishes.ending.as_ref().is_none_or(|ending| *ending == image.ending);
            let boot = if is_wanted { boot(&file, &image) } else { Ok(None) };
            let boot = boot.map_err(|error| unsound.0.push(format!("{name}: {}", error.chain().join(": "))));
            let size = fs::metadata(&file).map_err(|error| cannot_read(&file, error))?.len();
            folder.images.insert(name, Seen { size, boot: boot.unwrap_or_default() });
        }
    }
    unsound.0.sort();
    Ok((folder, unsound))
}

/// What a disk can be started from; `None` where it would have to be unpacked, or this build cannot open it.
fn boot(file: &Path, image: &ImageFile) -> Result<Option<BootStructure>> {
    if image.packed.is_some() {
        return Ok(None);
    }
    match Disk::open(&DiskSource::new(file, image.format)) {
        Ok(disk) => Ok(Some(disk.boot())),
        Err(error) if error.kind() == Kind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the packages of a suite; `None` when no file is named.
///
/// # Errors
/// [`Kind::Storage`] and [`Kind::InvalidInput`] naming the file.
pub(super) fn packages(files: &[PathBuf]) -> Result<Option<PackageIndex>> {
    let mut index = PackageIndex::default();
    for file in files {
        let open = File::open(file).map_err(|error| cannot_read(file, error))?;
        index.add(open).map_err(|error| error.with("file", file.display()))?;
    }
    Ok((!files.is_empty()).then_some(index))
}

fn small(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MOST + 1).read_to_end(&mut bytes));
    read.map_err(|error| cannot_read(file, error))?;
    if bytes.len() as u64 > MOST {
        let message = format!("`{}` is larger than 16 MiB", file.display());
        return Err(Error::new(Kind::InvalidInput, message).hint("move it out of the folder"));
    }
    Ok(bytes)
}

fn cannot_read(file: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Storage, format!("could not read `{}`", file.display()))
        .hint("make it readable for this user, then run the same command again")
        .caused_by(error)
}
