//! One image between the two worlds: the record that is created, what a survey shows of it, what `verify` expects.

use std::collections::{BTreeMap, BTreeSet};

use cloud_publish_core::error::Result;
use cloud_publish_core::identity::{Marks, Place};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Expected, ImageSpec};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::{OpenStackConfig, Stores};
use crate::glance::Image;
use crate::properties::Properties;
use crate::tags::{TAG, encode, is_tag};

const SHA512: &str = "sha512";
const CONTAINER: &str = "bare";

/// The body of the creating call: private, with all tags; nothing in it differs between runs.
pub(crate) fn body(spec: &ImageSpec, config: &OpenStackConfig, at: (&Place, &Region), id: Uuid) -> Result<Value> {
    let properties = Properties::of(spec, config)?;
    let tags = encode(spec.tags.to_map(at.0, at.1), &Marks::default(), &spec.extra_tags);
    let custom = properties.custom.into_iter().chain(tags);
    let mut body: Map<String, Value> = custom.map(|(name, value)| (name, Value::String(value))).collect();
    let base = [
        ("id", json!(id.to_string())),
        ("name", json!(spec.name.as_str())),
        ("disk_format", json!(properties.disk_format)),
        ("container_format", json!(CONTAINER)),
        ("visibility", json!("private")),
        ("min_disk", json!(properties.min_disk)),
        ("min_ram", json!(properties.min_ram)),
        ("tags", json!([TAG])),
        ("protected", json!(config.protected.contains(&spec.tags.class))),
    ];
    body.extend(base.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(Value::Object(body))
}

/// What [`attributes`] shows of an image made to this spec.
///
/// The hash is sha512, Glance's default since Rocky; a cloud that chose another shows none under this name.
pub(crate) fn expected(spec: &ImageSpec, config: &OpenStackConfig) -> Result<Expected> {
    let properties = Properties::of(spec, config)?;
    let mut attributes = properties.custom;
    let base = [
        ("disk_format", properties.disk_format.to_owned()),
        ("container_format", CONTAINER.to_owned()),
        ("min_disk", properties.min_disk.to_string()),
        ("min_ram", properties.min_ram.to_string()),
        ("size", spec.file_size.to_string()),
    ];
    attributes.extend(base.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(sha512) = &spec.file_sha512 {
        attributes.insert(SHA512.to_owned(), sha512.to_ascii_lowercase());
    }
    if config.protected.contains(&spec.tags.class) {
        attributes.insert("protected".to_owned(), true.to_string());
    }
    if let Some(Stores::These(stores)) = &config.stores {
        attributes.insert("stores".to_owned(), in_order(stores.iter().map(String::as_str)));
    }
    Ok(Expected { attributes, ..Expected::default() })
}

/// What an image shows, our tags left out.
pub(crate) fn attributes(image: &Image) -> BTreeMap<String, String> {
    let mut attributes = image.properties();
    attributes.retain(|name, _| !is_tag(name));
    let hash = image.os_hash_algo.as_deref().zip(image.os_hash_value.as_deref());
    let base = [
        ("disk_format", image.disk_format.clone()),
        ("container_format", image.container_format.clone()),
        ("min_disk", Some(image.min_disk.to_string())),
        ("min_ram", Some(image.min_ram.to_string())),
        ("size", image.size.map(|size| size.to_string())),
        ("protected", Some(image.protected.to_string())),
        ("stores", image.stores.as_ref().map(|stores| in_order(stores.split(',')))),
        (SHA512, hash.filter(|(algorithm, _)| *algorithm == SHA512).map(|(_, value)| value.to_ascii_lowercase())),
    ];
    attributes.extend(base.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    attributes
}

fn in_order<'a>(stores: impl Iterator<Item = &'a str>) -> String {
    stores.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

/// Glance's word for a visibility.
pub(crate) fn visibility_word(visibility: &Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::SharedWith(_) => "shared",
        Visibility::Community => "community",
        Visibility::Public => "public",
    }
}

/// Our word for Glance's; `members` are those of a shared image. A word that we do not know counts as the widest.
pub(crate) fn visibility(word: &str, members: Vec<String>) -> Visibility {
    match word {
        "private" => Visibility::Private,
        "shared" => Visibility::SharedWith(members),
        "community" => Visibility::Community,
        _ => Visibility::Public,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{attributes, body, expected};
    use crate::glance::Image;
    use crate::testing::{place, spec};

    #[test]
    fn an_image_made_to_a_spec_shows_what_is_expected_of_it() {
        let config = json!({"cloud": "c", "protected": ["release"], "upload": "import", "stores": ["slow", "fast"]});
        let config = serde_json::from_value(config).unwrap();
        let region = "RegionOne".parse().unwrap();
        let mut made = body(&spec(), &config, (&place(), &region), Uuid::nil()).unwrap();
        let arrived = json!({"status": "active", "owner": "p1", "size": spec().file_size, "os_hash_algo": "sha512",
            "os_hash_value": spec().file_sha512, "checksum": "00", "self": "/v2/images/x", "stores": "fast,slow"});
        made.as_object_mut().unwrap().extend(arrived.as_object().unwrap().clone());
        let image: Image = serde_json::from_value(made).unwrap();
        let shown = attributes(&image);
        let missing: Vec<_> = expected(&spec(), &config)
            .unwrap()
            .attributes
            .into_iter()
            .filter(|(k, v)| shown.get(k) != Some(v))
            .collect();
        assert_eq!(missing, []);
        assert!(shown.keys().all(|name| !name.starts_with("cloud-publish")));
    }
}
