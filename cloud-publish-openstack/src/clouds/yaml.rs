//! YAML whose values may be secrets: read, merged and looked up without ever repeating one in an error.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cloud_publish_core::error::{Error, Kind, Result};
use serde_yaml_ng::Value;

/// Larger files are refused: it is something else that has the name.
const MAX_BYTES: u64 = 1 << 20;

/// How many brackets may be open at once: the parser takes time by the square of that.
const MAX_DEPTH: i64 = 64;

/// Reads a YAML file.
pub(super) fn read(path: &Path) -> Result<Value> {
    let text = text_of(path).map_err(|error| {
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

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    if depth(&text) > MAX_DEPTH {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is nested more than 64 levels deep"));
    }
    Ok(text)
}

/// How many brackets are open at most, those in texts and comments included.
fn depth(text: &str) -> i64 {
    let steps = text.bytes().map(|byte| match byte {
        b'[' | b'{' => 1,
        b']' | b'}' => -1,
        _ => 0,
    });
    let mut open: i64 = 0;
    let levels = steps.map(|step| {
        open = (open + step).max(0);
        open
    });
    levels.max().unwrap_or(0)
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
