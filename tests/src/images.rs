//! The disk images that `tests/run` builds from Debian's packages. Builds none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::paths;

/// One bootable disk in two formats.
#[derive(Debug, Clone)]
pub struct DiskImage {
    /// The disk as it is, sparse.
    pub raw: ImageFile,
    /// The same disk as qcow2 version 3 with compressed clusters.
    pub qcow2: ImageFile,
    /// Debian's build manifest of both files.
    pub build_manifest: PathBuf,
}

/// A file and the digests that the build wrote beside it.
#[derive(Debug, Clone)]
pub struct ImageFile {
    /// Where it is; not to be changed, all tests use it.
    pub path: PathBuf,
    /// The SHA-256 of the file in hex.
    pub sha256: String,
    /// The SHA-512 of the file in hex.
    pub sha512: String,
}

/// Finds the tiny image: 64 MiB, one EFI system partition, boots by UEFI only and in seconds.
///
/// # Panics
/// If it has not been built.
pub fn tiny() -> DiskImage {
    find("tiny", "tiny", "tests/run")
}

/// Finds the big image: a whole Debian 12 on 3 GiB, boots by UEFI and by BIOS.
///
/// # Panics
/// If it has not been built.
pub fn big() -> DiskImage {
    find("big", "disk", "tests/run --full")
}

fn find(folder: &str, name: &str, builder: &str) -> DiskImage {
    let folder = paths::cache().join("images").join(folder);
    assert!(folder.join(".done").exists(), "there is no image in {}: start the tests with {builder}", folder.display());
    DiskImage {
        raw: file(&folder, &format!("{name}.raw")),
        qcow2: file(&folder, &format!("{name}.qcow2")),
        build_manifest: folder.join(format!("{name}.build.json")),
    }
}

fn file(folder: &Path, name: &str) -> ImageFile {
    ImageFile {
        path: folder.join(name),
        sha256: digest_of(&folder.join("SHA256SUMS"), name),
        sha512: digest_of(&folder.join("SHA512SUMS"), name),
    }
}

fn digest_of(sums: &Path, name: &str) -> String {
    let text = fs::read_to_string(sums).unwrap_or_else(|error| panic!("cannot read {}: {error}", sums.display()));
    text.lines()
        .filter_map(|line| line.split_once("  "))
        .find_map(|(digest, file)| (file == name).then(|| digest.to_owned()))
        .unwrap_or_else(|| panic!("{} does not name {name}", sums.display()))
}
