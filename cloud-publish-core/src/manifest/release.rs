//! A release and its artifacts, checked, with paths resolved. How it is written is `release_file`'s.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::decode;
use super::digests::{Sha256, Sha512};
use super::document::Document;
use super::manifest_file::ManifestFile;
use super::paths::folder_of;
use super::problem::Problems;
use super::release_file::{ArtifactFile, Boot, ReleaseFile, rules};
use super::words::{did_you_mean, list, quote};
use crate::disk::{Format, Packing};
use crate::error::{Error, Kind, Result};
use crate::names::{Arch, Class, Provider, ReleaseName, Suite, Variant, Version};

/// A named set of disk images that were built together, with one suite, version and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name: `bookworm-20240101`.
    pub name: ReleaseName,
    /// The distribution's series: `bookworm`.
    pub suite: Suite,
    /// The series as names of images write it: `12`.
    pub suite_id: String,
    /// The version of the images: `20240101-1614`.
    pub version: Version,
    /// What sort of build it is.
    pub class: Class,
    /// When it was built.
    pub date: Timestamp,
    /// The address of the build's log.
    pub build_job: Option<String>,
    /// What users read about the release.
    pub description: Option<String>,
    /// The disk images in the order of the file: at least one, each variant and architecture once.
    pub artifacts: Vec<Artifact>,
    /// The folder of the manifest.
    pub folder: PathBuf,
    /// The manifest as it was read; `None` when it was no file.
    pub file: Option<ManifestFile>,
}

/// One disk image of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What sort of image: `genericcloud`.
    pub variant: Variant,
    /// The processor architecture.
    pub arch: Arch,
    /// The image file, the manifest's folder joined to the name written.
    pub file: PathBuf,
    /// How the disk is laid out; of a packed file, the disk inside.
    pub format: Format,
    /// What is around the disk, if anything.
    pub packed: Option<Packing>,
    /// The sha256 of the file as it is.
    pub sha256: Option<Sha256>,
    /// The sha512 of the file as it is. This or the sha256 is there.
    pub sha512: Option<Sha512>,
    /// The size of the file in bytes.
    pub size: Option<u64>,
    /// How the image boots.
    pub boot: Boot,
    /// The build's own manifest, the manifest's folder joined to the name written.
    pub build_manifest: Option<PathBuf>,
    /// What users read about the image.
    pub description: Option<String>,
    /// Packages of the image that its suite does not have, as `name=version`; `None` when nobody compared.
    pub outside_suite: Option<Vec<String>>,
    /// Properties for the images at one kind of cloud.
    pub properties: BTreeMap<Provider, BTreeMap<String, String>>,
}

impl Release {
    /// Reads a manifest: JSON when its name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// [`Kind::NotFound`] or [`Kind::Storage`] when the file cannot be read; [`Kind::InvalidInput`] with every
    /// problem of the file, one per line.
    pub fn read(file: &Path) -> Result<Self> {
        let text = Document::text_of(file)?;
        Ok(Self { file: Some(ManifestFile::new(file, &text)), ..Self::parse(file, &text)? })
    }

