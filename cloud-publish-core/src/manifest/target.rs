//! One `[target.NAME]`: what every target has, and the table of its provider's own keys.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decode;
use super::document::{Document, Node, Step, Way};
use super::formats::{Checked, Tags};
use super::gate::{GateConfig, GateFile};
use super::problem::{Place, Problem, Problems};
use super::release::{Artifact, Release};
use super::visibility::{Visibility, VisibilityPolicy};
use super::words::quote;
use crate::error::{Error, Kind, Result};
use crate::names::{Arch, Class, Provider, Region, TargetName, Variant};

/// One place to publish to, with its policy.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Its name in publish.toml, and after `--to`.
    pub name: TargetName,
    /// What kind of cloud it is.
    pub provider: Provider,
    /// The variants it takes; absent: all.
    pub variants: Option<Vec<Variant>>,
    /// The architectures it takes; absent: all.
    pub archs: Option<Vec<Arch>>,
    /// The classes it takes; absent: all.
    pub classes: Option<Vec<Class>>,
    /// The regions that must have the image; absent: what the provider makes of it.
    pub regions: Option<Regions>,
    /// Regions wanted too, whose failure is only a warning.
    pub best_effort: Vec<Region>,
    /// Regions left out of `all`.
    pub deny: Vec<Region>,
    /// Who may see the images.
    pub visibility: VisibilityPolicy,
    /// How many images may be sent at once, and how many other calls made in one region; absent: 4.
    pub concurrency: Option<NonZeroU32>,
    /// What becomes public at one time; absent: what the provider says, usually each artifact alone.
    pub publish_together: Option<Together>,
    /// The command that must pass before anything of an artifact is published.
    pub gate: Option<GateConfig>,
    /// Nothing is published before a person has approved it.
    pub approve: bool,
    /// Extra tags of this target's images; they win over those of the whole configuration.
    pub tags: BTreeMap<String, String>,
    /// The account, project or folder, as far as the configuration tells.
    pub place: String,
    /// The provider's own keys; [`TargetConfig::own`] decodes them.
    pub table: Value,
    pub(super) at: Place,
}

/// The keys of every target, as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetFile {
    /// What kind of cloud it is.
    #[schemars(with = "Checked<Provider>")]
    pub(crate) provider: Provider,
    /// The variants it takes; all when absent.
    #[schemars(with = "Option<Vec<Checked<Variant>>>", length(min = 1))]
    pub(crate) variants: Option<Vec<Variant>>,
    /// The architectures it takes; all when absent.
    #[schemars(with = "Option<Vec<Checked<Arch>>>", length(min = 1))]
    pub(crate) archs: Option<Vec<Arch>>,
    /// The classes it takes; all when absent.
    #[schemars(length(min = 1))]
    pub(crate) classes: Option<Vec<Class>>,
    /// The regions that must have the image: a list, or "all".
    pub(crate) regions: Option<Regions>,
    /// Regions wanted too, but a failure there is only a warning.
    #[serde(default)]
    #[schemars(with = "Vec<Checked<Region>>")]
    pub(crate) best_effort: Vec<Region>,
    /// Regions that `regions = "all"` leaves out.
    #[serde(default)]
    #[schemars(with = "Vec<Checked<Region>>")]
    pub(crate) deny: Vec<Region>,
    /// Who may see the images: one word for all, or a table per class.
    pub(crate) visibility: Option<VisibilityPolicy>,
    /// How many images may be sent at once, and how many other calls made in one region; 4 when absent.
    pub(crate) concurrency: Option<NonZeroU32>,
    /// What becomes public at one time.
    pub(crate) publish_together: Option<Together>,
    /// A command that must pass before anything of an artifact is published.
    pub(crate) gate: Option<GateFile>,
    /// Publish nothing before `publish approve` was said.
    #[serde(default)]
    pub(crate) approve: bool,
    /// Extra tags of this target's images.
    #[serde(default)]
    #[schemars(with = "Tags")]
    pub(crate) tags: BTreeMap<String, String>,
}

/// The regions that must have an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "RegionsFile", into = "RegionsFile")]
#[schemars(with = "RegionsFile")]
pub enum Regions {
    /// All that the account has, when the run looks; written "all".
    All,
    /// These; at least one, each once.
    These(Vec<Region>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum RegionsFile {
    /// Every region that the account has.
    Word(All),
    /// These regions.
    These(#[schemars(with = "Vec<Checked<Region>>", length(min = 1))] Vec<Region>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum All {
    All,
}

impl From<RegionsFile> for Regions {
    fn from(file: RegionsFile) -> Self {
        match file {
            RegionsFile::Word(All::All) => Self::All,
            RegionsFile::These(regions) => Self::These(regions),
        }
    }
}

impl From<Regions> for RegionsFile {
    fn from(regions: Regions) -> Self {
        match regions {
            Regions::All => Self::Word(All::All),
            Regions::These(regions) => Self::These(regions),
        }
    }
}

/// What becomes public at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// Each artifact as soon as it is complete everywhere.
    Artifact,
    /// All artifacts of the target, or none.
    Target,
}

impl TargetConfig {
    /// True when the target wants this artifact.
    pub fn takes(&self, release: &Release, artifact: &Artifact) -> bool {
        fn allows<T: PartialEq>(list: Option<&Vec<T>>, value: &T) -> bool {
            list.is_none_or(|list| list.contains(value))
        }
        allows(self.variants.as_ref(), &artifact.variant)
            && allows(self.archs.as_ref(), &artifact.arch)
            && self.takes_class(release.class)
    }

    /// True when the target wants releases of this class.
    pub fn takes_class(&self, class: Class) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.contains(&class))
    }

    /// Who may see the images of a class.
    pub fn visibility(&self, class: Class) -> Visibility {
        self.visibility.of(class)
    }

    /// Decodes the provider's own keys; paths in them are resolved against the folder of publish.toml.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when `T` is not the type of this target's provider: the keys were checked when the
    /// configuration was read.
    pub fn own<T: DeserializeOwned>(&self) -> Result<T> {
        decode::value(&self.table).map_err(|failure| {
            let way = if failure.way.0.is_empty() { String::new() } else { format!("`{}`: ", failure.way) };
            Error::new(Kind::InvalidInput, format!("{}: {way}{}", self.at, failure.message)).with("target", &self.name)
        })
    }
}

/// What the schema cannot say of one target: each region is named once, and a gate's command names a program.
pub(super) fn rules(document: &Document, name: &str, target: &Node, problems: &mut Problems) {
    let command = target.get("gate").and_then(|gate| gate.get("command")).map(Node::items).unwrap_or_default();
    if let Some(program) = command.first().filter(|program| program.text() == Some("")) {
        let mut way = Way::keys(&["target", name, "gate", "command"]);
        way.0.push(Step::Index(0));
        let message = format!("`{way}` names no program");
        problems.push(Problem::new(document.place(program.at), way.to_string(), message));
    }
    let mut seen = BTreeSet::new();
    for list in ["regions", "best_effort", "deny"] {
        let regions = target.get(list).map(Node::items).unwrap_or_default();
        for (index, node) in regions.iter().enumerate() {
            let Some(region) = node.text().filter(|region| !seen.insert(*region)) else { continue };
            let mut way = Way::keys(&["target", name, list]);
            way.0.push(Step::Index(index));
            let message = format!("region {} is named twice in `target.{name}`", quote(region));
            problems.push(
                Problem::new(document.place(node.at), way.to_string(), message)
                    .suggest("a region is either required (`regions`), wanted (`best_effort`) or left out (`deny`)"),
            );
        }
    }
}
