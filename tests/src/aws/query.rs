//! Reads the parameters of query calls: numbered lists (`ImageId.1`), structures (`Filter.1.Value.2`), numbers, tags.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::reply::Refused;
use crate::fake::glob;

/// Parameters, flattened as sent.
pub(crate) type Params = BTreeMap<String, String>;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Most tags of one resource: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>
const TAGS: usize = 50;

/// A parameter; an empty one counts as absent.
pub(crate) fn text<'p>(params: &'p Params, name: &str) -> Option<&'p str> {
    params.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// A parameter that must be there.
pub(crate) fn required<'p>(params: &'p Params, name: &str) -> Result<&'p str, Refused> {
    text(params, name)
        .ok_or_else(|| Refused::bad("MissingParameter", format!("The request must contain the parameter {name}")))
}

/// A number or a boolean.
pub(crate) fn parsed<T: FromStr>(params: &Params, name: &str) -> Result<Option<T>, Refused> {
    let Some(value) = text(params, name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| {
        let message = format!("Value ({value}) for parameter {name} is invalid");
        Refused::bad("InvalidParameterValue", message)
    })
}

/// A switch; absent is off.
pub(crate) fn flag(params: &Params, name: &str) -> Result<bool, Refused> {
    Ok(parsed(params, name)?.unwrap_or(false))
}

/// `Name.1`, `Name.2` and so on, in the order of their numbers.
pub(crate) fn list<'p>(params: &'p Params, name: &str) -> Vec<&'p str> {
    let mut found: Vec<(u32, &str)> = below(params, name)
        .filter_map(|(rest, value)| rest.parse().ok().map(|number| (number, value.as_str())))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, value)| value).collect()
}

/// The structures `Name.1.*`, `Name.2.*`, with the prefix taken off, in the order of their numbers.
pub(crate) fn items(params: &Params, name: &str) -> Vec<Params> {
    let mut found: BTreeMap<u32, Params> = BTreeMap::new();
    for (rest, value) in below(params, name) {
        let Some((number, member)) = rest.split_once('.') else { continue };
        let Ok(number) = number.parse() else { continue };
        found.entry(number).or_default().insert(member.to_owned(), value.clone());
    }
    found.into_values().collect()
}

/// The members of the structure `Name.*`, with the prefix taken off.
pub(crate) fn members(params: &Params, name: &str) -> Params {
    below(params, name).map(|(rest, value)| (rest.to_owned(), value.clone())).collect()
}

fn below<'p>(params: &'p Params, name: &str) -> impl Iterator<Item = (&'p str, &'p String)> {
    let prefix = format!("{name}.");
    params.iter().filter_map(move |(key, value)| Some((key.strip_prefix(&prefix)?, value)))
}

/// The tags for one type of resource (`image`, `snapshot`) of a creating call.
pub(crate) fn tags_for(params: &Params, resource: &str) -> Result<Tags, Refused> {
    let mut tags = Tags::new();
    for specification in items(params, "TagSpecification") {
        if required(&specification, "ResourceType")? == resource {
            tags.extend(tags_in(&specification)?);
        }
    }
    Ok(tags)
}

/// The tags `Tag.N.Key` and `Tag.N.Value`.
pub(crate) fn tags_in(params: &Params) -> Result<Tags, Refused> {
    let mut tags = Tags::new();
    for tag in items(params, "Tag") {
        let key = required(&tag, "Key")?;
        let value = tag.get("Value").cloned().unwrap_or_default();
        if key.starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        if key.chars().count() > 127 || value.chars().count() > 255 {
            let message = format!("Tag {key}: a key has at most 127 characters, a value 255");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        if tags.insert(key.to_owned(), value).is_some() {
            return Err(Refused::bad("InvalidParameterValue", format!("Duplicate tag key '{key}' specified.")));
        }
    }
    if tags.len() > TAGS {
        return Err(Refused::bad("TagLimitExceeded", "More than 50 tags specified"));
    }
    Ok(tags)
}

/// A filter of a describing call.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) name: String,
    values: Vec<String>,
}

impl Filter {
    /// The filters `Filter.N.Name` and `Filter.N.Value.M`.
    pub(crate) fn all(params: &Params) -> Result<Vec<Self>, Refused> {
        items(params, "Filter")
            .into_iter()
            .map(|item| {
                let name = required(&item, "Name")?.to_owned();
                let values: Vec<String> = list(&item, "Value").into_iter().map(str::to_owned).collect();
                if values.is_empty() {
                    return Err(Refused::bad("InvalidParameterValue", format!("The filter '{name}' has no value")));
                }
                Ok(Self { name, values })
            })
            .collect()
    }

    /// Tells whether one of its values is this one; `*` stands for any text and `?` for any character.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| glob(pattern, value))
    }

    /// The refusal of a filter that the call does not have.
    pub(crate) fn unknown(&self) -> Refused {
        Refused::bad("InvalidParameterValue", format!("The filter '{}' is invalid", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Params, items, list};

    #[test]
    fn lists_are_ordered_by_number_not_by_text() {
        let params: Params = (1..=11).map(|n| (format!("ImageId.{n}"), format!("ami-{n}"))).collect();
        assert_eq!(list(&params, "ImageId")[9..], ["ami-10", "ami-11"]);
    }

    #[test]
    fn structures_keep_what_is_inside() {
        let params = Params::from([("Filter.2.Value.1".to_owned(), "x".to_owned())]);
        assert_eq!(items(&params, "Filter"), [Params::from([("Value.1".to_owned(), "x".to_owned())])]);
    }
}
