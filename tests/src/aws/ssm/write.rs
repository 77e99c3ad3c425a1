//! Writes and deletes parameters.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::caller::is_denied;
use crate::aws::query::Tags;
use crate::aws::reply::Refused;
use crate::aws::world::Shared;

use super::{
    IMAGE, Parameter, Parameters, Pending, Version, name, not_found, required, tags, texts, validation, with_parameters,
};

/// The longest values in bytes: <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>.
const STANDARD_LENGTH: usize = 4096;
const ADVANCED_LENGTH: usize = 8192;

pub(super) fn put(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let parameter_name = required(call, "Name")?.to_owned();
    name::check(&parameter_name)?;
    let overwrite = call.json["Overwrite"].as_bool().unwrap_or(false);
    let tags = if call.json["Tags"].is_null() { Tags::new() } else { tags::read(call)? };
    if overwrite && !call.json["Tags"].is_null() {
        return Err(validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove \
             overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    let delay = SignedDuration::from_millis(i64::try_from(shared.settings().delays.parameter_validation).unwrap_or(0));
    let permitted = !is_denied(shared, call, "ec2:DescribeImages");
    with_parameters(shared, call, |parameters| {
        let version = version(call, parameters.by_name.get(&parameter_name))?;
        if !overwrite && parameters.by_name.contains_key(&parameter_name) {
            return Err(Refused::bad(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        let tier = version.tier.clone();
        let number = if version.data_type == IMAGE {
            let number = version.number;
            let due = call.now + delay;
            parameters.pending.push(Pending { due, name: parameter_name, version, overwrite, tags, permitted });
            number
        } else {
            parameters.store(parameter_name, version, tags)
        };
        Ok(json!({"Version": number, "Tier": tier}))
    })
}

/// What a call wants to write over what is there.
fn version(call: &Call, old: Option<&Parameter>) -> Result<Version, Refused> {
    let old = old.map(Parameter::last);
    let value = required(call, "Value")?;
    let kind = call.text("Type").or(old.map(|old| old.kind.as_str()));
    let kind = kind.ok_or_else(|| validation("A parameter type is required when you create a parameter."))?;
    let data_type = call.text("DataType").or(old.map(|old| old.data_type.as_str())).unwrap_or("text");
    let tier = call.text("Tier").unwrap_or("Standard");
    if !["String", "StringList", "SecureString"].contains(&kind) {
        return Err(Refused::bad("UnsupportedParameterType", "The parameter type is not supported."));
    }
    if old.is_some_and(|old| old.kind != kind) {
        let message = "The parameter type can't be changed from one to another.";
        return Err(Refused::bad("HierarchyTypeMismatchException", message));
    }
    if !["text", IMAGE, "aws:ssm:integration"].contains(&data_type) || (data_type == IMAGE && kind != "String") {
        return Err(validation("The following data type is not supported for this parameter type"));
    }
    let most = if tier == "Advanced" { ADVANCED_LENGTH } else { STANDARD_LENGTH };
    if value.is_empty() || value.len() > most {
        return Err(validation(format!("a value has 1 to {most} bytes in this tier")));
    }
    if value.contains("{{") && data_type == "text" {
        return Err(validation("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value."));
    }
    Ok(Version {
        number: old.map_or(1, |old| old.number + 1),
        value: value.to_owned(),
        kind: kind.to_owned(),
        data_type: data_type.to_owned(),
        tier: tier.to_owned(),
        description: call.text("Description").map(str::to_owned),
        allowed_pattern: call.text("AllowedPattern").map(str::to_owned),
        time: call.now,
        user: call.caller.arn.clone(),
    })
}

pub(super) fn delete(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let wanted = required(call, "Name")?;
    let found = with_parameters(shared, call, |parameters| remove(parameters, wanted));
    if found { Ok(json!({})) } else { Err(not_found()) }
}

pub(super) fn delete_several(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let names = texts(call, "Names")?;
    if names.is_empty() || names.len() > 10 {
        return Err(validation("'names' failed to satisfy constraint: 1 to 10 members"));
    }
    let (deleted, unknown): (Vec<&str>, Vec<&str>) =
        with_parameters(shared, call, |parameters| names.into_iter().partition(|wanted| remove(parameters, wanted)));
    Ok(json!({"DeletedParameters": deleted, "InvalidParameters": unknown}))
}

/// Whether there was one.
fn remove(parameters: &mut Parameters, wanted: &str) -> bool {
    let (name, _) = name::split(wanted);
    parameters.pending.retain(|pending| pending.name != name);
    parameters.by_name.remove(&name).is_some()
}
