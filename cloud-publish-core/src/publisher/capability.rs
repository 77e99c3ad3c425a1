//! What one kind of cloud can do, as data that the planner and the tests ask instead of its name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::identity::Place;
use crate::manifest::{Together, Visibility};
use crate::names::{Region, Rendition, TargetName};

/// How a cloud brings an image to further regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// One call names all regions (Azure).
    Batch,
    /// One copy per region, from the home region (AWS).
    PerRegion,
    /// Regions know nothing of each other: upload and register in each (OpenStack).
    Independent,
    /// The image is in one place, which may be everywhere (GCE, local).
    None,
}

/// Who can be allowed to use an image, as kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisibilityKind {
    /// The owner alone.
    Private,
    /// Named parties.
    Shared,
    /// Everyone who looks for it.
    Community,
    /// Everyone, listed by default.
    Public,
}

impl From<&Visibility> for VisibilityKind {
    fn from(visibility: &Visibility) -> Self {
        match visibility {
            Visibility::Private => Self::Private,
            Visibility::SharedWith(_) => Self::Shared,
            Visibility::Community => Self::Community,
            Visibility::Public => Self::Public,
        }
    }
}

/// What a cloud shows of an image's content after it was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBack {
    /// The content itself can be read and hashed again.
    Content,
    /// The cloud's own hash of what it received.
    Hash,
    /// Nothing.
    Nothing,
}

/// What one kind of cloud can do. Small on purpose: a field is here because the planner or a test decides by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// How an image gets to further regions.
    pub replication: Replication,
    /// Uploaded bytes are an object apart from the image, until it is registered; otherwise they are the image already.
    pub stages_apart: bool,
    /// A replica can be used by others the moment it exists: gate before replicating.
    pub replicas_are_visible: bool,
    /// The visibilities that exist here.
    pub visibilities: BTreeSet<VisibilityKind>,
    /// How much must be there before anything is published; `None`: as the configuration says.
    pub together: Option<Together>,
    /// A name that resolves to the newest image of a line can be moved.
    pub pointers: bool,
    /// Images can be offered in a marketplace.
    pub marketplace: bool,
    /// What [`crate::publisher::Publisher::prove`] can show.
    pub read_back: ReadBack,
    /// It compares or publishes the sha512 of the file that it gets (the disk's own or the one as given), so that the
    /// verifying pass must compute both.
    pub file_sha512: bool,
    /// Several renditions of one artifact live side by side, instead of a new one being a conflict.
    pub keeps_renditions: bool,
}

/// A region that a release should reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WantedRegion {
    /// Which.
    pub region: Region,
    /// Without it nothing of the artifact is published at this target; otherwise its failure is a warning.
    pub required: bool,
}

/// What a target is, once its credentials are known to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its name in the configuration.
    pub target: TargetName,
    /// Whose place at which kind of cloud.
    pub place: Place,
    /// Where images are uploaded first; for independent regions the first of them.
    pub home: Region,
    /// The wanted regions, required ones and best-effort ones, `home` among them.
    pub regions: Vec<WantedRegion>,
    /// Regions that the configuration asks for by `all` and that cannot be used, with the reason.
    pub skipped: Vec<(Region, String)>,
    /// What is made of each artifact here, one image per rendition.
    pub renditions: Vec<Rendition>,
    /// What this kind of cloud can do.
    pub capability: Capability,
}
