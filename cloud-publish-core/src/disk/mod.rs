//! Reads disk images: one descriptor, one sparse view of the raw content, one pass for all digests.
//!
//! A disk image is input from outside: its header may lie, its tables may point anywhere, it may name other files of
//! the machine as its backing. Everything here follows from that:
//!
//! - The format is what the manifest *declares*. The magic bytes confirm or refuse it; a raw disk is never probed into
//!   something else, because a guest can write a container's header into its own first sector.
//! - The file is opened once. All checks, digests and uploads read that descriptor, so nobody can swap the file in
//!   between, and [`Disk::check_unchanged`] notices when it was written to.
//! - Nothing is allocated by a number from the file before that number was held against the file's size.
//! - A [`Disk`] that could be opened has passed every structural rule; what its bytes are worth is said by
//!   [`Disk::verify`] alone.
//!
//! Three views are served, all random-access and sparse: the *content* (the raw disk a guest sees; its sha256 is the
//! image's digest), the disk's own *file* (what a cloud that takes the format as it is gets), and the file *as given*
//! (what a download directory offers). For raw the first two are the same; the last two differ only for a disk that is
//! packed (inside xz, gzip, zstd or tar), which is unpacked once, when it is opened, into a sparse file that has no name
//! and is gone with the process. Holes are never read: their zeros are made up. That a file system reports holes is only
//! a hint, no result depends on it.
//!
//! ```
//! use cloud_publish_core::disk::{Disk, DiskSource, Expected, Format, Wanted};
//! # fn main() -> cloud_publish_core::error::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("disk-example-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).map_err(|e| cloud_publish_core::error::Error::new(cloud_publish_core::error::Kind::Storage, e.to_string()))?;
//! # let path = folder.join("disk.raw");
//! # std::fs::write(&path, [7; 1024]).map_err(|e| cloud_publish_core::error::Error::new(cloud_publish_core::error::Kind::Storage, e.to_string()))?;
//! let disk = Disk::open(&DiskSource::new(path, Format::Raw))?;
//! let expected = Expected { size: Some(1024), ..Expected::default() };
//! let digests = disk.verify(&expected, Wanted::default(), &())?;
//! println!("{}", digests.content);
//! # let _ = std::fs::remove_dir_all(folder);
//! # Ok(())
//! # }
//! ```
//!
//! What a disk becomes on its way to a cloud is made by [`encode`], from the content.
//!
//! Not here: which clouds want what (providers), where the files of a release are (`manifest`).

mod boot;
mod digests;
pub mod encode;
mod extent;
mod field;
mod format;
mod gpt;
mod hashing;
mod image;
mod magic;
mod mbr;
mod packed;
#[cfg(feature = "qcow2")]
mod qcow2;
mod size;
mod source;
mod stream;
#[cfg(test)]
mod testing;
mod verify;
mod vhd;
mod view;

pub use boot::{BootStructure, PartitionTable};
pub use digests::{Digests, Wanted, Watch};
pub use extent::Extent;
pub use format::Format;
pub use image::{Disk, DiskSource};
pub use packed::{GivenFile, Packed, Packing};
pub use stream::stream_file;
pub use verify::Expected;
