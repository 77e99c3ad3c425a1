//! What attributes may be: types, words, lengths; which nobody may set.

use serde_json::Value;
use uuid::Uuid;

use super::image::{Image, Status};
use crate::openstack::refused::Refused;

/// Glance sets them itself. `id` may be chosen at creation.
const READ_ONLY: [&str; 13] = [
    "created_at",
    "updated_at",
    "status",
    "checksum",
    "size",
    "virtual_size",
    "direct_url",
    "self",
    "file",
    "schema",
    "os_hash_algo",
    "os_hash_value",
    "stores",
];

const RESERVED: [&str; 3] = ["location", "deleted", "deleted_at"];

/// Every image has them; they cannot be removed.
const BASE: [&str; 11] = [
    "id",
    "name",
    "visibility",
    "owner",
    "disk_format",
    "container_format",
    "os_hidden",
    "protected",
    "min_disk",
    "min_ram",
    "tags",
];

const DISK_FORMATS: [&str; 12] =
    ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop", "gpt"];

const CONTAINER_FORMATS: [&str; 7] = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"];

/// Most characters of names, tags and keys of properties.
const LENGTH: usize = 255;

/// Most properties, tags and members of an image, each.
pub(super) const QUOTA: usize = 128;

/// Tells whether an attribute is one of Glance's own.
pub(super) fn is_base(name: &str) -> bool {
    BASE.contains(&name) || READ_ONLY.contains(&name)
}

/// Refuses an attribute that clients may not set.
pub(super) fn may_be_set(name: &str) -> Result<(), Refused> {
    if READ_ONLY.contains(&name) {
        return Err(Refused::forbidden(format!("Attribute '{name}' is read-only.")));
    }
    if RESERVED.contains(&name) || name.starts_with("os_glance") {
        return Err(Refused::forbidden(format!("Attribute '{name}' is reserved.")));
    }
    Ok(())
}

/// Sets an attribute or a property.
pub(super) fn set(image: &mut Image, name: &str, value: &Value) -> Result<(), Refused> {
    let wrong = |what: &str| {
        Refused::bad(format!("Provided object does not match schema 'image': {value} is not {what}. Property '{name}'"))
    };
    let text = |length: usize| match value.as_str() {
        Some(text) if text.chars().count() <= length => Ok(text.to_owned()),
        Some(_) => Err(wrong("short enough")),
        None => Err(wrong("of type 'string'")),
    };
    let number = || value.as_u64().filter(|number| *number <= 2_147_483_647).ok_or_else(|| wrong("of type 'integer'"));
    let flag = || value.as_bool().ok_or_else(|| wrong("of type 'boolean'"));
    let word = |words: &[&str]| match value {
        Value::Null => Ok(None),
        Value::String(text) if words.contains(&text.as_str()) => Ok(Some(text.clone())),
        _ => Err(wrong(&format!("one of {words:?}"))),
    };
    match name {
        "name" if value.is_null() => image.name = None,
        "name" => image.name = Some(text(LENGTH)?),
        "visibility" => {
            let words = ["community", "public", "private", "shared"];
            image.visibility = word(&words)?.ok_or_else(|| wrong("a visibility"))?;
        }
        "owner" => image.owner = text(LENGTH)?,
        "disk_format" | "container_format" if image.status != Status::Queued => {
            return Err(Refused::forbidden(format!("Attribute {name} can be only replaced for a queued image.")));
        }
        "disk_format" => image.disk_format = word(&DISK_FORMATS)?,
        "container_format" => image.container_format = word(&CONTAINER_FORMATS)?,
        "os_hidden" => image.os_hidden = flag()?,
        "protected" => image.protected = flag()?,
        "min_disk" => image.min_disk = number()?,
        "min_ram" => image.min_ram = number()?,
        "tags" => {
            let tags = value.as_array().ok_or_else(|| wrong("of type 'array'"))?;
            let tag = |tag: &Value| tag.as_str().filter(|tag| tag.chars().count() <= LENGTH).map(str::to_owned);
            image.tags = tags.iter().map(tag).collect::<Option<_>>().ok_or_else(|| wrong("a list of tags"))?;
            within(image.tags.len(), "tags")?;
        }
        _ if name.chars().count() > LENGTH => {
            return Err(Refused::bad("Custom property should not be greater than 255 characters."));
        }
        _ => {
            image.properties.insert(name.to_owned(), text(65_535)?);
            within(image.properties.len(), "properties")?;
        }
    }
    Ok(())
}

/// Refuses more than [`QUOTA`].
pub(super) fn within(count: usize, what: &str) -> Result<(), Refused> {
    if count > QUOTA {
        return Err(Refused::too_large(format!("Maximum: {QUOTA}, number of {what} attempted: {count}")));
    }
    Ok(())
}

/// An id that a client chose.
pub(super) fn id(value: &Value) -> Result<String, Refused> {
    let text = value.as_str().filter(|text| text.len() == 36 && Uuid::try_parse(text).is_ok());
    let refused = || Refused::bad(format!("Provided object does not match schema 'image': {value} is no UUID"));
    text.map(str::to_owned).ok_or_else(refused)
}
