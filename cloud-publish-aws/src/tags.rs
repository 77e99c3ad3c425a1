//! Our tags as EC2 keeps them: one tag each, under the names of [`ImageTags::to_map`], on the image and on its snapshot.
//!
//! Tags of the configuration keep their own names, because they are there for other programs (cost allocation, `Name`).
//! [`EXTRA`] lists which ones are ours, so that tags of others are never taken off. Limits (50 tags; 127 and 255
//! characters): <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::{ImageTags, Marks, Place, TAG_PREFIX, TagTrouble};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::ImageSpec;

use crate::publisher::Here;

/// The tag that lists the names of the configuration's own tags, separated by spaces, which [`check`] keeps out of
/// them.
pub(crate) const EXTRA: &str = "cloud-publish-extra";

/// The tag that says how many bytes the disk has: EC2 knows whole GiB only, and the content's digest is one of bytes.
pub(crate) const SIZE: &str = "cloud-publish-size";

/// Tags that one object may have, in all.
const MOST: usize = 50;

/// Those of ours: eleven of the identity, [`SIZE`], [`EXTRA`] and three marks.
const OURS: usize = 16;

/// Characters. `StartSnapshot` takes one less than EC2's own calls do:
/// <https://docs.aws.amazon.com/ebs/latest/APIReference/API_Tag.html>.
const LONGEST_NAME: usize = 127;
const LONGEST_VALUE: usize = 255;

/// The tag by which listings are narrowed to one owner.
pub(crate) const OWNER: &str = "cloud-publish-owner";

/// The tag by which one image is looked for.
pub(crate) const KEY: &str = "cloud-publish-key";

/// What an object's tags say about it.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) tags: Result<ImageTags, TagTrouble>,
    pub(crate) marks: Result<Marks, TagTrouble>,
    pub(crate) extra: BTreeMap<String, String>,
}

/// Every tag that an image made to this spec, its snapshot and what is staged of it are created with.
///
/// Nothing in it differs between runs, so it may stand in calls with a client token.
pub(crate) fn all(image: &ImageSpec, here: &Here) -> BTreeMap<String, String> {
    encode(image, &here.place, &here.region)
}

fn encode(image: &ImageSpec, place: &Place, region: &Region) -> BTreeMap<String, String> {
    let mut tags = encode_extra(&image.extra_tags);
    tags.insert(SIZE.to_owned(), image.virtual_size.to_string());
    tags.extend(image.tags.to_map(place, region));
    tags
}

/// The bytes of the disk, as [`SIZE`] says them.
pub(crate) fn size(tags: &BTreeMap<String, String>) -> Option<u64> {
    tags.get(SIZE)?.parse().ok()
}

/// Refuses tags of the configuration that EC2 does not take, or that [`EXTRA`] could not list.
///
/// # Errors
/// [`Kind::InvalidInput`].
pub(crate) fn check(extra: &BTreeMap<String, String>) -> Result<()> {
    let wrong = |message: String, hint: &'static str| Err(Error::new(Kind::InvalidInput, message).hint(hint));
    for (name, value) in extra {
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_whitespace) {
            return wrong(
                format!("`{name}` cannot be a tag's name"),
                "a tag's name has 1 to 127 characters, here without spaces",
            );
        }
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("aws:") || lower.starts_with(TAG_PREFIX) {
            return wrong(
                format!("the tag `{name}` is not yours to set"),
                "names with `aws:` or `cloud-publish-` are taken",
            );
        }
        if value.chars().count() > LONGEST_VALUE {
            return wrong(
                format!("the value of the tag `{name}` is too long"),
                "a tag's value has at most 255 characters",
            );
        }
    }
    if extra.len() > MOST - OURS {
        return wrong(
            format!("{} tags are too many", extra.len()),
            "an object at AWS has at most 50 tags, 16 of which are cloud-publish's own: leave 34 or fewer",
        );
    }
    if encode_extra(extra).get(EXTRA).is_some_and(|names| names.chars().count() > LONGEST_VALUE) {
        return wrong(
            "the names of the tags are too long together".to_owned(),
            "shorten them to 255 characters in all",
        );
    }
    Ok(())
}

/// The tags of the configuration, with the one that lists them.
pub(crate) fn encode_extra(extra: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = extra.clone();
    if !extra.is_empty() {
        let names: Vec<&str> = extra.keys().map(String::as_str).collect();
        tags.insert(EXTRA.to_owned(), names.join("\u{20}"));
    }
    tags
}

