//! Parameter Store: <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html>.
//!
//! A parameter of data type `aws:ec2:image` gets its new version only after a moment, and only if its value is an image
//! that the account sees in this region; otherwise nothing tells that it did not.

mod name;
mod read;
mod tags;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::ec2;
use crate::aws::query::Tags;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// Versions of a parameter that are kept.
const VERSIONS: usize = 100;

/// The data type whose values are images.
const IMAGE: &str = "aws:ec2:image";

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {
    places: BTreeMap<Place, Parameters>,
}

/// Account and region.
type Place = (String, String);

#[derive(Debug, Default)]
struct Parameters {
    by_name: BTreeMap<String, Parameter>,
    /// Written, but not validated yet.
    pending: Vec<Pending>,
}

#[derive(Debug, Default, Clone)]
struct Parameter {
    /// The oldest first; there is at least one.
    versions: Vec<Version>,
    tags: Tags,
}

#[derive(Debug, Clone)]
struct Version {
    number: u64,
    value: String,
    kind: String,
    data_type: String,
    tier: String,
    description: Option<String>,
    allowed_pattern: Option<String>,
    time: Timestamp,
    user: String,
}

#[derive(Debug)]
struct Pending {
    due: Timestamp,
    name: String,
    version: Version,
    overwrite: bool,
    tags: Tags,
    /// Whether whoever wrote it may look at images.
    permitted: bool,
}

impl State {
    /// To be read by tests and people.
    pub(crate) fn dump(&self, _now: Timestamp) -> Value {
        let parameters = self.places.iter().flat_map(|((account, region), parameters)| {
            parameters.by_name.iter().map(move |(name, parameter)| {
                let versions =
                    parameter.versions.iter().map(|version| json!({"version": version.number, "value": version.value}));
                json!({
                    "account": account,
                    "region": region,
                    "name": name,
                    "value": parameter.last().value,
                    "data_type": parameter.last().data_type,
                    "tags": parameter.tags,
                    "versions": versions.collect::<Vec<_>>(),
                })
            })
        });
        json!({"parameters": parameters.collect::<Vec<_>>()})
    }

    /// Makes the versions whose validation is due, or drops them.
    pub(crate) fn settle(&mut self, images: &ec2::State, now: Timestamp) {
        for ((account, region), parameters) in &mut self.places {
            let (due, waiting) = std::mem::take(&mut parameters.pending).into_iter().partition(|wait| wait.due <= now);
            parameters.pending = waiting;
            for pending in due {
                let pending: Pending = pending;
                let is_free = pending.overwrite || !parameters.by_name.contains_key(&pending.name);
                let valid = images.sees_image(account, region, &pending.version.value, now);
                if valid && is_free && pending.permitted {
                    parameters.store(pending.name, pending.version, pending.tags);
                }
            }
        }
    }
}

impl Parameters {
    /// Adds a version, whose number becomes the next, and tags.
    fn store(&mut self, name: String, version: Version, tags: Tags) -> u64 {
        let parameter = self.by_name.entry(name).or_default();
        let number = parameter.versions.last().map_or(1, |last| last.number + 1);
        parameter.versions.push(Version { number, ..version });
        parameter.tags.extend(tags);
        if parameter.versions.len() > VERSIONS {
            parameter.versions.remove(0);
        }
        number
    }
}

impl Parameter {
    fn last(&self) -> &Version {
        self.versions.last().expect("a parameter has a version")
    }
}

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let answer = match call.operation.as_str() {
        "PutParameter" => write::put(shared, call)?,
        "DeleteParameter" => write::delete(shared, call)?,
        "DeleteParameters" => write::delete_several(shared, call)?,
        "GetParameter" => read::get(shared, call)?,
        "GetParameters" => read::get_several(shared, call)?,
        "GetParametersByPath" => read::by_path(shared, call)?,
        "GetParameterHistory" => read::history(shared, call)?,
        "DescribeParameters" => read::describe(shared, call)?,
        "AddTagsToResource" => tags::add(shared, call)?,
        "RemoveTagsFromResource" => tags::remove(shared, call)?,
        "ListTagsForResource" => tags::list(shared, call)?,
        _ => return Err(Refused::unknown_operation(call)),
    };
    Ok(Reply::json(&answer))
}

/// Does something with the parameters of the caller in this region.
fn with_parameters<T>(shared: &Shared, call: &Call, act: impl FnOnce(&mut Parameters) -> T) -> T {
    let mut state = shared.state();
    let world = &mut *state;
    world.ssm.settle(&world.ec2, call.now);
    act(world.ssm.places.entry((call.caller.account.clone(), call.region.clone())).or_default())
}

fn arn(shared: &Shared, call: &Call, name: &str) -> String {
    let settings = shared.settings();
    let account = &call.caller.account;
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:{}:ssm:{}:{account}:parameter{slash}{name}", settings.partition(account), call.region)
}

/// What must be a text.
fn required<'c>(call: &'c Call, name: &str) -> Result<&'c str, Refused> {
    call.text(name).ok_or_else(|| validation(format!("Value null at '{name}' failed to satisfy constraint")))
}

/// What must be a list of texts.
fn texts<'c>(call: &'c Call, name: &str) -> Result<Vec<&'c str>, Refused> {
    let list = call.json[name].as_array();
    let list = list.ok_or_else(|| validation(format!("Value null at '{name}' failed to satisfy constraint")))?;
    Ok(list.iter().filter_map(Value::as_str).collect())
}

fn validation(message: impl Into<String>) -> Refused {
    Refused::bad("ValidationException", message)
}

fn not_found() -> Refused {
    Refused::bad("ParameterNotFound", "")
}
