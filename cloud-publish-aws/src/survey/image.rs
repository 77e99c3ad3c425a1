//! One image as a survey shows it, out of the two listings.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Image, ImageState, Snapshot};
use cloud_publish_core::error::Result;
use cloud_publish_core::identity::{ImageTags, Marks};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::ImageId;
use cloud_publish_core::survey::{FoundImage, Native};
use jiff::Timestamp;

use crate::attributes::{SAME_TAGS, shown};
use crate::available::id_of;
use crate::config::AwsConfig;
use crate::deprecation::{self, DEPRECATION};
use crate::finish::Missing;
use crate::guard::{is_dead, tags_of};
use crate::links::links;
use crate::publisher::Here;
use crate::retention::deprecation::is_hidden;
use crate::snapshot;
use crate::tags::{KEY, decode};

/// What the listing of snapshots says of an image's.
#[derive(Clone, Copy, Debug)]
pub(super) enum OfSnapshot<'a> {
    /// It could not be read to its end.
    Unknown,
    /// No snapshot of that id carries our tags.
    Missing,
    Found(&'a Snapshot),
}

/// From where an image is looked at.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) here: &'a Here,
    pub(super) config: &'a AwsConfig,
    pub(super) now: Timestamp,
    /// The ids under each key.
    pub(super) twins: BTreeMap<String, Vec<String>>,
}

impl View<'_> {
    /// The image without its details: shared with parties it shows as private.
    pub(super) fn found(&self, image: &Image, of: OfSnapshot<'_>) -> Result<FoundImage> {
        let id = id_of(image)?;
        let map = tags_of(image);
        let labels = decode(&map, &self.here.place, &self.here.region);
        let mut problems = Vec::new();
        let tags = labels.tags.map_err(|trouble| problems.extend(trouble.problems)).ok();
        let marks = labels.marks.map_err(|trouble| problems.extend(trouble.problems)).unwrap_or_default();
        problems.extend(self.twin(id, map.get(KEY)));
        let mut attributes = shown(image);
        let complete = self.compare(of, tags.as_ref(), (&mut attributes, &mut problems));
        if let Some(wanted) = tags.as_ref().and_then(|tags| deprecation::policy(self.config, tags)) {
            attributes.insert(DEPRECATION.to_owned(), deprecation::word(wanted, image));
        }
        Ok(FoundImage {
            region: self.here.region.clone(),
            id: ImageId::new(id)?,
            name: image.name().unwrap_or_default().to_owned(),
            native: self.native(image, is_untouched(&marks) && tags.is_some() && !complete),
            visibility: if image.public() == Some(true) { Visibility::Public } else { Visibility::Private },
            tags,
            marks,
            extra_tags: labels.extra,
            created: image.creation_date().and_then(|date| date.parse().ok()),
            attributes,
            links: links(&self.here.region, id),
            problems,
        })
    }

    fn twin(&self, id: &str, key: Option<&String>) -> Option<String> {
        let all = self.twins.get(key?)?;
        let others: Vec<&str> = all.iter().map(String::as_str).filter(|other| *other != id).collect();
        (!others.is_empty() && all.iter().any(|own| own == id))
            .then(|| format!("{} has the same key", others.join(" and ")))
    }

    /// Compares the tags of an image and its snapshot; says whether the snapshot's are complete, as far as can be seen.
    fn compare(
        &self,
        of: OfSnapshot<'_>,
        tags: Option<&ImageTags>,
        (attributes, problems): (&mut BTreeMap<String, String>, &mut Vec<String>),
    ) -> bool {
        let snapshot = match of {
            OfSnapshot::Unknown => return true,
            OfSnapshot::Missing => {
                attributes.insert("snapshot_tags".to_owned(), "missing".to_owned());
                return false;
            }
            OfSnapshot::Found(snapshot) => snapshot,
        };
        if let Some(size) = snapshot.volume_size() {
            attributes.insert("snapshot_size".to_owned(), size.to_string());
        }
        let (word, complete) =
            match (decode(&snapshot::tags_of(snapshot), &self.here.place, &self.here.region).tags, tags) {
                (Ok(own), Some(tags)) if own != *tags => {
                    problems.push(format!(
                        "its snapshot {} has the tags of {}",
                        snapshot::id_of(snapshot),
                        own.release
                    ));
                    ("of another image", true)
                }
                (Ok(_), _) => (SAME_TAGS, true),
                (Err(_), _) => ("incomplete", false),
            };
        attributes.insert("snapshot_tags".to_owned(), word.to_owned());
        complete
    }

    /// An image that was never published and lacks what its making ends with counts as being made: so it is finished.
    fn native(&self, image: &Image, incomplete: bool) -> Native {
        let at = (&self.here.place, &self.here.region);
        match image.state() {
            Some(ImageState::Disabled) => Native::Retired,
            Some(ImageState::Available) if is_hidden(image, self.now) => Native::Hidden,
            Some(ImageState::Available)
                if incomplete || !Missing::of(image, at, self.config, self.now).is_nothing() =>
            {
                Native::Pending
            }
            Some(ImageState::Available) => Native::Available,
            _ if is_dead(image) => Native::Failed,
            _ => Native::Pending,
        }
    }
}

fn is_untouched(marks: &Marks) -> bool {
    *marks == Marks::default()
}
