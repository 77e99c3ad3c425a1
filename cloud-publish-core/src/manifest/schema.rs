//! The JSON Schemas (draft 2020-12) of the release manifest and of publish.toml, generated from their types.
//!
//! The same schemas check the files (with `format`s of our own, which other programs ignore), so an editor that uses
//! them and this program agree. They are self-contained: no `$ref`, and the same bytes every time.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::config::ConfigFile;
use super::provider::ProviderSchema;
use super::release_file::ReleaseFile;
use super::target::TargetFile;

/// The keys that only targets with regions have.
const REGIONAL: [&str; 3] = ["regions", "best_effort", "deny"];

/// The schema of a release manifest.
pub fn release() -> Value {
    schema_of::<ReleaseFile>().to_value()
}

/// The schema of publish.toml, whose targets may have these providers.
pub fn config(providers: &[ProviderSchema]) -> Value {
    let mut schema = schema_of::<ConfigFile>().to_value();
    let mut targets: Vec<(&str, Value)> = providers.iter().map(|known| (known.provider, target(known))).collect();
    targets.sort_by_key(|(provider, _)| *provider);
    let branches: Vec<Value> = targets.into_iter().map(|(_, schema)| schema).collect();
    if let Some(target) = schema.pointer_mut("/properties/target").and_then(Value::as_object_mut) {
        let any = if branches.is_empty() { json!({"type": "object"}) } else { json!({"oneOf": branches}) };
        target.insert("additionalProperties".to_owned(), any);
    }
    schema
}

/// The schema of one provider's targets: the keys of all targets and its own.
fn target(provider: &ProviderSchema) -> Value {
    let mut target = schema_of::<TargetFile>().to_value();
    let own = (provider.schema)().to_value();
    for part in ["properties", "required"] {
        match (target.get_mut(part), own.get(part)) {
            (Some(Value::Object(all)), Some(Value::Object(more))) => {
                for (key, schema) in more {
                    all.entry(key).or_insert_with(|| schema.clone());
                }
            }
            (Some(Value::Array(all)), Some(Value::Array(more))) => all.extend(more.iter().cloned()),
            _ => {}
        }
    }
    if let Some(Value::Object(properties)) = target.get_mut("properties").filter(|_| !provider.regions) {
        properties.retain(|key, _| !REGIONAL.contains(&key.as_str()));
    }
    if let Some(Value::Object(word)) = target.pointer_mut("/properties/provider") {
        *word = fixed_word(word, provider.provider);
    }
    if let Some(Value::Object(target)) = Some(&mut target) {
        target.remove("$schema");
        target.insert("title".to_owned(), format!("target of the provider {}", provider.provider).into());
        for part in ["description", "anyOf", "oneOf"] {
            if let Some(value) = own.get(part) {
                target.insert(part.to_owned(), value.clone());
            }
        }
    }
    target
}

fn fixed_word(schema: &Map<String, Value>, word: &str) -> Map<String, Value> {
    let mut fixed = schema.clone();
    fixed.remove("format");
    fixed.insert("const".to_owned(), word.into());
    fixed
}

/// The keys that every target has.
pub(super) fn common_keys() -> Vec<String> {
    let schema = schema_of::<TargetFile>().to_value();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// The schema of a type, without `$ref`.
pub(super) fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::local::LocalConfig;
    use crate::manifest::ProviderSchema;
    use crate::manifest::validate::KEYWORDS;

    fn keywords(schema: &Value, found: &mut Vec<String>) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            found.push(keyword.clone());
            match (keyword.as_str(), value) {
                ("properties", Value::Object(schemas)) => schemas.values().for_each(|inner| keywords(inner, found)),
                ("items" | "additionalProperties" | "propertyNames", inner) => keywords(inner, found),
                ("oneOf" | "anyOf", Value::Array(schemas)) => schemas.iter().for_each(|inner| keywords(inner, found)),
                _ => {}
            }
        }
    }

    #[test]
    fn the_schemas_use_only_keywords_that_the_validator_knows() {
        let mut found = Vec::new();
        keywords(&super::release(), &mut found);
        keywords(&super::config(&[ProviderSchema::of::<LocalConfig>()]), &mut found);
        assert!(found.len() > 100);
        found.retain(|keyword| !KEYWORDS.contains(&keyword.as_str()));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn the_schemas_are_the_same_every_time_and_describe_every_key() {
        let local = [ProviderSchema::of::<LocalConfig>()];
        assert_eq!(super::config(&local).to_string(), super::config(&local).to_string());
        let release = super::release();
        assert_eq!(release["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let artifact = &release["properties"]["artifact"]["items"]["properties"];
        for (key, schema) in release["properties"].as_object().unwrap().iter().chain(artifact.as_object().unwrap()) {
            assert!(schema["description"].as_str().is_some_and(|text| text.len() > 10), "{key}");
        }
    }
}