    /// Checks the text of a manifest that is, or could be, at `file`. Reads nothing.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problems> {
        let document = Document::parse(file, text.to_owned())?;
        let written: ReleaseFile = decode::document(&document, &super::schema::release(), rules)?;
        let folder = folder_of(file);
        Ok(Self {
            name: written.name,
            suite: written.suite,
            suite_id: written.suite_id,
            version: written.version,
            class: written.class,
            date: written.date,
            build_job: written.build_job,
            description: written.description,
            artifacts: written.artifact.into_iter().map(|artifact| Artifact::resolved(artifact, &folder)).collect(),
            folder,
            file: None,
        })
    }

    /// Reads the manifest of a release by its name: `NAME.toml`, or `NAME.json` when there is no such file.
    ///
    /// # Errors
    /// [`Kind::NotFound`] with near names when there is neither; [`Kind::InvalidInput`] when both are there, when the
    /// manifest has another name inside, or as [`Release::read`].
    pub fn find(releases: &Path, name: &ReleaseName) -> Result<Self> {
        let written = |extension: &str| releases.join(format!("{name}.{extension}"));
        let found: Vec<PathBuf> = ["toml", "json"].map(written).into_iter().filter(|file| file.is_file()).collect();
        let file = match found.as_slice() {
            [] => return Err(absent(releases, name)),
            [file] => file,
            [toml, json, ..] => {
                let both = format!("`{}` and `{}` are both there", toml.display(), json.display());
                return Err(Error::new(Kind::InvalidInput, both).hint("remove or rename one of them"));
            }
        };
        let release = Self::read(file)?;
        if release.name != *name {
            let other = format!("`{}` is the manifest of `{}`", file.display(), release.name);
            return Err(Error::new(Kind::InvalidInput, other)
                .hint(format!("rename the file, or write name = \"{name}\" in it")));
        }
        Ok(release)
    }

    /// Lists the names of the manifests in a folder, sorted.
    ///
    /// # Behaviour
    /// The images' own build manifests lie in the same folder and are JSON too: a file that has none of a manifest's
    /// keys is none. One that cannot be read is taken for a manifest, so that somebody looks at it.
    ///
    /// # Errors
    /// [`Kind::Storage`] when the folder cannot be read.
    pub fn list(releases: &Path) -> Result<Vec<String>> {
        let entries = fs::read_dir(releases).map_err(|error| {
            Error::new(Kind::Storage, format!("could not read the folder `{}`", releases.display()))
                .hint("`releases` in publish.toml names the folder of the manifests")
                .caused_by(error)
        })?;
        let files = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|file| file.is_file());
        let manifests = files.filter(|file| match file.extension().and_then(OsStr::to_str) {
            Some("toml") => true,
            Some("json") => !is_of_others(file),
            _ => false,
        });
        let names = manifests.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
        let sorted: BTreeSet<String> = names.filter(|name| !name.starts_with('.')).collect();
        Ok(sorted.into_iter().collect())
    }

    /// Checks the files of one artifact: there, regular, of the size given, and inside the manifest's folder even when
    /// symlinks are followed. Their content is not read.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with one line for each file that is not as it should be.
    pub fn check_paths(&self, artifact: &Artifact) -> Result<()> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let folder = fs::canonicalize(folder).map_err(|e| {
            Error::new(Kind::InvalidInput, format!("could not open the folder `{}`", folder.display())).caused_by(e)
        })?;
        let image = wrong_file(&folder, &artifact.file, artifact.size);
        let beside = artifact.build_manifest.as_ref().and_then(|file| wrong_file(&folder, file, None));
        let wrong: Vec<String> = image.into_iter().chain(beside).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(Kind::InvalidInput, wrong.join("\n"))
            .with("release", &self.name)
            .hint("files lie beside the manifest or below it, complete, before it is published"))
    }
}

impl Artifact {
    fn resolved(written: ArtifactFile, folder: &Path) -> Self {
        Self {
            variant: written.variant,
            arch: written.arch,
            file: written.file.below(folder),
            format: written.format,
            packed: written.packed,
            sha256: written.sha256,
            sha512: written.sha512,
            size: written.size,
            boot: written.boot,
            build_manifest: written.build_manifest.map(|file| file.below(folder)),
            description: written.description,
            outside_suite: written.outside_suite,
            properties: written.properties,
        }
    }
}

/// What is wrong with a file of a release; `folder` is canonical.
fn wrong_file(folder: &Path, file: &Path, size: Option<u64>) -> Option<String> {
    let name = file.display();
    let real = match fs::canonicalize(file) {
        Ok(real) => real,
        Err(e) => return Some(format!("could not open `{name}`: {e}")),
    };
    if !real.starts_with(folder) {
        return Some(format!("`{name}` leads out of the manifest's folder, to `{}`", real.display()));
    }
    match fs::metadata(&real) {
        Err(e) => Some(format!("could not open `{name}`: {e}")),
        Ok(found) if !found.is_file() => Some(format!("`{name}` is not a file")),
        Ok(found) => size
            .filter(|size| *size != found.len())
            .map(|size| format!("`{name}` has {} bytes, the manifest says {size}", found.len())),
    }
}

/// Whether a JSON file has none of a release manifest's keys.
fn is_of_others(file: &Path) -> bool {
    let value: Option<serde_json::Value> = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    value.is_some_and(|value| ["schema", "name", "artifact"].iter().all(|key| value.get(key).is_none()))
}

fn absent(releases: &Path, name: &ReleaseName) -> Error {
    let error = Error::new(Kind::NotFound, format!("no manifest of `{name}` in `{}`", releases.display()));
    let names = match Release::list(releases) {
        Ok(names) => names,
        Err(unreadable) => return error.caused_by(unreadable),
    };
    let all = || names.iter().map(String::as_str);
    error.hint(match did_you_mean(name.as_str(), all()) {
        Some(meant) => meant,
        None if names.is_empty() => {
            format!("the folder has no manifests yet: write {}", quote(&format!("{name}.toml")))
        }
        None => format!("known releases: {}", list(all().rev().take(10))),
    })
}

#[cfg(test)]
mod tests;
