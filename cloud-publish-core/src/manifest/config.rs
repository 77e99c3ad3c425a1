//! publish.toml: how it is written, and what it means once read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::decode;
use super::document::{Document, Node, Way};
use super::formats::{CONFIG_PATH, Checked, Tags};
use super::gate::GateConfig;
use super::naming::Naming;
use super::paths::{folder_of, resolve};
use super::problem::{Problem, Problems};
use super::provider::ProviderSchema;
use super::state::State;
use super::target::{self, TargetConfig, TargetFile};
use super::template::Template;
use super::visibility::VisibilityPolicy;
use crate::error::Result;
use crate::names::{Owner, TargetName};

/// Where an owner's releases lie, where they go, and under which names. All paths are resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Who publishes.
    pub owner: Owner,
    /// The folder of the release manifests.
    pub releases: PathBuf,
    /// Where ledger, leases and catalogue are kept.
    pub state: State,
    /// Where a packed disk is unpacked; the folder of publish.toml unless set.
    pub work_dir: PathBuf,
    /// The names of images and pointers.
    pub naming: Naming,
    /// Extra tags of all images.
    pub tags: BTreeMap<String, String>,
    /// The targets by name.
    pub targets: BTreeMap<TargetName, TargetConfig>,
    /// The folder of publish.toml.
    pub folder: PathBuf,
}

/// Where an owner's releases lie, where they go, and under which names. Paths are relative to this file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "publish.toml of cloud-publish")]
pub(crate) struct ConfigFile {
    /// The version of this file's format: 1.
    #[serde(rename = "schema")]
    #[schemars(extend("const" = 1))]
    _schema: u8,
    /// Who publishes: goes into every tag; images of another owner are never touched.
    #[schemars(with = "Checked<Owner>")]
    owner: Owner,
    /// The folder of the release manifests.
    #[schemars(extend("format" = "path"))]
    releases: String,
    /// Where ledger, leases and catalogue are kept: a folder, or s3://, gs://, az:// to share them between machines.
    #[schemars(with = "Checked<State>")]
    state: State,
    /// The folder whose file system takes the packed disks while they are published, sparse; nothing is seen in it.
    #[serde(default = "work_dir")]
    #[schemars(extend("format" = "path"))]
    work_dir: String,
    /// The names of images and pointers.
    #[serde(default)]
    naming: NamingFile,
    /// Extra tags of all images.
    #[serde(default)]
    #[schemars(with = "Tags")]
    tags: BTreeMap<String, String>,
    /// The targets by name, as `--to` takes them.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "target-name"}))]
    target: BTreeMap<String, Map<String, Value>>,
}

/// Templates with {owner} {release} {suite} {suite_id} {variant} {arch} {class} {class_suffix} {version} {date} {target}.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct NamingFile {
    /// The name of an image.
    #[schemars(with = "Checked<Template>")]
    image: String,
    /// The name that always leads to the newest image of its line.
    #[schemars(with = "Checked<Template>")]
    family: String,
}

impl Default for NamingFile {
    fn default() -> Self {
        Self {
            image: "{owner}-{suite_id}-{variant}-{arch}{class_suffix}-{version}".to_owned(),
            family: "{owner}-{suite_id}-{variant}-{arch}{class_suffix}".to_owned(),
        }
    }
}

fn work_dir() -> String {
    ".".to_owned()
}

impl Config {
    /// Reads a configuration: JSON when its name ends in `.json`, else TOML. `providers` are those of this program.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) or [`Storage`](crate::error::Kind::Storage) when the file cannot be
    /// read; [`InvalidInput`](crate::error::Kind::InvalidInput) with every problem of the file, one per line.
    pub fn read(file: &Path, providers: &[ProviderSchema]) -> Result<Self> {
        Ok(Self::parse(file, &Document::text_of(file)?, providers)?)
    }

