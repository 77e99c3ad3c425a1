//! One build manifest: its `Build` and what its `Upload`s say of files.

use serde_json::Value;

use super::Wrong;
use super::annotation::{DIGEST, sha512_of};
use super::info::Info;
use crate::names::Class;

/// Debian's word for "a file of the download tree".
const TREE: &str = "cloud.debian.org";

/// A build manifest.
#[derive(Clone, Debug)]
pub(super) struct Build {
    /// The file's name.
    pub(super) file: String,
    /// The name without `.json` and `.build.json`: its images begin with it.
    pub(super) stem: String,
    /// What was built.
    pub(super) info: Info,
    /// Names, with `:ARCH` where several architectures can be installed, and versions.
    pub(super) packages: Vec<(String, String)>,
    /// Digests of the archive that the build itself made: `STEM.tar`.
    pub(super) archive: Vec<[u8; 64]>,
    /// Files that were given to a download tree.
    pub(super) uploads: Vec<Uploaded>,
}

/// What an `Upload` says of a file.
#[derive(Clone, Debug)]
pub(super) struct Uploaded {
    /// The file's name.
    pub(super) file: String,
    /// Its digests.
    pub(super) sha512: Vec<[u8; 64]>,
    /// Its class.
    pub(super) class: Option<Class>,
}

impl Build {
    /// Reads a file; `None` when it is other JSON, or so wrong that nothing can be made of it.
    pub(super) fn read(file: &str, bytes: &[u8], wrong: &mut Wrong) -> Option<Self> {
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => {
                wrong.push(format!("{file}:{}:{}: not JSON: {error}", error.line(), error.column()));
                return None;
            }
        };
        let items = match kind(&value)? {
            "List" => value.get("items")?.as_array()?.as_slice(),
            _ => std::slice::from_ref(&value),
        };
        let builds: Vec<&Value> = items.iter().filter(|item| kind(item) == Some("Build")).collect();
        let build = match builds.as_slice() {
            [build] => *build,
            [] => return None,
            several => {
                wrong.push(format!("{file}: has {} builds, one is expected", several.len()));
                return None;
            }
        };
        let uploads = items.iter().filter(|item| kind(item) == Some("Upload"));
        let uploads = uploads.filter_map(|item| uploaded(file, item, wrong)).collect();
        let archive = digests(file, build, wrong);
        let stem = file.strip_suffix(".json").unwrap_or(file);
        Some(Self {
            file: file.to_owned(),
            stem: stem.strip_suffix(".build").unwrap_or(stem).to_owned(),
            info: Info::read(file, build, wrong)?,
            packages: packages(file, build, wrong),
            archive,
            uploads,
        })
    }
}

fn kind(value: &Value) -> Option<&str> {
    value.get("kind")?.as_str()
}

fn uploaded(file: &str, item: &Value, wrong: &mut Wrong) -> Option<Uploaded> {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    if text("/data/provider") != Some(TREE) {
        return None;
    }
    let class = text("/metadata/labels/upload.cloud.debian.org~1type")
        .and_then(|word| word.parse().map_err(|_| wrong.push(format!("{file}: `{word}` is no class of uploads"))).ok());
    let reference = text("/data/ref")?;
    let name = reference.rsplit_once('/').map_or(reference, |(_, name)| name);
    Some(Uploaded { file: name.to_owned(), sha512: digests(file, item, wrong), class })
}

/// The digests that an item is annotated with. There may be several, separated by commas, and of other kinds.
fn digests(file: &str, item: &Value, wrong: &mut Wrong) -> Vec<[u8; 64]> {
    let annotations = item.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let text = annotations.and_then(|annotations| annotations.get(DIGEST)).and_then(Value::as_str).unwrap_or_default();
    let ours = text.split(',').map(str::trim).filter(|digest| digest.starts_with("sha512:"));
    let read = ours.filter_map(|digest| {
        let sha512 = sha512_of(digest);
        if sha512.is_none() {
            wrong.push(format!("{file}: the annotation {DIGEST} is damaged: `{digest}`"));
        }
        sha512
    });
    read.collect()
}

fn packages(file: &str, build: &Value, wrong: &mut Wrong) -> Vec<(String, String)> {
    let listed = build.pointer("/data/packages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = listed.iter().filter_map(|package| {
        let text = |name: &str| Some(package.get(name)?.as_str()?.to_owned());
        let pair = text("name").zip(text("version"));
        if pair.is_none() {
            wrong.push(format!("{file}: a package without name or version"));
        }
        pair
    });
    read.collect()
}
