//! `GET /v2/images`: filters, order, pages.

use std::cmp::Ordering;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::image::Image;
use super::{access, json as answer, schema};
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

/// Parameters that are no filters.
const OTHERS: [&str; 5] = ["limit", "marker", "sort", "sort_key", "sort_dir"];

const SORT_KEYS: [&str; 8] =
    ["name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"];

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let page = shared.settings().page_size;
    let limit = match call.query("limit") {
        None => page,
        Some(text) => {
            let refused = || Refused::bad(format!("limit param must be an integer, not {text}"));
            text.parse::<usize>().map_err(|_| refused())?.min(page)
        }
    };
    let sorts = sorts(call)?;
    let mut state = shared.state();
    let all = state.glance.region(&call.cloud, &call.region).images.values();
    let mut found: Vec<&Image> = Vec::new();
    for image in all.filter(|image| access::sees(&call.caller, image)) {
        if fits(call, image)? {
            found.push(image);
        }
    }
    found.sort_by(|one, other| order(&sorts, one, other));
    let begin = match call.query("marker") {
        None => 0,
        Some(marker) => {
            let place = found.iter().position(|image| image.id == marker);
            place.ok_or_else(|| Refused::bad(format!("No image found with ID {marker}")))? + 1
        }
    };
    let shown: Vec<&Image> = found.into_iter().skip(begin).take(limit).collect();
    let mut body = json!({
        "images": shown.iter().map(|image| image.describe()).collect::<Vec<Value>>(),
        "first": address(call, None),
        "schema": "/v2/schemas/images",
    });
    // Glance does not look further: a full page may be the last one.
    if let Some(last) = shown.last().filter(|_| shown.len() == limit) {
        body["next"] = json!(address(call, Some(&last.id)));
    }
    Ok(answer(200, &body))
}

/// The same listing, from its beginning or after an image.
fn address(call: &Call, marker: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(name, _)| name != "marker"));
    query.extend_pairs(marker.map(|marker| ("marker", marker)));
    let query = query.finish();
    if query.is_empty() { "/v2/images".to_owned() } else { format!("/v2/images?{query}") }
}

