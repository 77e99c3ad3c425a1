//! Tags of parameters.

use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::query::Tags;
use crate::aws::reply::Refused;
use crate::aws::world::Shared;

use super::{Parameter, name, required, texts, validation, with_parameters};

/// Most tags of one parameter.
const TAGS: usize = 50;

pub(super) fn add(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let tags = read(call)?;
    on_resource(shared, call, |parameter| {
        let mut all = parameter.tags.clone();
        all.extend(tags);
        if all.len() > TAGS {
            return Err(Refused::bad("TooManyTagsError", format!("a parameter has at most {TAGS} tags")));
        }
        parameter.tags = all;
        Ok(json!({}))
    })
}

pub(super) fn remove(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let keys = texts(call, "TagKeys")?;
    on_resource(shared, call, |parameter| {
        parameter.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    })
}

pub(super) fn list(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    on_resource(shared, call, |parameter| {
        let tags = parameter.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        Ok(json!({"TagList": tags.collect::<Vec<_>>()}))
    })
}

/// The tags of the body.
pub(super) fn read(call: &Call) -> Result<Tags, Refused> {
    let list = call.json["Tags"].as_array().ok_or_else(|| validation("'tags' is missing"))?;
    let mut tags = Tags::new();
    for tag in list {
        let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) else {
            return Err(validation("a tag has a key and a value"));
        };
        let is_allowed =
            |letter: char| letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter);
        let lengths = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !lengths || !key.chars().chain(value.chars()).all(is_allowed) || key.to_lowercase().starts_with("aws:") {
            return Err(validation(format!("the tag {key} failed to satisfy constraint")));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(validation(format!("the tag key {key} is there twice")));
        }
    }
    if tags.len() > TAGS {
        return Err(Refused::bad("TooManyTagsError", format!("a parameter has at most {TAGS} tags")));
    }
    Ok(tags)
}

fn on_resource(
    shared: &Shared,
    call: &Call,
    act: impl FnOnce(&mut Parameter) -> Result<Value, Refused>,
) -> Result<Value, Refused> {
    if required(call, "ResourceType")? != "Parameter" {
        return Err(Refused::bad("InvalidResourceType", "only parameters are here"));
    }
    let (name, _) = name::split(required(call, "ResourceId")?);
    with_parameters(shared, call, |parameters| {
        let parameter = parameters.by_name.get_mut(&name);
        act(parameter.ok_or_else(|| Refused::bad("InvalidResourceId", format!("{name} does not exist")))?)
    })
}
