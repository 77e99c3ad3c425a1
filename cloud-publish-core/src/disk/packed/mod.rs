//! Packed disks: an image file inside xz, gzip, zstd or a tar archive.
//!
//! A stream cannot be read at random, so it is unpacked once, into a sparse file without a name in a work directory:
//! it is gone with the last handle on it, however the process ends. The one pass that unpacks also computes the
//! digests of the file as given and of what is inside.
//!
//! What is read here comes from outside. Every checksum of the packing is verified; a file that is cut off or goes on
//! behind its end is refused; neither the size that comes out nor the memory that a header asks for is unlimited.
//!
//! - xz: <https://tukaani.org/xz/xz-file-format.txt>, several streams and padding between them included
//! - gzip: <https://www.rfc-editor.org/rfc/rfc1952>, several members included
//! - zstd: <https://www.rfc-editor.org/rfc/rfc8878>, several frames and skippable ones included

mod input;
mod spool;
mod tar;
#[cfg(test)]
mod tar_tests;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tool_tests;
mod unpack;
mod zstd;

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use unpack::{Task, Unpacked, unpack};

/// What is around a disk image file, written as the file's extension: `xz`, `gz`, `zst`, `tar`, `tar.xz`, `tar.gz` or
/// `tar.zst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Packing {
    /// The image file, compressed with xz.
    #[serde(rename = "xz")]
    Xz,
    /// The image file, compressed with gzip.
    #[serde(rename = "gz")]
    Gz,
    /// The image file, compressed with zstd.
    #[serde(rename = "zst")]
    Zst,
    /// A tar archive of one file called `disk.raw`.
    #[serde(rename = "tar")]
    Tar,
    /// The same, compressed with xz.
    #[serde(rename = "tar.xz")]
    TarXz,
    /// The same, compressed with gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// The same, compressed with zstd.
    #[serde(rename = "tar.zst")]
    TarZst,
}

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Xz,
    Gzip,
    Zstd,
}

impl Packing {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Xz, Self::Gz, Self::Zst, Self::Tar, Self::TarXz, Self::TarGz, Self::TarZst];

    /// The word used in manifests, messages and names of files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xz => "xz",
            Self::Gz => "gz",
            Self::Zst => "zst",
            Self::Tar => "tar",
            Self::TarXz => "tar.xz",
            Self::TarGz => "tar.gz",
            Self::TarZst => "tar.zst",
        }
    }

    /// Whether there is a tar archive, whose only file is a raw disk.
    pub fn is_tar(self) -> bool {
        matches!(self, Self::Tar | Self::TarXz | Self::TarGz | Self::TarZst)
    }

    pub(super) fn compression(self) -> Option<Compression> {
        match self {
            Self::Xz | Self::TarXz => Some(Compression::Xz),
            Self::Gz | Self::TarGz => Some(Compression::Gzip),
            Self::Zst | Self::TarZst => Some(Compression::Zstd),
            Self::Tar => None,
        }
    }
}

impl Display for Packing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a disk is packed, and where it may be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// What is around it.
    pub packing: Packing,
    /// The folder whose file system takes the unpacked file; made if it is not there. Nothing is seen in it.
    pub work_dir: PathBuf,
}

/// The file as given of a disk that is packed, where a record or a plan must tell it from the disk's own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenFile {
    /// What is around the disk's own file.
    pub packing: Packing,
    /// Bytes of the file as given.
    pub size: u64,
    /// sha512 of the file as given, 128 hex digits, where the manifest or a target asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha512: Option<String>,
}
