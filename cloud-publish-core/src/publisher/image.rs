//! The image that should exist ([`ImageSpec`]) and the image that does exist somewhere ([`ImageAt`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::disk::{Format, GivenFile, Packing};
use crate::identity::ImageTags;
use crate::manifest::{Boot, Visibility};
use crate::names::{ImageId, ImageName, PointerName, Region};

/// One rendition of one artifact as it should exist at one target, in whatever region.
///
/// Made by the planner from manifest, configuration and the verified disk; a provider reads it and adds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSpec {
    /// What it is made from and for.
    pub tags: ImageTags,
    /// The name to register it under.
    pub name: ImageName,
    /// The name of its line, made by `naming.family`.
    pub family: String,
    /// A sentence for people.
    pub description: String,
    /// The series' number, as users write it: `12`.
    pub suite_id: String,
    /// Which firmware it starts with.
    pub boot: Boot,
    /// The format of the disk's own file.
    pub format: Format,
    /// Bytes of the disk's own file.
    pub file_size: u64,
    /// Bytes of the disk that a machine sees.
    pub virtual_size: u64,
    /// sha512 of the disk's own file, 128 hex digits, where the manifest or a target asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha512: Option<String>,
    /// The file as given, where the disk is packed; `None`: it is the disk's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenFile>,
    /// The URL of the job that built it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_job: Option<String>,
    /// Further tags from the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_tags: BTreeMap<String, String>,
    /// Further properties for this provider from the manifest (`[artifact.properties.PROVIDER]`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Who may use it once it is published.
    pub visibility: Visibility,
    /// The build's own manifest (Debian's JSON), to be published beside the file where the target has files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_manifest: Option<std::path::PathBuf>,
    /// Packages of it that its suite does not have, as `name=version`; `None` when nobody compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_suite: Option<Vec<String>>,
}

impl ImageSpec {
    /// What is around the disk's own file in the file as given.
    pub fn packing(&self) -> Option<Packing> {
        self.given.as_ref().map(|given| given.packing)
    }

    /// Bytes of the file as given.
    pub fn given_size(&self) -> u64 {
        self.given.as_ref().map_or(self.file_size, |given| given.size)
    }

    /// sha512 of the file as given, where the manifest or a target asked for it.
    pub fn given_sha512(&self) -> Option<&String> {
        self.given.as_ref().map_or(self.file_sha512.as_ref(), |given| given.sha512.as_ref())
    }
}

/// An image that was found or made: where, under which id, and what its tags say.
///
/// Verbs that change or remove an image take this and look first whether the tags found under the id are still these;
/// if not they refuse with [`crate::error::Kind::Refused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageAt {
    /// Where.
    pub region: Region,
    /// The cloud's id.
    pub id: ImageId,
    /// Its identity.
    pub tags: ImageTags,
}

/// What a provider expects of an image made to a spec, in the words of its own survey: what `verify` compares and the
/// planner completes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Attributes as [`crate::survey::FoundImage::attributes`] shows them: boot mode, sizes, hashes, properties.
    pub attributes: BTreeMap<String, String>,
    /// Those of the attributes that an image has from its making and nothing changes later: one that was made otherwise
    /// is not published.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fixed: BTreeSet<String>,
    /// The pointers that should resolve to it while it is the newest of its line.
    pub pointers: Vec<PointerName>,
    /// Pointers of its own, which carry its version and lead to it for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_pointers: Vec<PointerName>,
    /// The marketplace listings that should offer it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listings: Vec<String>,
}
