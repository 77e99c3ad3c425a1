//! What a target should hold: the manifest's artifacts as images, region by region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::step::ImageRef;
use crate::digest::Digest;
use crate::disk::GivenFile;
use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::manifest::{Artifact, Config, Release, TargetConfig};
use crate::names::{Owner, Region};
use crate::publisher::{Expected, ImageSpec, Publisher, TargetInfo, VisibilityKind};

/// What is known of an artifact's file once it was verified: recorded, so that a later run need not read it again
/// unless it must send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFacts {
    /// The content digest.
    pub content: Digest,
    /// sha512 of the disk's own file, 128 hex digits, where the manifest or a target asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha512: Option<String>,
    /// Bytes of the disk's own file.
    pub file_size: u64,
    /// The file as given, where the disk is packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenFile>,
    /// Bytes of the disk that a machine sees.
    pub virtual_size: u64,
}

impl InputFacts {
    /// Whether the sha512 of every file is known.
    pub(crate) fn has_sha512(&self) -> bool {
        self.file_sha512.is_some() && self.given.as_ref().is_none_or(|given| given.sha512.is_some())
    }
}

/// One image that should be at a target.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Which image of the release.
    pub image: ImageRef,
    /// What it should be.
    pub spec: ImageSpec,
    /// Where it should be.
    pub places: Vec<DesiredPlace>,
}

/// One region that an image should be in.
#[derive(Clone, Debug)]
pub struct DesiredPlace {
    /// Which.
    pub region: Region,
    /// Without it nothing of the artifact is published at this target.
    pub required: bool,
    /// What the survey should show of it.
    pub expected: Expected,
}

/// Works out what `target` should hold of `release`.
///
/// # Errors
/// [`Kind::InvalidInput`] when a name cannot be made, or the target's cloud forbids such an image;
/// [`Kind::Unsupported`] when it does not know the wanted visibility.
pub fn desired(
    config: &Config,
    release: &Release,
    target: &TargetConfig,
    facts: &BTreeMap<ArtifactRef, InputFacts>,
    cloud: (&dyn Publisher, &TargetInfo),
) -> Result<Vec<Desired>> {
    let (publisher, info) = cloud;
    let mut all = Vec::new();
    for artifact in release.artifacts.iter().filter(|artifact| target.takes(release, artifact)) {
        let key = ArtifactRef::of(artifact);
        let known = facts.get(&key).ok_or_else(|| {
            Error::new(Kind::InvalidInput, "the file of an artifact was not read").with("artifact", &key)
        })?;
        for rendition in &info.renditions {
            let image = ImageRef { variant: key.variant.clone(), arch: key.arch.clone(), rendition: rendition.clone() };
            let spec = spec(config, release, target, Source { artifact, known, image: &image })
                .map_err(|error| error.with("artifact", &key).with("target", &target.name))?;
            check_visibility(&spec, info)?;
            let places = places(&spec, publisher, info)?;
            all.push(Desired { image, spec, places });
        }
    }
    all.sort_by(|a, b| a.image.cmp(&b.image));
    Ok(all)
}

fn check_visibility(spec: &ImageSpec, info: &TargetInfo) -> Result<()> {
    let kind = VisibilityKind::from(&spec.visibility);
    if info.capability.visibilities.contains(&kind) {
        return Ok(());
    }
    let known: Vec<String> =
        info.capability.visibilities.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    Err(Error::new(Kind::Unsupported, "this cloud does not have the wanted visibility")
        .with("target", &info.target)
        .hint(format!("set `visibility` of the target to one of: {}", known.join(", "))))
}

fn places(spec: &ImageSpec, publisher: &dyn Publisher, info: &TargetInfo) -> Result<Vec<DesiredPlace>> {
    let place = |wanted: &crate::publisher::WantedRegion| -> Result<DesiredPlace> {
        let expected = publisher
            .expect(spec, &wanted.region)
            .map_err(|error| error.with("target", &info.target).with("region", &wanted.region))?;
        Ok(DesiredPlace { region: wanted.region.clone(), required: wanted.required, expected })
    };
    info.regions.iter().map(place).collect()
}

struct Source<'a> {
    artifact: &'a Artifact,
    known: &'a InputFacts,
    image: &'a ImageRef,
}

fn spec(config: &Config, release: &Release, target: &TargetConfig, source: Source<'_>) -> Result<ImageSpec> {
    let Source { artifact, known, image } = source;
    let mut extra_tags = config.tags.clone();
    extra_tags.extend(target.tags.clone());
    let described = artifact.description.clone().or_else(|| release.description.clone());
    Ok(ImageSpec {
        tags: tags(&config.owner, release, image, known),
        name: config.naming.image(release, artifact, &target.name)?,
        family: config.naming.family(release, artifact, &target.name),
        description: described
            .unwrap_or_else(|| format!("{} {} {} {}", release.suite, image.variant, image.arch, release.version)),
        suite_id: release.suite_id.clone(),
        boot: artifact.boot,
        format: artifact.format,
        file_size: known.file_size,
        virtual_size: known.virtual_size,
        file_sha512: known.file_sha512.clone(),
        given: known.given.clone(),
        build_job: release.build_job.clone(),
        extra_tags,
        properties: artifact.properties.get(&target.provider).cloned().unwrap_or_default(),
        visibility: target.visibility(release.class),
        build_manifest: artifact.build_manifest.clone(),
        outside_suite: artifact.outside_suite.clone(),
    })
}

fn tags(owner: &Owner, release: &Release, image: &ImageRef, known: &InputFacts) -> ImageTags {
    ImageTags {
        owner: owner.clone(),
        release: release.name.clone(),
        suite: release.suite.clone(),
        version: release.version.clone(),
        class: release.class,
        variant: image.variant.clone(),
        arch: image.arch.clone(),
        rendition: image.rendition.clone(),
        date: release.date,
        digest: known.content,
    }
}

/// Which artifact of a release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ArtifactRef {
    /// Its variant.
    pub variant: crate::names::Variant,
    /// Its architecture.
    pub arch: crate::names::Arch,
}

impl ArtifactRef {
    /// The name of `artifact`.
    pub fn of(artifact: &Artifact) -> Self {
        Self { variant: artifact.variant.clone(), arch: artifact.arch.clone() }
    }
}

impl std::fmt::Display for ArtifactRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.variant, self.arch)
    }
}