    /// Checks the text of a configuration that is, or could be, at `file`. Reads nothing.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(file: &Path, text: &str, providers: &[ProviderSchema]) -> Result<Self, Problems> {
        let document = Document::parse(file, text.to_owned())?;
        let written: ConfigFile = decode::document(&document, &super::schema::config(providers), rules)?;
        let naming = naming(&document, &written)?;
        let folder = folder_of(file);
        let mut problems = Problems::default();
        let mut targets = BTreeMap::new();
        for (name, table) in written.target {
            match target(&document, &name, table, providers) {
                Ok(target) => drop(targets.insert(target.name.clone(), target)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.into_result(Self {
            owner: written.owner,
            releases: resolve(&folder, written.releases),
            state: written.state.resolved(&folder),
            work_dir: resolve(&folder, written.work_dir),
            naming,
            tags: written.tags,
            targets,
            folder,
        })
    }
}

/// What the schema cannot say.
fn rules(document: &Document, problems: &mut Problems) {
    for (name, entry) in document.root().get("target").map(Node::entries).into_iter().flatten() {
        target::rules(document, name, &entry.node, problems);
    }
}

fn naming(document: &Document, written: &ConfigFile) -> Result<Naming, Problems> {
    let template = |key: &str, text: &str| {
        let way = Way::keys(&["naming", key]);
        let place = document.place_of(&way);
        let template: Result<Template> = text.parse();
        template
            .map(|template| (template, place.clone()))
            .map_err(|e| Problem::new(place, way.to_string(), e.message()))
    };
    let image = template("image", &written.naming.image)?;
    let family = template("family", &written.naming.family)?;
    Ok(Naming::new(written.owner.clone(), image, family))
}

/// One target: its common keys decoded, its own keys checked by its provider.
fn target(
    document: &Document,
    name: &str,
    mut table: Map<String, Value>,
    providers: &[ProviderSchema],
) -> Result<TargetConfig, Problem> {
    let way = Way::keys(&["target", name]);
    let wrong = |message: &str| Problem::new(document.place_of(&way), way.to_string(), message);
    let common = super::schema::common_keys().into_iter();
    let common: Map<String, Value> = common.filter_map(|key| table.remove_entry(&key)).collect();
    let common: TargetFile = decode::value(&common.into()).map_err(|failure| failure.locate(document, &way))?;
    let Some(provider) = providers.iter().find(|known| known.provider == common.provider.as_str()) else {
        return Err(wrong(&format!("this program has no provider `{}`", common.provider)));
    };
    resolve_paths(&mut table, provider, &folder_of(document.file()));
    let table = Value::Object(table);
    let place = (provider.place)(&table).map_err(|failure| failure.locate(document, &way))?;
    let default = || VisibilityPolicy::Same(provider.visibility.clone());
    Ok(TargetConfig {
        name: TargetName::new(name).map_err(|e| wrong(e.message()))?,
        provider: common.provider,
        variants: common.variants,
        archs: common.archs,
        classes: common.classes,
        regions: common.regions,
        best_effort: common.best_effort,
        deny: common.deny,
        visibility: common.visibility.unwrap_or_else(default),
        concurrency: common.concurrency,
        publish_together: common.publish_together,
        gate: common.gate.map(|gate| GateConfig::new(gate, &folder_of(document.file()))),
        approve: common.approve,
        tags: common.tags,
        place,
        table,
        at: document.place_of(&way),
    })
}

/// Replaces the paths among a provider's own keys by resolved ones.
fn resolve_paths(table: &mut Map<String, Value>, provider: &ProviderSchema, folder: &Path) {
    let schema = (provider.schema)().to_value();
    for (key, value) in table.iter_mut() {
        let own = schema.get("properties").and_then(|properties| properties.get(key));
        let is_path = own.and_then(|own| own.get("format")).and_then(Value::as_str) == Some(CONFIG_PATH);
        if let (true, Value::String(text)) = (is_path, &mut *value) {
            *text = resolve(folder, text.as_str()).to_string_lossy().into_owned();
        }
    }
}

#[cfg(test)]
mod tests;
