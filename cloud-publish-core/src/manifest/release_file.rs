//! The release manifest as it is written: the keys, their types and descriptions. Its JSON Schema comes from here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digests::{Sha256, Sha512};
use super::document::{Document, Node, Step, Way};
use super::formats::{Checked, Tags};
use super::paths::RelativePath;
use super::problem::{Problem, Problems};
use super::words::quote;
use crate::disk::{Format, Packing};
use crate::names::{Arch, Class, Provider, ReleaseName, Suite, Variant, Version};

/// A set of disk images that were built together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "cloud-publish release manifest")]
pub(crate) struct ReleaseFile {
    /// The version of this file's format: 1.
    #[serde(rename = "schema")]
    #[schemars(extend("const" = 1))]
    pub(crate) _schema: u8,
    /// The release's name, which is also the file's: `bookworm-20240101`.
    #[schemars(with = "Checked<ReleaseName>")]
    pub(crate) name: ReleaseName,
    /// The distribution's series: `bookworm`.
    #[schemars(with = "Checked<Suite>")]
    pub(crate) suite: Suite,
    /// The series as names of images write it: `12`, or the suite again where it has no number.
    #[schemars(extend("format" = "suite-id"))]
    pub(crate) suite_id: String,
    /// The version of the images: `20240101-1614`.
    #[schemars(with = "Checked<Version>")]
    pub(crate) version: Version,
    /// What sort of build it is; decides who may see it and how long it stays.
    pub(crate) class: Class,
    /// When it was built, with time zone: `2024-01-01T00:00:00Z`.
    pub(crate) date: Timestamp,
    /// The address of the build's log.
    pub(crate) build_job: Option<String>,
    /// What users read about the release.
    pub(crate) description: Option<String>,
    /// The disk images, one per variant and architecture.
    #[schemars(length(min = 1))]
    pub(crate) artifact: Vec<ArtifactFile>,
}

/// One disk image; `sha256` or `sha512` must be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["sha256"]}, {"required": ["sha512"]}]))]
pub(crate) struct ArtifactFile {
    /// What sort of image: `genericcloud`.
    #[schemars(with = "Checked<Variant>")]
    pub(crate) variant: Variant,
    /// The processor architecture in the distribution's words: `amd64`.
    #[schemars(with = "Checked<Arch>")]
    pub(crate) arch: Arch,
    /// The image file, relative to this file and not outside its folder.
    #[schemars(with = "Checked<RelativePath>")]
    pub(crate) file: RelativePath,
    /// How the disk is laid out; of a packed file, the disk inside.
    pub(crate) format: Format,
    /// What is around the disk: xz, gzip or zstd, or a tar archive (compressed or not) that holds `disk.raw` alone.
    pub(crate) packed: Option<Packing>,
    /// The sha256 of the file as it is, 64 hex digits.
    #[schemars(with = "Option<Checked<Sha256>>")]
    pub(crate) sha256: Option<Sha256>,
    /// The sha512 of the file as it is, 128 hex digits.
    #[schemars(with = "Option<Checked<Sha512>>")]
    pub(crate) sha512: Option<Sha512>,
    /// The size of the file in bytes.
    pub(crate) size: Option<u64>,
    /// How the image boots.
    pub(crate) boot: Boot,
    /// The build's own manifest (JSON), relative to this file and not outside its folder.
    #[schemars(with = "Option<Checked<RelativePath>>")]
    pub(crate) build_manifest: Option<RelativePath>,
    /// What users read about the image.
    pub(crate) description: Option<String>,
    /// Packages of the image that its suite does not have, as `name=version`; absent when nobody compared.
    pub(crate) outside_suite: Option<Vec<String>>,
    /// Properties for the images at one kind of cloud: `[artifact.properties.openstack]`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Tags>", extend("propertyNames" = {"format": "provider"}))]
    pub(crate) properties: BTreeMap<Provider, BTreeMap<String, String>>,
}

/// How an image boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// With UEFI only.
    Uefi,
    /// With either; UEFI where the machine has a choice.
    UefiPreferred,
    /// With a BIOS only.
    Bios,
}

/// What the schema cannot say: one image per variant and architecture, and only raw disks in tar archives.
pub(super) fn rules(document: &Document, problems: &mut Problems) {
    let artifacts = document.root().get("artifact").map(Node::items).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, artifact) in artifacts.iter().enumerate() {
        let text = |key| artifact.get(key).and_then(Node::text);
        let way = |more: Option<&str>| {
            let steps = [Step::Key("artifact".to_owned()), Step::Index(index)];
            Way(steps.into_iter().chain(more.map(|key| Step::Key(key.to_owned()))).collect())
        };
        if text("packed").is_some_and(|packed| packed.starts_with("tar")) && text("format") != Some("raw") {
            let place = document.place_of(&way(Some("packed")));
            let message = "a tar archive holds a raw disk: write format = \"raw\"";
            problems.push(Problem::new(place, way(Some("packed")).to_string(), message));
        }
        let (Some(variant), Some(arch)) = (text("variant"), text("arch")) else { continue };
        if !seen.insert((variant, arch)) {
            let message = format!("a second artifact with variant {} and arch {}", quote(variant), quote(arch));
            problems.push(Problem::new(document.place(artifact.at), way(None).to_string(), message));
        }
    }
}