/// Keys and whether they descend.
fn sorts(call: &Call) -> Result<Vec<(String, bool)>, Refused> {
    let is_descending = |word: &str| match word {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(Refused::bad(format!("Invalid sort direction: {word}"))),
    };
    let given = |name: &str| -> Vec<&str> {
        call.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let mut sorts = Vec::new();
    if let Some(sort) = call.query("sort") {
        for part in sort.split(',') {
            let (key, direction) = part.split_once(':').unwrap_or((part, "desc"));
            sorts.push((key.to_owned(), is_descending(direction)?));
        }
    } else {
        let (keys, directions) = (given("sort_key"), given("sort_dir"));
        for (at, key) in keys.iter().enumerate() {
            let direction = directions.get(at).or(directions.first()).unwrap_or(&"desc");
            sorts.push(((*key).to_owned(), is_descending(direction)?));
        }
    }
    if let Some((key, _)) = sorts.iter().find(|(key, _)| !SORT_KEYS.contains(&key.as_str())) {
        return Err(Refused::bad(format!("Invalid sort key: {key}")));
    }
    if sorts.is_empty() {
        sorts.push(("created_at".to_owned(), true));
    }
    Ok(sorts)
}

fn order(sorts: &[(String, bool)], one: &Image, other: &Image) -> Ordering {
    for (key, descending) in sorts {
        let found = match key.as_str() {
            "created_at" => (one.created_at, one.seq).cmp(&(other.created_at, other.seq)),
            "updated_at" => one.updated_at.cmp(&other.updated_at),
            "size" => size(one).cmp(&size(other)),
            key => text(one, key).cmp(&text(other, key)),
        };
        let found = if *descending { found.reverse() } else { found };
        if found != Ordering::Equal {
            return found;
        }
    }
    one.id.cmp(&other.id)
}

fn size(image: &Image) -> u64 {
    image.content.as_ref().map_or(0, |content| content.size)
}

/// An attribute or property as text; nothing if the image has none.
fn text(image: &Image, name: &str) -> Option<String> {
    match name {
        "id" => Some(image.id.clone()),
        "name" => image.name.clone(),
        "status" => Some(image.status.name().to_owned()),
        "owner" => Some(image.owner.clone()),
        "visibility" => Some(image.visibility.clone()),
        "disk_format" => image.disk_format.clone(),
        "container_format" => image.container_format.clone(),
        "min_disk" => Some(image.min_disk.to_string()),
        "min_ram" => Some(image.min_ram.to_string()),
        "protected" => Some(image.protected.to_string()),
        "checksum" => image.content.as_ref().map(|content| content.md5.clone()),
        "os_hash_value" => image.content.as_ref().map(|content| content.sha512.clone()),
        _ => image.properties.get(name).cloned(),
    }
}

fn fits(call: &Call, image: &Image) -> Result<bool, Refused> {
    let hidden = flag("os_hidden", call.query("os_hidden").unwrap_or("false"))?;
    let is_own = image.owner == call.caller.project_id;
    let visibility = call.query("visibility");
    if image.os_hidden != hidden || (visibility.is_none() && image.visibility == "community" && !is_own) {
        return Ok(false);
    }
    // Shared with us, but not accepted: only who asks finds it.
    let member = image.members.get(&call.caller.project_id);
    let status = call.query("member_status").unwrap_or("accepted");
    let pending = member.is_some_and(|member| status != "all" && member.status != status);
    if pending && !is_own && !call.caller.is_admin() {
        return Ok(false);
    }
    for (name, value) in call.query.iter().filter(|(name, _)| !OTHERS.contains(&name.as_str())) {
        if !fits_one(image, name, value)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits_one(image: &Image, name: &str, value: &str) -> Result<bool, Refused> {
    let number =
        || value.parse::<u64>().map_err(|_| Refused::bad(format!("Invalid value '{value}' for '{name}' filter.")));
    Ok(match name {
        "os_hidden" | "member_status" => true,
        "visibility" if value == "all" => true,
        "tag" => image.tags.contains(value),
        "protected" => image.protected == flag(name, value)?,
        "size_min" => size(image) >= number()?,
        "size_max" => size(image) <= number()?,
        "created_at" => in_time(name, value, image.created_at)?,
        "updated_at" => in_time(name, value, image.updated_at)?,
        _ => match value.strip_prefix("in:").filter(|_| schema::is_base(name)) {
            Some(list) => list.split(',').any(|wanted| text(image, name).as_deref() == Some(wanted.trim_matches('"'))),
            None => text(image, name).as_deref() == Some(value),
        },
    })
}

/// `gt:2024-01-01T00:00:00Z` and its like.
fn in_time(name: &str, value: &str, time: Timestamp) -> Result<bool, Refused> {
    let refused = || Refused::bad(format!("Invalid value '{value}' for '{name}' filter."));
    let words = ["gte", "gt", "lte", "lt", "eq", "neq"];
    let named = value.split_once(':').filter(|(word, _)| words.contains(word));
    let (word, wanted) = named.unwrap_or(("eq", value));
    let wanted: Timestamp = wanted.parse().map_err(|_| refused())?;
    let order = time.as_second().cmp(&wanted.as_second());
    Ok(match word {
        "gte" => order.is_ge(),
        "gt" => order.is_gt(),
        "lte" => order.is_le(),
        "lt" => order.is_lt(),
        "neq" => order.is_ne(),
        _ => order.is_eq(),
    })
}

fn flag(name: &str, value: &str) -> Result<bool, Refused> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refused::bad(format!(
            "Invalid value '{value}' for '{name}' filter. Valid values are 'true' or 'false'."
        ))),
    }
}
