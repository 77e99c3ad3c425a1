//! The verbs' requests and replies: one struct each, owned, so that a caller can keep and repeat them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, Marks};
use crate::manifest::Visibility;
use crate::names::{ImageId, Owner, PointerName, Region, ReleaseName};
use crate::publisher::{ImageAt, ImageSpec};

/// Asks whether a run can succeed here.
#[derive(Clone, Debug)]
pub struct PreflightRequest {
    /// What the run is about to create, and where.
    pub additions: Vec<(Arc<ImageSpec>, Region)>,
    /// What the run is about to show to those it is for, and where: images that it creates, and such as an earlier run
    /// has left private.
    pub exposures: Vec<(Arc<ImageSpec>, Region)>,
    /// Whether a probe may write (and at once remove) something: only in a run that will create such an image.
    pub probe: Probe,
}

/// Whether a preflight may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Look only.
    ReadOnly,
    /// A probe that leaves nothing behind may write.
    MayWrite,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The run goes on.
    Warning,
    /// The run is refused before anything is created.
    Error,
}

/// One thing that a preflight has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// Where, if it is one region's matter.
    pub region: Option<Region>,
    /// What is wrong.
    pub message: String,
    /// The command, page or setting that mends it.
    pub hint: Option<String>,
}

/// Asks for every object of an owner.
#[derive(Clone, Debug)]
pub struct SurveyRequest {
    /// Whose.
    pub owner: Owner,
    /// What is wanted in every detail, where details cost further calls.
    pub detail: Option<Detail>,
}

/// What a survey shall look at more closely than at the rest.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The release whose images are wanted in every detail: parties they are shared with, marketplace versions.
    pub release: ReleaseName,
    /// Pointers to resolve in every region, besides those that cost nothing to find.
    pub pointers: BTreeSet<PointerName>,
}

/// Asks for staged bytes.
#[derive(Clone, Debug)]
pub struct UploadRequest {
    /// What is to be made of it.
    pub image: Arc<ImageSpec>,
    /// Where.
    pub region: Region,
    /// The verified disk.
    pub disk: Arc<Disk>,
}

/// Bytes that are at the cloud; nothing is registered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Where.
    pub region: Region,
    /// The cloud's id: a snapshot, blob, object or record.
    pub id: String,
    /// Bytes that this call sent; 0 when all was there.
    pub sent: u64,
}

/// Asks for a private image made of staged bytes, all tags set in the creating call.
#[derive(Clone, Debug)]
pub struct RegisterRequest {
    /// What it is to be.
    pub image: Arc<ImageSpec>,
    /// The staged bytes.
    pub staged: Staged,
}

/// An image under its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Where.
    pub region: Region,
    /// The cloud's id.
    pub id: ImageId,
    /// Pages about it, as [`crate::survey::FoundImage::links`] will show them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
}

impl Registered {
    /// An image of which there are no pages.
    pub fn new(region: Region, id: ImageId) -> Self {
        Self { region, id, links: BTreeMap::new() }
    }
}

/// Asks for an image in at least these regions.
#[derive(Clone, Debug)]
pub struct ReplicateRequest {
    /// What it is.
    pub image: Arc<ImageSpec>,
    /// The image in the home region.
    pub home: ImageAt,
    /// Where it must be, `home` or not; regions that have it already are found, none is removed.
    pub regions: Vec<Region>,
}

/// Asks for exactly one visibility.
#[derive(Clone, Debug)]
pub struct VisibilityRequest {
    /// Of which image.
    pub at: ImageAt,
    /// Who may use it: what is missing is granted, what is more is revoked.
    pub wanted: Visibility,
    /// The images of the target that get this visibility now, too, since they waited for the same barrier; each has a
    /// request of its own. A target whose images appear together shows these with the first call, and never another one.
    pub along: Vec<ImageTags>,
}

/// What is to become of the tags that come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// They stay as they are.
    Keep,
    /// `published` is written, unless it is there; an image that was retired or withdrawn meanwhile is refused.
    Publish(Timestamp),
    /// Exactly these.
    Exactly(Marks),
}

impl From<Marks> for Marking {
    fn from(marks: Marks) -> Self {
        Self::Exactly(marks)
    }
}

impl Marking {
    /// The marks that an image with these shall have: for publishers, who have just read it.
    ///
    /// # Errors
    /// [`Kind::Refused`] for an image that must not be published any more.
    pub fn apply(&self, now: &Marks) -> Result<Marks> {
        match self {
            Self::Keep => Ok(now.clone()),
            Self::Exactly(marks) => Ok(marks.clone()),
            Self::Publish(_) if now.retired.is_some() || now.withdrawn.is_some() => {
                Err(Error::new(Kind::Refused, "the image was retired or withdrawn meanwhile")
                    .hint("it stays so until it is restored: publish a new version"))
            }
            Self::Publish(time) => Ok(Marks { published: now.published.or(Some(*time)), ..now.clone() }),
        }
    }
}

/// Asks for exactly these tags.
#[derive(Clone, Debug)]
pub struct TagRequest {
    /// Of which image; its identity tags are never changed.
    pub at: ImageAt,
    /// The tags that come and go. Unreadable ones of the image are [`Kind::Refused`], whatever is asked.
    pub marks: Marking,
    /// The further tags; `None` leaves them as they are.
    pub extra: Option<BTreeMap<String, String>>,
}

/// Asks for a pointer to resolve to an image.
#[derive(Clone, Debug)]
pub struct PointRequest {
    /// The pointer.
    pub pointer: PointerName,
    /// The image; it is published.
    pub at: ImageAt,
}

/// Asks for an image to be offered in a marketplace.
#[derive(Clone, Debug)]
pub struct ListingRequest {
    /// What it is: names of the version are made from it.
    pub image: Arc<ImageSpec>,
    /// Which image.
    pub at: ImageAt,
    /// Which of the target's listings.
    pub listing: String,
}

/// How far a marketplace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Offered.
    Listed,
    /// Under review: ask again later.
    Pending,
}

/// How a deletion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// It is gone, now or before.
    Gone,
    /// Something of the cloud still needs it: retired, try again another day.
    StillInUse,
}

/// What the cloud knows of an image's use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Of which image.
    pub id: ImageId,
    /// Where.
    pub region: Region,
    /// In use now; `None`: the cloud does not say.
    pub in_use: Option<bool>,
    /// Last used; `None`: the cloud does not say, which is not "never".
    pub last_used: Option<Timestamp>,
}

/// Asks a cloud to show what it holds.
#[derive(Clone, Debug)]
pub struct ProveRequest {
    /// Which image.
    pub at: ImageAt,
    /// sha512 of the disk's own file, 128 hex digits, where it is known: some clouds show only that.
    pub file_sha512: Option<String>,
}

/// What a cloud shows of an image's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "proof")]
pub enum Proof {
    /// The content was read back and hashed.
    Content {
        /// What came out.
        digest: Digest,
    },
    /// The cloud's own hash of what it received was compared.
    Hash {
        /// `sha512`, `md5`, ...
        algorithm: String,
        /// Hex digits.
        shown: String,
        /// What it should be; `None`: not known here, so nothing is proven.
        expected: Option<String>,
    },
    /// The cloud shows nothing.
    Unreadable {
        /// Why.
        reason: String,
    },
}
