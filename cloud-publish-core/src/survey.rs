//! What is there: what each publisher's survey found, in the words of all clouds.
//!
//! Owns the shapes and the rules that read a state out of them. It decides nothing: that is the plan's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{ImageTags, Line, Marks, Place};
use crate::manifest::Visibility;
use crate::names::{ImageId, PointerName, Region};
use crate::publisher::Listing;

/// Where in its life an image is, as a cloud shows it. That it passed a gate, or was approved, no cloud shows: those are
/// receipts in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// Not there, and never was as far as is known.
    Absent,
    /// The bytes are at the cloud.
    Staged,
    /// A private image in its home region.
    Registered,
    /// A private image in every wanted region.
    Replicated,
    /// Usable by those it is for.
    Published,
    /// Usable by id, found by nobody.
    Hidden,
    /// Not usable for new machines; restorable.
    Retired,
    /// Gone, with a tombstone.
    Deleted,
    /// Its region could not be read to the end: it may be there or not.
    Unreadable,
}

impl Life {
    /// The word in catalogue and summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Staged => "staged",
            Self::Registered => "registered",
            Self::Replicated => "replicated",
            Self::Published => "published",
            Self::Hidden => "hidden",
            Self::Retired => "retired",
            Self::Deleted => "deleted",
            Self::Unreadable => "unreadable",
        }
    }
}

impl std::fmt::Display for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the cloud itself says of an image, apart from its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Native {
    /// Being made, by us or by another run; not usable yet.
    Pending,
    /// There and usable.
    Available,
    /// Left out of listings.
    Hidden,
    /// Disabled.
    Retired,
    /// The cloud gave up on it.
    Failed,
}

/// One image of ours, in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundImage {
    /// Where.
    pub region: Region,
    /// The cloud's id.
    pub id: ImageId,
    /// The name it is registered under.
    pub name: String,
    /// What the cloud says of it.
    pub native: Native,
    /// Who may use it now.
    pub visibility: Visibility,
    /// Its identity; `None` when the tags are incomplete or contradict each other.
    pub tags: Option<ImageTags>,
    /// The marks; empty when unreadable, which [`FoundImage::problems`] then says.
    pub marks: Marks,
    /// Tags of ours and of the configuration beside the identity ones.
    pub extra_tags: BTreeMap<String, String>,
    /// When the cloud says it was made: for people, never for decisions.
    pub created: Option<Timestamp>,
    /// What else the cloud shows, in the words of [`crate::publisher::Expected::attributes`].
    pub attributes: BTreeMap<String, String>,
    /// Pages about it, by what they are for: `download`, `console`.
    pub links: BTreeMap<String, String>,
    /// Why its tags cannot be believed, one sentence each; such an image is reported and left alone.
    pub problems: Vec<String>,
}

impl FoundImage {
    /// Where in its life it is, from what the cloud and the tags say.
    ///
    /// `retired` written but not yet carried out counts as retired: the tag comes first.
    pub fn life(&self) -> Life {
        match self.native {
            Native::Pending | Native::Failed => Life::Staged,
            _ if self.marks.retired.is_some() || self.marks.withdrawn.is_some() => Life::Retired,
            Native::Retired => Life::Retired,
            // A date may pass before a publication is finished: that is no reason to leave it unfinished.
            Native::Hidden if self.marks.published.is_some() => Life::Hidden,
            Native::Available if self.marks.published.is_some() => Life::Published,
            Native::Hidden | Native::Available => Life::Registered,
        }
    }

    /// The line it belongs to, if its tags can be believed.
    pub fn line(&self) -> Option<Line> {
        self.tags.as_ref().map(ImageTags::line)
    }
}

/// Staged bytes of ours from which no image was made yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundStaged {
    /// Where.
    pub region: Region,
    /// The cloud's id.
    pub id: String,
    /// Its identity, as far as its tags can be believed.
    pub tags: Option<ImageTags>,
    /// When the cloud says it was made.
    pub created: Option<Timestamp>,
    /// Somebody is sending bytes right now, as far as the cloud shows.
    pub busy: bool,
}

/// A pointer of ours and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPointer {
    /// Where.
    pub region: Region,
    /// Its name.
    pub name: PointerName,
    /// The image it resolves to; `None` when it dangles.
    pub to: Option<ImageId>,
}

/// A version of ours at a marketplace listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundListing {
    /// Which of the target's listings.
    pub listing: String,
    /// The image it offers.
    pub image: ImageId,
    /// How far it is.
    pub state: Listing,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The region; `None`: the whole target.
    pub region: Option<Region>,
    /// Why.
    pub reason: String,
    /// Looking again may help: the cloud failed in passing.
    pub passing: bool,
}

/// Everything of one owner at one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Images, sorted by region and id.
    pub images: Vec<FoundImage>,
    /// Staged bytes without an image.
    pub staged: Vec<FoundStaged>,
    /// Pointers.
    pub pointers: Vec<FoundPointer>,
    /// Marketplace versions of the release asked about in detail.
    pub listings: Vec<FoundListing>,
    /// What could not be read; empty when the survey is complete.
    pub incomplete: Vec<Gap>,
}

impl Survey {
    /// The images of one identity in a region, whatever their content: none, one, or a contradiction.
    pub fn matching<'s>(&'s self, place: &Place, region: &Region, tags: &ImageTags) -> Vec<&'s FoundImage> {
        let key = tags.key(place, region);
        let is_it = |found: &&FoundImage| found.tags.as_ref().is_some_and(|own| own.key(place, region) == key);
        self.images.iter().filter(|found| found.region == *region).filter(is_it).collect()
    }

    /// Whether `region` was read to its end.
    pub fn covers(&self, region: &Region) -> bool {
        self.incomplete.iter().all(|gap| gap.region.as_ref().is_some_and(|other| other != region))
    }
}
