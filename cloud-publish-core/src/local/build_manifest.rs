//! Debian's build manifest: a JSON `List` of one `Build` and an `Upload` for each place its files went to.
//!
//! Owns reading it, adding and removing one upload, and writing it so that its other readers see what they know. Every
//! item and field that is not ours is kept as it is.

use serde_json::{Map, Value, json};

use super::layout::{Folder, Layout};
use super::python_json::dump;
use super::upload_item::{Filed, Upload, item};
use crate::error::{Error, Kind, Result};

/// A build manifest.
#[derive(Clone, Debug)]
pub(super) struct BuildManifest {
    list: Map<String, Value>,
    items: Vec<Value>,
}

impl BuildManifest {
    /// A list without items.
    pub(super) fn empty() -> Self {
        let list = [("apiVersion", "v1"), ("kind", "List")];
        let list = list.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        Self { list, items: Vec::new() }
    }

    /// Reads a list, or a single object, which becomes a list of one.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when it is neither.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let wrong = |message: &'static str| {
            let hint = "a build manifest is a JSON object with \"kind\": \"List\" and \"items\"";
            Error::new(Kind::InvalidInput, message).hint(hint)
        };
        let value =
            serde_json::from_slice(bytes).map_err(|error| wrong("the build manifest is no JSON").caused_by(error))?;
        let Value::Object(mut list) = value else { return Err(wrong("the build manifest is no JSON object")) };
        match (list.get("kind").and_then(Value::as_str), list.get("items").is_some_and(Value::is_array)) {
            (Some("List"), true) => match list.remove("items") {
                Some(Value::Array(items)) => Ok(Self { list, items }),
                _ => Err(wrong("the build manifest has no items")),
            },
            (Some("List") | None, _) => Err(wrong("the build manifest has no kind or no items")),
            (Some(_), _) => Ok(Self { items: vec![Value::Object(list)], ..Self::empty() }),
        }
    }

    /// Its uploads to download trees.
    pub(super) fn uploads(&self) -> impl Iterator<Item = Upload> + '_ {
        self.items.iter().filter_map(Upload::read)
    }

    /// Adds the upload of a file, or sets ours over what is there of the same file.
    pub(super) fn put(&mut self, layout: &Layout, folder: &Folder, filed: &Filed) {
        let is_build = |item: &&Value| item.pointer("/kind").and_then(Value::as_str) == Some("Build");
        let new = item(layout, folder, filed, self.items.iter().find(is_build));
        let reference = new.pointer("/data/ref").and_then(Value::as_str).unwrap_or_default().to_owned();
        match self.items.iter_mut().find(|item| is_upload_of(item, &reference)) {
            Some(old) => overlay(old, new),
            None => self.items.push(new),
        }
    }

    /// Keeps only this upload of those that carry our tags.
    pub(super) fn retain(&mut self, keep: impl Fn(&Upload) -> bool) {
        self.items.retain(|item| Upload::read(item).is_none_or(|upload| !upload.is_tagged() || keep(&upload)));
    }

    /// The text, as Debian's tools write it.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut list = self.list.clone();
        list.insert("items".into(), Value::Array(self.items.clone()));
        let failed = |error| Error::new(Kind::Unexpected, "could not write a build manifest").caused_by(error);
        dump(&Value::Object(list)).map_err(failed)
    }
}

fn is_upload_of(item: &Value, reference: &str) -> bool {
    Upload::read(item).is_some_and(|upload| upload.reference == reference)
}

/// Sets the fields of `new` over those of `old`, keeping what `new` does not know.
fn overlay(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                overlay(old.entry(name).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new,
    }
}

#[cfg(test)]
#[path = "build_manifest_tests.rs"]
mod tests;
