//! The target `local`: a directory in Debian's public layout.

mod config;

pub use config::{FormatChoice, LocalConfig};
