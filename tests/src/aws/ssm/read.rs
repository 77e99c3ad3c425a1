//! Reads parameters. Filters are applied after a page is cut, so that pages may be short or empty and yet have a token.

use serde_json::{Value, json};

use crate::aws::call::Call;
use crate::aws::paging::{Page, Wanted, page};
use crate::aws::reply::Refused;
use crate::aws::world::Shared;

use super::{Parameter, Parameters, Version, arn, name, not_found, required, texts, validation, with_parameters};

pub(super) fn get(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let wanted = required(call, "Name")?;
    let arn = |name: &str| arn(shared, call, name);
    with_parameters(shared, call, |parameters| Ok(json!({"Parameter": find(parameters, wanted, arn)?})))
}

pub(super) fn get_several(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let names = texts(call, "Names")?;
    if names.is_empty() || names.len() > 10 {
        return Err(validation("'names' failed to satisfy constraint: 1 to 10 members"));
    }
    let arn = |name: &str| arn(shared, call, name);
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    with_parameters(shared, call, |parameters| {
        for wanted in names {
            match find(parameters, wanted, arn) {
                Ok(parameter) => found.push(parameter),
                Err(_) => unknown.push(wanted),
            }
        }
    });
    found.sort_by(|one, other| one["Name"].as_str().cmp(&other["Name"].as_str()));
    Ok(json!({"Parameters": found, "InvalidParameters": unknown}))
}

fn find(parameters: &Parameters, wanted: &str, arn: impl Fn(&str) -> String) -> Result<Value, Refused> {
    let (name, selector) = name::split(wanted);
    let parameter = parameters.by_name.get(&name).ok_or_else(not_found)?;
    let version = match selector {
        None => parameter.last(),
        Some(number) => {
            let found = parameter.versions.iter().find(|version| version.number.to_string() == number);
            found.ok_or_else(|| {
                let message = format!("Systems Manager could not find version {number} of {name}.");
                Refused::bad("ParameterVersionNotFound", message)
            })?
        }
    };
    let mut shown = show(&name, version, &arn(&name));
    shown["Selector"] = json!(selector.map(|number| format!(":{number}")));
    Ok(shown)
}

pub(super) fn by_path(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let path = required(call, "Path")?;
    if !path.starts_with('/') {
        return Err(validation("The parameter doesn't meet the parameter name requirements: it begins with \"/\""));
    }
    let below = format!("{}/", path.trim_end_matches('/'));
    let recursive = call.json["Recursive"].as_bool().unwrap_or(false);
    let filters = Filter::all(call, &["Type", "KeyId", "Label"])?;
    let page = cut(shared, call, 10)?;
    let is_wanted = |name: &str, parameter: &Parameter| {
        let rest = name.strip_prefix(&below);
        rest.is_some_and(|rest| recursive || !rest.contains('/')) && filters.iter().all(|f| f.accepts(name, parameter))
    };
    let found = page.items.iter().filter(|(name, parameter)| is_wanted(name, parameter));
    let shown = found.map(|(name, parameter)| show(name, parameter.last(), &arn(shared, call, name)));
    Ok(json!({"Parameters": shown.collect::<Vec<_>>(), "NextToken": page.next}))
}

pub(super) fn describe(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let mut filters = Filter::all(call, &["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType", "tag:"])?;
    if let Some(old) = call.json["Filters"].as_array() {
        if !filters.is_empty() {
            return Err(validation("You can use either Filters or ParameterFilters in a single request."));
        }
        filters = old.iter().map(Filter::before_options).collect();
    }
    let page = cut(shared, call, 50)?;
    let found = page.items.iter().filter(|(name, parameter)| filters.iter().all(|f| f.accepts(name, parameter)));
    let shown = found.map(|(name, parameter)| {
        let last = parameter.last();
        let mut shown =
            json!({"Tier": last.tier, "Description": last.description, "AllowedPattern": last.allowed_pattern});
        merge(&mut shown, show(name, last, &arn(shared, call, name)), &["Value"]);
        shown["LastModifiedUser"] = json!(last.user);
        shown
    });
    Ok(json!({"Parameters": shown.collect::<Vec<_>>(), "NextToken": page.next}))
}

pub(super) fn history(shared: &Shared, call: &Call) -> Result<Value, Refused> {
    let (name, _) = name::split(required(call, "Name")?);
    let versions = with_parameters(shared, call, |parameters| {
        parameters.by_name.get(&name).map(|parameter| parameter.versions.clone()).ok_or_else(not_found)
    })?;
    let page = page(versions, wanted(shared, call, 50)?).map_err(|_| unknown_token())?;
    let shown = page.items.iter().map(|version| {
        let mut shown = json!({"Tier": version.tier, "Description": version.description, "Labels": []});
        merge(&mut shown, show(&name, version, ""), &["ARN"]);
        shown["LastModifiedUser"] = json!(version.user);
        shown
    });
    Ok(json!({"Parameters": shown.collect::<Vec<_>>(), "NextToken": page.next}))
}

