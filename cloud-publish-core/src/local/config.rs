//! The keys of a `[target.NAME]` with `provider = "local"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::manifest::{ProviderConfig, Visibility};

/// A directory that is mirrored to the public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalConfig {
    /// The directory; `PATH.work` beside it is used too, for what is not public.
    #[schemars(with = "String", extend("format" = "path"))]
    pub path: PathBuf,
    /// In which formats each disk is offered.
    #[serde(default = "as_is")]
    #[schemars(length(min = 1))]
    pub formats: Vec<FormatChoice>,
    /// The address under which the directory is mirrored, for links in the catalogue.
    pub base_url: Option<String>,
}

/// A format in which a disk can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "FormatWord", into = "FormatWord")]
#[schemars(with = "FormatWord")]
pub enum FormatChoice {
    /// The file as the manifest names it.
    AsIs,
}

/// All words, those that this version cannot make included: they are no typing mistakes.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FormatWord {
    AsIs,
    Raw,
    Qcow2,
    Vhd,
    GceTarGz,
}

impl TryFrom<FormatWord> for FormatChoice {
    type Error = &'static str;

    fn try_from(word: FormatWord) -> Result<Self, Self::Error> {
        match word {
            FormatWord::AsIs => Ok(Self::AsIs),
            FormatWord::Raw => Err("`raw` is not supported yet, only `as-is` is"),
            FormatWord::Qcow2 => Err("`qcow2` is not supported yet, only `as-is` is"),
            FormatWord::Vhd => Err("`vhd` is not supported yet, only `as-is` is"),
            FormatWord::GceTarGz => Err("`gce-tar-gz` is not supported yet, only `as-is` is"),
        }
    }
}

impl From<FormatChoice> for FormatWord {
    fn from(choice: FormatChoice) -> Self {
        match choice {
            FormatChoice::AsIs => Self::AsIs,
        }
    }
}

fn as_is() -> Vec<FormatChoice> {
    vec![FormatChoice::AsIs]
}

impl ProviderConfig for LocalConfig {
    const PROVIDER: &'static str = "local";
    const VISIBILITY: Visibility = Visibility::Public;
    const REGIONS: bool = false;

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn check(&self) -> Result<()> {
        if self.path.file_name().is_none() {
            return Err(Error::new(Kind::InvalidInput, format!("`{}` is not a usable directory", self.path.display()))
                .with("key", "path")
                .hint("name a directory of its own: a second one, PATH.work, is made beside it"));
        }
        Ok(())
    }
}
