//! Our tags as Glance keeps them: one property each, and the Glance tag `cloud-publish` on every image.
//!
//! A property's name may have hyphens and is a filter of listings, so names are those of
//! [`ImageTags::to_map`]. Tags of the configuration get [`EXTRA`] in front: without it nobody could tell them from the
//! properties by which Nova chooses hardware.

use std::collections::BTreeMap;

use cloud_publish_core::identity::{ImageTags, Marks, Place, TAG_PREFIX, TagTrouble};
use cloud_publish_core::names::Region;

use crate::glance::Image;

/// The Glance tag of everything of ours.
pub(crate) const TAG: &str = "cloud-publish";

/// In front of the names of the configuration's own tags.
pub(crate) const EXTRA: &str = "cloud-publish-extra-";

/// The names of the marks, which come and go.
pub(crate) const MARKS: [&str; 3] = ["cloud-publish-published", "cloud-publish-retired", "cloud-publish-withdrawn"];

/// An image's own name, while it has the stable one of its line; put on and taken off together with that.
pub(crate) const OWN_NAME: &str = "cloud-publish-name";

/// The name that an image was made with.
pub(crate) fn own_name(image: &Image) -> Option<String> {
    image.properties().remove(OWN_NAME).or_else(|| image.name.clone())
}

/// What an image's properties say about it.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) tags: Result<ImageTags, TagTrouble>,
    pub(crate) marks: Result<Marks, TagTrouble>,
    pub(crate) extra: BTreeMap<String, String>,
}

/// The properties that carry these tags.
pub(crate) fn encode(
    tags: BTreeMap<String, String>,
    marks: &Marks,
    extra: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut properties = tags;
    properties.extend(marks.to_map());
    properties.extend(encode_extra(extra));
    properties
}

/// The properties that carry the configuration's tags.
pub(crate) fn encode_extra(extra: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    extra.iter().map(|(name, value)| (format!("{EXTRA}{name}"), value.clone()))
}

/// Reads the tags of an image found in `region`.
pub(crate) fn decode(properties: &BTreeMap<String, String>, place: &Place, region: &Region) -> Labels {
    let extra =
        properties.iter().filter_map(|(name, value)| Some((name.strip_prefix(EXTRA)?.to_owned(), value.clone())));
    Labels {
        tags: ImageTags::from_map(properties, place, region),
        marks: Marks::from_map(properties),
        extra: extra.collect(),
    }
}

/// Whether a property is a tag of ours.
pub(crate) fn is_tag(property: &str) -> bool {
    property.starts_with(TAG_PREFIX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cloud_publish_core::identity::Marks;
    use cloud_publish_core::names::Region;
    use jiff::Timestamp;
    use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{MARKS, decode, encode, is_tag};
    use crate::testing::{place, tags};

    fn time() -> impl Strategy<Value = Option<Timestamp>> {
        prop::option::of((0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()))
    }

    proptest! {
        #[test]
        fn tags_marks_and_extra_tags_round_trip(
            release in "[a-z0-9][a-z0-9._+~-]{0,60}",
            version in "[a-zA-Z0-9][a-zA-Z0-9._+~-]{0,60}",
            digest in any::<[u8; 32]>(),
            marks in (time(), time(), time()),
            extra in prop::collection::btree_map("[a-z][a-z0-9-]{0,20}", ".{0,40}", 0..4),
        ) {
            let mut tags = tags(&release);
            tags.version = version.parse().unwrap();
            tags.digest = cloud_publish_core::digest::Digest::from_bytes(digest);
            let marks = Marks { published: marks.0, retired: marks.1, withdrawn: marks.2 };
            let region = Region::new("RegionOne").unwrap();
            let mut properties = encode(tags.to_map(&place(), &region), &marks, &extra);
            prop_assert!(properties.keys().all(|name| is_tag(name)));
            properties.insert("hw_disk_bus".to_owned(), "scsi".to_owned());
            let labels = decode(&properties, &place(), &region);
            prop_assert_eq!(labels.tags.unwrap(), tags);
            prop_assert_eq!(labels.marks.unwrap(), marks);
            prop_assert_eq!(labels.extra, extra);
        }
    }

    #[test]
    fn tags_copied_to_another_region_are_not_believed() {
        let properties =
            encode(tags("r").to_map(&place(), &Region::new("One").unwrap()), &Marks::default(), &BTreeMap::new());
        assert!(decode(&properties, &place(), &Region::new("Two").unwrap()).tags.is_err());
    }

    #[test]
    fn the_names_of_the_marks_are_those_that_marks_write() {
        let now = Some(Timestamp::UNIX_EPOCH);
        let all = Marks { published: now, retired: now, withdrawn: now }.to_map();
        assert!(all.keys().map(String::as_str).eq(MARKS));
    }
}