/// One page of all parameters, before any filter.
fn cut(shared: &Shared, call: &Call, most: usize) -> Result<Page<(String, Parameter)>, Refused> {
    let all = with_parameters(shared, call, |parameters| {
        parameters.by_name.iter().map(|(name, parameter)| (name.clone(), parameter.clone())).collect()
    });
    page(all, wanted(shared, call, most)?).map_err(|_| unknown_token())
}

fn wanted<'c>(shared: &Shared, call: &'c Call, most: usize) -> Result<Wanted<'c>, Refused> {
    let asked = call.json["MaxResults"].as_u64().map(|asked| usize::try_from(asked).unwrap_or(usize::MAX));
    if asked.is_some_and(|asked| !(1..=most).contains(&asked)) {
        return Err(validation(format!("'maxResults' failed to satisfy constraint: 1 to {most}")));
    }
    Ok(Wanted { most: asked, cap: shared.settings().page_size.min(most), token: call.text("NextToken") })
}

fn unknown_token() -> Refused {
    Refused::bad("InvalidNextToken", "The specified token isn't valid.")
}

fn show(name: &str, version: &Version, arn: &str) -> Value {
    json!({
        "Name": name,
        "Type": version.kind,
        "Value": version.value,
        "Version": version.number,
        "LastModifiedDate": version.time.as_duration().as_secs_f64(),
        "ARN": arn,
        "DataType": version.data_type,
    })
}

fn merge(into: &mut Value, from: Value, without: &[&str]) {
    if let Value::Object(members) = from {
        for (name, member) in members.into_iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            into[name] = member;
        }
    }
}

/// A filter of parameters:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>.
struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    fn all(call: &Call, keys: &[&str]) -> Result<Vec<Self>, Refused> {
        let given = call.json["ParameterFilters"].as_array().cloned().unwrap_or_default();
        given.iter().map(|filter| Self::read(filter, keys)).collect()
    }

    fn read(filter: &Value, keys: &[&str]) -> Result<Self, Refused> {
        let key = filter["Key"].as_str().unwrap_or_default();
        if !keys.iter().any(|known| key == *known || (*known == "tag:" && key.starts_with("tag:"))) {
            return Err(Refused::bad("InvalidFilterKey", format!("The following filter key is not valid: {key}.")));
        }
        let usual = if key == "Path" { "OneLevel" } else { "Equals" };
        let option = filter["Option"].as_str().unwrap_or(usual);
        let options: &[&str] = match key {
            "Name" => &["Equals", "BeginsWith", "Contains"],
            "Path" => &["OneLevel", "Recursive"],
            _ => &["Equals", "BeginsWith"],
        };
        if !options.contains(&option) {
            let message = format!("The following filter option is not valid: {option}.");
            return Err(Refused::bad("InvalidFilterOption", message));
        }
        Ok(Self { key: key.to_owned(), option: option.to_owned(), values: values(filter) })
    }

    /// The older kind of filter, which matches beginnings.
    fn before_options(filter: &Value) -> Self {
        let key = filter["Key"].as_str().unwrap_or_default().to_owned();
        Self { key, option: "BeginsWith".to_owned(), values: values(filter) }
    }

    fn accepts(&self, name: &str, parameter: &Parameter) -> bool {
        let last = parameter.last();
        let text = match self.key.as_str() {
            "Name" | "Path" => name,
            "Type" => &last.kind,
            "Tier" => &last.tier,
            "DataType" => &last.data_type,
            // Neither keys nor labels are here.
            "KeyId" | "Label" => return false,
            key => match parameter.tags.get(key.trim_start_matches("tag:")) {
                Some(value) => value,
                None => return false,
            },
        };
        // A tag's key alone is a filter too.
        self.values.is_empty() || self.values.iter().any(|value| self.is_match(value, text))
    }

    fn is_match(&self, value: &str, text: &str) -> bool {
        let rest = text.strip_prefix(value.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        match self.option.as_str() {
            "BeginsWith" => text.starts_with(value),
            "Contains" => text.contains(value),
            "Recursive" => rest.is_some(),
            "OneLevel" => rest.is_some_and(|rest| !rest.contains('/')),
            _ => text == value,
        }
    }
}

fn values(filter: &Value) -> Vec<String> {
    let values = filter["Values"].as_array().into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}
