//! The folder of release manifests: which are there, and the one that was named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::{Config, Release};
use cloud_publish_core::names::ReleaseName;
use serde_json::Value;

/// Reads the manifest of a release by the name that was typed.
///
/// # Errors
/// [`Kind::InvalidInput`] when there is no name, with those that there are; what [`Release::find`] says.
pub(crate) fn find_release(config: &Config, name: Option<&str>) -> Result<Release> {
    let Some(name) = name else {
        let error = Error::new(Kind::InvalidInput, "no release is named");
        let known = releases(&config.releases);
        return Err(match known.as_slice() {
            [] => error.hint(format!("`{}` has no manifests yet: write NAME.toml", config.releases.display())),
            names => error.hint(format!("name one with --release: {}", names.join(", "))),
        });
    };
    Release::find(&config.releases, &ReleaseName::new(name)?)
}

/// The names of the manifests in the releases folder, sorted; a folder that cannot be read has none.
pub(crate) fn releases(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|file| file.is_file());
    let manifests = files.filter(|file| match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => true,
        Some("json") => !is_of_others(file),
        _ => false,
    });
    let names: BTreeSet<String> = manifests.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    names.into_iter().filter(|name| !name.starts_with('.')).collect()
}

/// Whether a JSON file is something else than a release manifest: the images' own build manifests lie here too. One
/// that cannot be read is taken for a manifest, so that somebody looks at it.
fn is_of_others(file: &Path) -> bool {
    let value: Option<Value> = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    value.is_some_and(|value| ["schema", "name", "artifact"].iter().all(|key| value.get(key).is_none()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::releases;

    #[test]
    fn build_manifests_and_hidden_files_are_no_releases() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("b.toml", ""),
            ("a.json", r#"{"schema": 1}"#),
            ("broken.json", "{"),
            ("build.json", r#"{"apiVersion": "v1", "kind": "List", "items": []}"#),
            (".b.toml", ""),
            ("disk.raw", ""),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(releases(folder.path()), ["a", "b", "broken"]);
        assert!(releases(&folder.path().join("absent")).is_empty());
    }
}
