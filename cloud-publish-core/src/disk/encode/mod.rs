//! Encoders: what a [`Disk`](super::Disk) becomes on its way to a cloud or a download tree.
//!
//! | format | what | form |
//! |---|---|---|
//! | raw | the content as it is | [`raw`], a stream of known length |
//! | fixed VHD | zeros up to a whole MiB, then a footer: Azure's format | [`vhd`], a stream of known length |
//! | tarball | `disk.raw` of whole GiB in a `.tar.gz`: Google's format | [`gce_tar_gz`], a stream |
//! | qcow2 | version 3, deflated clusters | [`write_qcow2`], into a file: its tables come first and are known last |
//!
//! # What can be relied on
//! - The same content gives the same bytes: whichever holes the file system reports, whatever format the disk is in,
//!   however many threads work, and whatever the time is. Identifiers derive from the content's digest.
//! - No temporary file. Memory is some MiB (more with more processors, up to a fixed bound), whatever the disk's size.
//! - Holes are not read, and what comes of them is not computed twice.
//! - Reading and deflating happen on tokio's blocking threads, a bounded number of blocks ahead and nothing before a
//!   stream is polled. Dropping it stops the work within a block.
//! - Nothing is verified: call [`Disk::verify`](super::Disk::verify) before, and
//!   [`Disk::check_unchanged`](super::Disk::check_unchanged) after. Digests of what comes out are for the consumer to
//!   compute from the chunks.
//!
//! [`Unpadding`] goes the other way: it recognises a digest in content to which an encoder or a cloud has added zeros.

mod blocks;
mod deflate;
mod encoded;
mod gce;
mod gzip;
mod qcow2;
#[cfg(test)]
mod qemu_tests;
mod raw;
mod tar;
#[cfg(test)]
mod tests;
mod unpadding;
mod vhd;

pub use deflate::Level;
pub use encoded::Encoded;
pub use gce::{gce_size, gce_tar_gz};
pub use qcow2::write_qcow2;
pub use raw::raw;
pub use unpadding::Unpadding;
pub use vhd::{VHD_FOOTER, vhd, vhd_footer, vhd_size};

/// Zeros to make chunks of, so that those of holes cost no memory.
static ZEROS: [u8; blocks::BLOCK] = [0; blocks::BLOCK];
