//! The target `local`: a directory in Debian's public layout, to be mirrored or served as it is.
//!
//! # What is where
//! Under `path`, and nothing else, neither dot-files nor temporary ones, at any moment:
//!
//! ```text
//! index.html                                         the suites
//! bookworm/index.html                                its releases, newest first
//! bookworm/latest -> 20240101-1614                   a relative link, swapped in one step
//! bookworm/20240101-1614/                            one version; a daily is in bookworm/daily/, a try in bookworm/dev/
//!     debian-12-generic-amd64-20240101-1614.qcow2    each image, in each of the `formats`: .raw, .qcow2, .vhd, .tar.gz
//!     debian-12-generic-amd64-20240101-1614.json     its build manifest, with an Upload for each file
//!     SHA512SUMS                                     of images and build manifests, for sha512sum -c
//!     index.html                                     sizes, digests, descriptions, build job, packages outside the suite
//! ```
//!
//! In `<path>.work/` beside it, on the same file system: `staged/` (uploads), `building/` (versions that are not
//! published), `retired/` (one tree for each image that was taken back), `state/` (marks and tombstones), `tmp/`.
//!
//! # Formats
//! `as-is` is the file as given. The others are made of the disk by [`crate::disk::encode`], also where the file has the
//! format already: the same disk gives the same bytes. What was made is read back by `prove`, down to the disk's digest.
//!
//! # What can be relied on
//! - A version appears by one rename when its first image is published, with everything that is registered in it, and
//!   never gets an image of another artifact. Images are therefore always published together.
//! - A format that is configured later is added to a published version by a later run: a directory with the old files and
//!   the new ones is swapped for the published one in one step, so that nobody ever sees half of it.
//! - An image goes by retiring: one of several alone (checksums and page are written again, by renames), the last one
//!   with the whole directory.
//! - Identity stands in the build manifests' annotations. With `<path>.work/` lost, published images are still
//!   recognised; the time of their publication is then the directory's own.
//! - A `latest` that leads to a version of which nothing is shown any more is taken away.
//! - Directories and pages of others are left alone.
//!
//! Not here: which images should exist (the plan), and transport to mirrors.

mod build_manifest;
mod config;
mod convert;
mod copy;
mod entry;
mod expect;
mod files;
mod find;
mod join;
mod layout;
mod listing;
mod lists;
mod lock;
mod mark;
mod page;
mod preflight;
mod prove;
mod publisher;
mod python_json;
mod read_back;
mod record;
mod register;
mod retire;
mod site;
mod survey;
#[cfg(test)]
mod tests;
mod upload;
mod upload_item;
mod visibility;

pub use self::config::{FormatChoice, LocalConfig};
pub use self::publisher::{Local, LocalSettings};
