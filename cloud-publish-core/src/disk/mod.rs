//! placeholder
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of a disk image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The disk's bytes as they are.
    Raw,
    /// QEMU's format.
    Qcow2,
    /// Microsoft's fixed VHD.
    Vhd,
}

/// placeholder
#[derive(Debug)]
pub struct Disk;
