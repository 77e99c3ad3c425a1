//! qcow2 without trust: every header field and table entry is checked here, then `imago` reads the clusters.
//!
//! Format: <https://www.qemu.org/docs/master/interop/qcow2.html>. `imago` refuses references to other files, but not
//! encryption, snapshots, or clusters past the end of the file (those read as zeros), and trusts a few lengths. So
//! [`header`] and [`tables`] come first, on the same descriptor; only an image that passed them reaches [`reader`].

#[cfg(test)]
pub(super) mod builder;
mod entry;
mod header;
#[cfg(test)]
mod qemu_tests;
mod reader;
mod tables;
#[cfg(test)]
mod tests;

pub(super) use reader::Qcow2;

use crate::error::{Error, Kind};

/// A refusal of the image.
fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::InvalidInput, format!("the qcow2 image cannot be published: {what}"))
        .hint("write a plain one with `qemu-img convert -O qcow2 OLD NEW`")
}

/// A refusal of an image that is not what any writer would have produced.
fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::InvalidInput, format!("the qcow2 image is damaged: {what}"))
        .hint("copy or build it again; `qemu-img check` says more")
}
