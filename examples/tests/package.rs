//! What a crate's package has: enough to be used elsewhere, and nothing large.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cloud_publish_tests::paths;
use serde_json::Value;

/// No source file of ours is near this size, in bytes: what is belongs elsewhere.
const LARGE: u64 = 100_000;

fn cargo(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO")).args(arguments).current_dir(paths::root()).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// The crates that are for others, as cargo describes them.
fn crates() -> Vec<Value> {
    let all: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1", "--locked", "--offline"]))
            .unwrap();
    let packages = all.get("packages").and_then(Value::as_array).unwrap().iter();
    let ours: Vec<Value> =
        packages.filter(|package| package.get("publish").is_some_and(Value::is_null)).cloned().collect();
    assert!(ours.len() >= 6, "{} crates", ours.len());
    ours
}

#[test]
fn every_package_has_its_readme_and_both_licences_and_no_large_file() {
    for package in crates() {
        let name = package["name"].as_str().unwrap();
        let list = cargo(&["package", "--list", "--allow-dirty", "--locked", "--offline", "-p", name]);
        let files: BTreeSet<&str> = list.lines().collect();
        for needed in ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "Cargo.toml"] {
            assert!(files.contains(needed), "{name} has no {needed}: {list}");
        }
        let folder = paths::root().join(name);
        for file in files.iter().filter(|file| folder.join(file).is_file()) {
            let size = fs::metadata(folder.join(file)).unwrap().len();
            assert!(size < LARGE, "{name}: {file} has {size} bytes");
        }
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let same = fs::read(folder.join(licence)).unwrap() == fs::read(paths::root().join(licence)).unwrap();
            assert!(same, "{name}: {licence} is another one");
        }
    }
}

#[test]
fn every_package_says_what_it_is_and_depends_on_the_others_by_version() {
    for package in crates() {
        let name = package["name"].as_str().unwrap();
        for key in ["description", "license", "repository", "readme", "rust_version"] {
            assert!(package[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {key}");
        }
        assert!(!package["keywords"].as_array().unwrap().is_empty(), "{name} has no keywords");
        for dependency in package["dependencies"].as_array().unwrap() {
            let (on, requirement) = (dependency["name"].as_str().unwrap(), dependency["req"].as_str().unwrap());
            assert!(requirement != "*", "{name} depends on any version of {on}");
        }
    }
}
