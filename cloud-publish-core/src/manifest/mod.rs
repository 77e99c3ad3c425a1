//! placeholder
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much must be there before anything of it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// Every artifact on its own.
    Artifact,
    /// All artifacts of the target, or none.
    Target,
}

/// Who may use an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The owner alone.
    #[default]
    Private,
    /// These parties, in the cloud's words for them.
    SharedWith(Vec<String>),
    /// Everyone who looks for it.
    Community,
    /// Everyone.
    Public,
}

/// Which firmware starts the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// UEFI only.
    Uefi,
    /// Both; UEFI where there is a choice.
    UefiPreferred,
    /// BIOS only.
    Bios,
}
