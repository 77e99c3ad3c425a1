//! Release manifests made of what a distribution's own image builds leave behind. Pure: bytes in, text out.
//!
//! One module for each kind of build. Opening files and writing the result is the caller's.

pub mod debian;
