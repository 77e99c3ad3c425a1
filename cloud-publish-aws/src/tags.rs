//! Our tags as EC2 keeps them: one tag each, under the names of [`ImageTags::to_map`], on the image and on its snapshot.
//!
//! Tags of the configuration keep their own names, because they are there for other programs (cost allocation, `Name`).
//! [`EXTRA`] lists which ones are ours, so that tags of others are never taken off. Limits (50 tags; 128 and 256
//! characters): <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use cloud_publish_core::identity::{ImageTags, Marks, Place, TagTrouble};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::ImageSpec;

use crate::publisher::Here;

/// The tag that lists the names of the configuration's own tags, separated by spaces that EC2 allows and names of ours
/// do not have.
pub(crate) const EXTRA: &str = "cloud-publish-extra";

/// The tag by which listings are narrowed to one owner.
pub(crate) const OWNER: &str = "cloud-publish-owner";

/// The tag by which one image is looked for.
pub(crate) const KEY: &str = "cloud-publish-key";

/// The tag that says how many bytes the content has: AWS itself knows only whole GiB.
pub(crate) const SIZE: &str = "cloud-publish-size";

/// All tags that an image and its snapshot have from their making.
pub(crate) fn all(image: &ImageSpec, here: &Here) -> BTreeMap<String, String> {
    let mut tags = encode_extra(&image.extra_tags);
    tags.insert(SIZE.to_owned(), image.virtual_size.to_string());
    tags.extend(image.tags.to_map(&here.place, &here.region));
    tags
}

/// What an object's tags say about it.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) tags: Result<ImageTags, TagTrouble>,
    pub(crate) marks: Result<Marks, TagTrouble>,
    pub(crate) extra: BTreeMap<String, String>,
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
