//! Tags of objects. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use std::collections::BTreeMap;

use super::payload;
use super::route::Target;
use super::xml::{Element, document};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// GetObjectTagging.
pub(super) fn get(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let mut world = shared.state();
    let object = world.s3.bucket(call, target)?.object(&target.key)?;
    Ok(document("Tagging", |xml| {
        xml.node("TagSet", |xml| {
            for (key, value) in &object.about.tags {
                xml.node("Tag", |xml| {
                    xml.text("Key", key).text("Value", value);
                });
            }
        });
    }))
}

/// PutObjectTagging: the whole set.
pub(super) fn put(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let root = Element::parse(&payload::read(call)?.content)?;
    let pairs = root.all("TagSet").flat_map(|set| set.all("Tag")).map(|tag| {
        let text = |name| tag.value(name).unwrap_or_default().to_owned();
        (text("Key"), text("Value"))
    });
    let tags = from_pairs(pairs)?;
    let mut world = shared.state();
    world.s3.bucket(call, target)?.object(&target.key)?.about.tags = tags;
    Ok(Reply::empty(200))
}

/// DeleteObjectTagging.
pub(super) fn delete(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let mut world = shared.state();
    world.s3.bucket(call, target)?.object(&target.key)?.about.tags.clear();
    Ok(Reply::empty(204))
}

/// Checks a set of tags: at most 10, each key once, 128 characters in keys and 256 in values, of the allowed kinds.
pub(super) fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, Refused> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > 128 || !is_text(&key) {
            return Err(Refused::bad("InvalidTag", "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 || !is_text(&value) {
            return Err(Refused::bad("InvalidTag", "The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(Refused::bad("InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > 10 {
        return Err(Refused::bad("BadRequest", "Object tags cannot be greater than 10"));
    }
    Ok(tags)
}

fn is_text(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character))
}

#[cfg(test)]
mod tests {
    use super::from_pairs;

    #[test]
    fn tags_that_s3_refuses_are_refused() {
        let refusal = |pairs: Vec<(&str, String)>| {
            let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
            from_pairs(pairs).map_err(|refused| refused.code).unwrap_err()
        };
        assert_eq!(refusal(vec![("a", "1".into()), ("a", "2".into())]), "InvalidTag");
        assert_eq!(refusal(vec![("a", "x".repeat(257))]), "InvalidTag");
        assert_eq!(refusal(vec![("a", "semi;colon".into())]), "InvalidTag");
    }
}
