//! YAML whose values may be secrets: read, merged and looked up without ever repeating one in an error.

use std::path::Path;

use cloud_publish_core::error::{Error, Kind, Result};
use serde_yaml_ng::Value;

/// Reads a YAML file.
pub(super) fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(Kind::InvalidInput, "could not read the file")
            .with("file", path.display())
            .caused_by(error)
            .hint("set OS_CLIENT_CONFIG_FILE to your clouds.yaml, or create ~/.config/openstack/clouds.yaml")
    })?;
    serde_yaml_ng::from_str(&text).map_err(|error| {
        // The parser's own message may quote a value: only the place is told.
        let place = error.location().map_or_else(String::new, |at| format!(" (line {})", at.line()));
        Error::new(Kind::InvalidInput, format!("the file is not valid YAML{place}")).with("file", path.display())
    })
}

/// Puts `over` on top of `base`, mapping by mapping.
pub(super) fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// The text at `path`, if it is there.
pub(super) fn text(entry: &Value, path: &[&str]) -> Result<Option<String>> {
    match find(entry, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::new(Kind::InvalidInput, format!("`{}` is not a text", path.join(".")))
            .hint("put the value in quotes: without them YAML reads a number")),
    }
}

/// The yes or no at `path`, if it is there.
pub(super) fn flag(entry: &Value, path: &[&str]) -> Result<Option<bool>> {
    match find(entry, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(word)) if matches!(word.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on") => {
            Ok(Some(true))
        }
        Some(Value::String(word)) if matches!(word.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off") => {
            Ok(Some(false))
        }
        Some(_) => Err(Error::new(Kind::InvalidInput, format!("`{}` is neither true nor false", path.join(".")))),
    }
}

/// Whatever is at `path`.
pub(super) fn find<'a>(entry: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(entry, |value, key| value.get(*key))
}
