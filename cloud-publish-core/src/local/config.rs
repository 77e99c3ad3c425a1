//! The keys of a `[target.NAME]` with `provider = "local"`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::disk::{Format, Packing};
use crate::error::{Error, Kind, Result};
use crate::manifest::{Artifact, ProviderConfig, Visibility};
use crate::names::Rendition;
use crate::plan::ArtifactRef;

/// A directory that is mirrored to the public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalConfig {
    /// The directory; `PATH.work` beside it is used too, for what is not public.
    #[schemars(with = "String", extend("format" = "path"))]
    pub path: PathBuf,
    /// In which formats each disk is offered: one file of each.
    #[serde(default = "as_is")]
    #[schemars(length(min = 1))]
    pub formats: Vec<FormatChoice>,
    /// The address under which the directory is mirrored, for links in the catalogue.
    pub base_url: Option<String>,
}

/// A format in which a disk can be offered. Each is a rendition of its own, with its own file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FormatChoice {
    /// The file as the manifest names it, byte for byte.
    AsIs,
    /// The bytes of the disk, with holes where there are only zeros.
    Raw,
    /// qcow2, compressed. Made anew of a qcow2 file too: the same disk gives the same bytes.
    Qcow2,
    /// A fixed VHD for Azure: the disk rounded up to whole MiB, and a footer.
    Vhd,
    /// A tarball for Google Compute Engine: `disk.raw`, rounded up to whole GiB.
    GceTarGz,
}

impl FormatChoice {
    const ALL: [Self; 5] = [Self::AsIs, Self::Raw, Self::Qcow2, Self::Vhd, Self::GceTarGz];

    /// The word in `formats`, which is also the rendition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsIs => "as-is",
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vhd => "vhd",
            Self::GceTarGz => "gce-tar-gz",
        }
    }

    /// The format of a rendition.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a rendition that no local target makes.
    pub(super) fn of(rendition: &Rendition) -> Result<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == rendition.as_str()).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("a directory has no rendition `{rendition}`"))
                .hint("a local target has as-is, raw, qcow2, vhd and gce-tar-gz")
        })
    }

    /// Whether a rendition is the file as given.
    pub(super) fn is_as_is(rendition: &Rendition) -> bool {
        rendition.as_str() == Self::AsIs.as_str()
    }

    /// What the file's name ends with, for a disk whose own file is of `given` format, in such a packing.
    pub(super) fn extension(self, given: Format, packing: Option<Packing>) -> String {
        match (self, packing) {
            (Self::GceTarGz, _) => Packing::TarGz.to_string(),
            (Self::Raw, _) => Format::Raw.to_string(),
            (Self::Qcow2, _) => Format::Qcow2.to_string(),
            (Self::Vhd, _) => Format::Vhd.to_string(),
            (Self::AsIs, None) => given.to_string(),
            (Self::AsIs, Some(packing)) if packing.is_tar() => packing.to_string(),
            (Self::AsIs, Some(packing)) => format!("{given}.{packing}"),
        }
    }
}

/// Refuses formats that are named twice.
pub(super) fn check_formats(formats: &[FormatChoice]) -> Result<()> {
    let hint = "name each format once, for example formats = [\"as-is\", \"raw\"]";
    let refused = |message: String| Err(Error::new(Kind::InvalidInput, message).with("key", "formats").hint(hint));
    if formats.is_empty() {
        return refused("a local target without formats publishes nothing".to_owned());
    }
    let mut seen = BTreeSet::new();
    match formats.iter().find(|format| !seen.insert(**format)) {
        Some(twice) => refused(format!("the format `{}` is named twice", twice.as_str())),
        None => Ok(()),
    }
}

impl LocalConfig {
    /// Refuses an artifact of which two formats would be files of one name: `as-is` and what it is already.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`].
    pub fn check_artifact(&self, artifact: &Artifact) -> Result<()> {
        let mut seen = BTreeMap::new();
        for format in &self.formats {
            let extension = format.extension(artifact.format, artifact.packed);
            let Some(first) = seen.insert(extension.clone(), format) else { continue };
            let (first, second) = (first.as_str(), format.as_str());
            let message = format!("`{first}` and `{second}` would be one file of an artifact, `.{extension}`");
            return Err(Error::new(Kind::InvalidInput, message)
                .with("artifact", ArtifactRef::of(artifact))
                .hint("leave out one of them: `as-is` is the file as given, all others are made anew of the disk"));
        }
        Ok(())
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
        check_formats(&self.formats)?;
        if self.path.file_name().is_none() {
            return Err(Error::new(Kind::InvalidInput, format!("`{}` is not a usable directory", self.path.display()))
                .with("key", "path")
                .hint("name a directory of its own: a second one, PATH.work, is made beside it"));
        }
        Ok(())
    }
}
