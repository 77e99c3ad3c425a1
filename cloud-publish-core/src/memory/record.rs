//! The objects a cloud keeps: images and staged bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::identity::{ImageTags, Marks, Place, TAG_PREFIX};
use crate::manifest::Visibility;
use crate::names::{ImageId, Region};
use crate::survey::{FoundImage, FoundStaged, Native};

/// An image as the cloud keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRecord {
    /// Where.
    pub region: Region,
    /// Its id, unique within account and region.
    pub id: ImageId,
    /// Its name.
    pub name: String,
    /// Every tag: identity, marks and others.
    pub tags: BTreeMap<String, String>,
    /// What the cloud says of it.
    pub native: Native,
    /// Who may use it, beside the owner.
    pub visibility: Visibility,
    /// What it really holds.
    pub digest: Digest,
    /// What else it has.
    pub attributes: BTreeMap<String, String>,
    /// The staged bytes it was made from; `None` for a copy.
    pub staged: Option<String>,
    /// When it was made, by the cloud's clock.
    pub created: Timestamp,
    /// A machine was made from it and needs it.
    pub in_use: bool,
    /// When a machine was last made from it.
    pub last_used: Option<Timestamp>,
}

impl ImageRecord {
    /// Reads it as a survey shows it; `key_region` is the region that its key was made for.
    pub(super) fn found(&self, place: &Place, key_region: &Region) -> FoundImage {
        let mut problems = Vec::new();
        let tags = ImageTags::from_map(&self.tags, place, key_region).map_err(|t| problems.extend(t.problems)).ok();
        let marks = Marks::from_map(&self.tags).map_err(|t| problems.extend(t.problems)).unwrap_or_default();
        FoundImage {
            region: self.region.clone(),
            id: self.id.clone(),
            name: self.name.clone(),
            native: self.native,
            visibility: self.visibility.clone(),
            tags,
            marks,
            extra_tags: self.tags.iter().filter(|(name, _)| !name.starts_with(TAG_PREFIX)).map(owned).collect(),
            created: Some(self.created),
            attributes: self.attributes.clone(),
            links: BTreeMap::new(),
            problems,
        }
    }
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// Staged bytes as the cloud keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRecord {
    /// Where.
    pub region: Region,
    /// Its id, unique within account and region.
    pub id: String,
    /// Every tag.
    pub tags: BTreeMap<String, String>,
    /// Bytes of data that have arrived.
    pub received: u64,
    /// The digest of the whole content, once it is complete.
    pub digest: Option<Digest>,
    /// Who may read it, beside the owner.
    pub visibility: Visibility,
    /// The image that was made of it.
    pub used_by: Option<ImageId>,
    /// Connections over which bytes are being sent.
    pub senders: usize,
    /// When it was made, by the cloud's clock.
    pub created: Timestamp,
}

impl StagedRecord {
    /// Reads it as a survey shows it.
    pub(super) fn found(&self, place: &Place, key_region: &Region) -> FoundStaged {
        FoundStaged {
            region: self.region.clone(),
            id: self.id.clone(),
            tags: ImageTags::from_map(&self.tags, place, key_region).ok(),
            created: Some(self.created),
            busy: self.senders > 0,
        }
    }
}

/// An object and since when it can be seen.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    /// The object.
    pub(super) it: T,
    /// Looks find it from this time of the cloud's monotonic clock on.
    pub(super) seen_from: Duration,
    /// It is usable from this time on.
    pub(super) ready_from: Duration,
}