/// Reads the tags of an object found in `region`.
pub(crate) fn decode(tags: &BTreeMap<String, String>, place: &Place, region: &Region) -> Labels {
    let listed = tags.get(EXTRA).map(String::as_str).unwrap_or_default();
    let extra = listed.split(' ').filter_map(|name| Some((name.to_owned(), tags.get(name)?.clone())));
    Labels { tags: ImageTags::from_map(tags, place, region), marks: Marks::from_map(tags), extra: extra.collect() }
}

/// An answer's tags as a map.
pub(crate) fn map(tags: &[Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

/// A map as the SDK's tags.
pub(crate) fn list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Tags for one kind of object in the call that makes it.
pub(crate) fn specification(kind: ResourceType, tags: &BTreeMap<String, String>) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(list(tags))).build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cloud_publish_core::digest::Digest;
    use cloud_publish_core::identity::{Marks, TAG_PREFIX};
    use jiff::Timestamp;
    use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{EXTRA, LONGEST_VALUE, MOST, OURS, check, decode, encode, list, map, size};
    use crate::testing::{place, spec};

    fn time() -> impl Strategy<Value = Option<Timestamp>> {
        prop::option::of((0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()))
    }

    fn pairs(count: usize) -> BTreeMap<String, String> {
        (0..count).map(|n| (format!("t{n}"), String::new())).collect()
    }

    proptest! {
        #[test]
        fn tags_marks_and_extra_tags_round_trip(
            release in "[a-z0-9][a-z0-9._+~-]{0,60}",
            version in "[a-zA-Z0-9][a-zA-Z0-9._+~-]{0,60}",
            digest in any::<[u8; 32]>(),
            virtual_size in any::<u64>(),
            marks in (time(), time(), time()),
            extra in prop::collection::btree_map("[a-zA-Z0-9:/=@.][a-zA-Z0-9:/=@.-]{0,12}", ".{0,255}", 0..8),
        ) {
            let mut spec = spec();
            spec.tags.release = release.parse().unwrap();
            spec.tags.version = version.parse().unwrap();
            spec.tags.digest = Digest::from_bytes(digest);
            spec.virtual_size = virtual_size;
            spec.extra_tags = extra.clone();
            check(&extra).unwrap();
            let marks = Marks { published: marks.0, retired: marks.1, withdrawn: marks.2 };
            let region = "us-east-1".parse().unwrap();
            let mut tags = encode(&spec, &place(), &region);
            tags.extend(marks.to_map());
            tags.insert("somebody's".to_owned(), "own".to_owned());
            let tags = map(&list(&tags));
            let labels = decode(&tags, &place(), &region);
            prop_assert_eq!(labels.tags.unwrap(), spec.tags);
            prop_assert_eq!(labels.marks.unwrap(), marks);
            prop_assert_eq!(labels.extra, extra);
            prop_assert_eq!(size(&tags), Some(virtual_size));
            prop_assert!(tags.values().all(|value| value.chars().count() <= LONGEST_VALUE));
        }
    }

    #[test]
    fn tags_copied_to_another_region_are_not_believed() {
        let tags = encode(&spec(), &place(), &"us-east-1".parse().unwrap());
        assert!(decode(&tags, &place(), &"eu-west-1".parse().unwrap()).tags.is_err());
    }

    #[test]
    fn an_object_with_all_tags_has_no_more_than_aws_allows() {
        let mut spec = spec();
        spec.extra_tags = pairs(MOST - OURS);
        check(&spec.extra_tags).unwrap();
        let now = Some(Timestamp::UNIX_EPOCH);
        let mut tags = encode(&spec, &place(), &"us-east-1".parse().unwrap());
        tags.extend(Marks { published: now, retired: now, withdrawn: now }.to_map());
        assert_eq!(tags.len(), MOST);
        check(&pairs(MOST - OURS + 1)).unwrap_err();
    }

    #[test]
    fn tags_that_ec2_or_we_cannot_keep_are_refused() {
        let long = "n".repeat(129);
        for name in ["", "two words", "aws:created", "AWS:x", &format!("{TAG_PREFIX}key"), EXTRA, long.as_str()] {
            check(&BTreeMap::from([(name.to_owned(), "v".to_owned())])).unwrap_err();
        }
        check(&BTreeMap::from([("n".to_owned(), "v".repeat(257))])).unwrap_err();
        let names = |length: usize| (0..3).map(|n| (n.to_string().repeat(length), String::new())).collect();
        check(&names(84)).unwrap();
        check(&names(85)).unwrap_err();
    }
}
