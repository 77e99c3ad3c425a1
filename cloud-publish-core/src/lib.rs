//! The core of cloud-publish.
pub mod digest;
pub mod disk;
pub mod error;
pub mod local;
pub mod manifest;
pub mod names;
