//! One step of a plan: what is done, to what, after what, and why.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::{ArtifactRef, GateImage, Subject};
use crate::manifest::Visibility;
use crate::names::{Arch, ImageId, PointerName, Region, Rendition, TargetName, Variant};

/// The stable name of a step, the same in every plan of the same release: `openstack/genericcloud-amd64/RegionOne/upload`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(String);

impl StepId {
    /// The name of a verb's step on one image at one target, in one region unless it concerns all of them.
    pub fn new(target: &TargetName, image: &ImageRef, region: Option<&Region>, verb: &str) -> Self {
        match region {
            Some(region) => Self(format!("{target}/{image}/{region}/{verb}")),
            None => Self(format!("{target}/{image}/{verb}")),
        }
    }

    /// The name of a step that concerns a whole target, or a pointer of it.
    pub fn of_target(target: &TargetName, verb: &str) -> Self {
        Self(format!("{target}/{verb}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for StepId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which image of a release at a target: an artifact in one rendition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// The artifact's variant.
    pub variant: Variant,
    /// The artifact's architecture.
    pub arch: Arch,
    /// What is made of it.
    pub rendition: Rendition,
}

impl ImageRef {
    /// The artifact that it is made of.
    pub fn artifact(&self) -> ArtifactRef {
        ArtifactRef { variant: self.variant.clone(), arch: self.arch.clone() }
    }
}

impl Display for ImageRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.variant, self.arch)?;
        if self.rendition.as_str() == "as-is" { Ok(()) } else { write!(f, ".{}", self.rendition) }
    }
}

/// Where a step gets its image from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// The survey found it.
    Found(ImageId),
    /// An earlier step makes it.
    Made(StepId),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// Bring the disk's bytes to the region.
    Upload,
    /// Make an image of what `upload` staged.
    Register {
        /// The uploading step.
        upload: StepId,
    },
    /// Bring the home region's image to further regions.
    Replicate {
        /// The image in the home region.
        home: ImageSource,
        /// The home region.
        home_region: Region,
        /// Where to, required ones first.
        regions: Vec<Region>,
        /// Those of them without which nothing is published.
        required: Vec<Region>,
    },
    /// Ask the target's gate about the image.
    Gate {
        /// Which gate: [`GateTerms::identity`](super::GateTerms::identity).
        gate: String,
        /// What it judges.
        subject: Subject,
        /// The images that it is asked about, that of the home region first.
        images: Vec<GateImage>,
    },
    /// Wait until a person has approved the image.
    Approve {
        /// What has to be approved.
        subject: Subject,
    },
    /// Wait until everything that must be there is there.
    Barrier,
    /// Let exactly these use the image.
    SetVisibility {
        /// Where the image comes from.
        from: ImageSource,
        /// Who.
        visibility: Visibility,
    },
    /// Write the tag `published`: the last write of a publication.
    MarkPublished {
        /// Where the image comes from.
        from: ImageSource,
    },
    /// Complete the further tags of a published image.
    Tag {
        /// Where the image comes from.
        from: ImageSource,
    },
    /// Make a pointer resolve to the image.
    Point {
        /// Where the image comes from.
        from: ImageSource,
        /// The pointer.
        pointer: PointerName,
    },
    /// Offer the image at a marketplace listing.
    List {
        /// Where the image comes from.
        from: ImageSource,
        /// The listing.
        listing: String,
    },
}

impl Action {
    /// The verb in step names and for people.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Register { .. } => "register",
            Self::Replicate { .. } => "replicate",
            Self::Gate { .. } => "gate",
            Self::Approve { .. } => "approve",
            Self::Barrier => "barrier",
            Self::SetVisibility { .. } => "set-visibility",
            Self::MarkPublished { .. } => "mark-published",
            Self::Tag { .. } => "tag",
            Self::Point { .. } => "point",
            Self::List { .. } => "list",
        }
    }

    /// Whether it can be dropped half-way at no loss: its verb takes up what it left. Others are short, and finished.
    pub fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Upload | Self::Register { .. } | Self::Replicate { .. } | Self::Gate { .. } | Self::List { .. }
        )
    }

    /// Whether it can be done although a best-effort region failed: it waits for the end of all that it comes after, and
    /// needs only what is required.
    pub fn needs_only_required(&self) -> bool {
        matches!(self, Self::Gate { .. } | Self::Approve { .. } | Self::Barrier)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its stable name.
    pub id: StepId,
    /// The target it belongs to.
    pub target: TargetName,
    /// The image it works on; the barrier of a whole target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRef>,
    /// The region it works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
    /// Steps that must be done before it; for some only the required ones: [`Action::needs_only_required`].
    pub after: Vec<StepId>,
    /// Whether the artifact can do without it: the work for a best-effort region is not required.
    pub required: bool,
    /// Why it is done, in words.
    pub reason: String,
}
