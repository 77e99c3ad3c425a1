//! The formats a manifest can declare.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of a disk image file, written `raw`, `qcow2` or `vhd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The bytes of the disk, nothing else.
    Raw,
    /// QEMU's copy-on-write format, version 2 or 3, without any reference to another file.
    Qcow2,
    /// A fixed VHD: the bytes of the disk, then a footer.
    Vhd,
}

impl Format {
    /// The word used in manifests and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vhd => "vhd",
        }
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn formats_are_written_as_in_manifests() {
        for format in [Format::Raw, Format::Qcow2, Format::Vhd] {
            let word = serde_json::to_string(&format).unwrap();
            assert_eq!(word, format!("\"{format}\""));
            assert_eq!(serde_json::from_str::<Format>(&word).unwrap(), format);
        }
        assert!(serde_json::from_str::<Format>("\"vmdk\"").is_err());
    }
}
