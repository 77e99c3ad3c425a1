use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Feature, actions, policy};

/// Needs no permission, and cannot be denied:
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
const FREE: &str = "GetCallerIdentity";

/// Made by the SDK for `roles`, not by a call in these sources.
const BY_SDK: &str = "AssumeRole";

/// Everything that this crate consists of, tests included: they call nothing else.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if name.ends_with(".rs") && !name.starts_with("policy") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    text
}

fn crate_sources() -> String {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn listed() -> BTreeSet<&'static str> {
    Feature::ALL.into_iter().flat_map(actions).flat_map(|action| action.operations()).collect()
}

/// `RegisterImage` as the SDK calls it: `register_image`.
fn snake(operation: &str) -> String {
    let letters: Vec<char> = operation.chars().collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_ascii_uppercase();
        let before_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if at > 0 && letter.is_ascii_uppercase() && (after_small || before_small) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Second arguments of `classify(&error, "RegisterImage")`: every call has one.
fn classified(text: &str) -> BTreeSet<&str> {
    let named = text.split("classify(").skip(1).filter_map(|rest| {
        let arguments = rest.split(')').next()?;
        let operation = arguments.split('"').nth(1)?;
        operation.chars().next().is_some_and(|first| first.is_ascii_uppercase()).then_some(operation)
    });
    named.collect()
}

#[test]
fn every_call_of_this_crate_has_its_permission() {
    let text = crate_sources();
    let listed = listed();
    let missing: Vec<&str> =
        classified(&text).into_iter().filter(|call| *call != FREE && !listed.contains(call)).collect();
    assert_eq!(missing, [""; 0], "add them to the list in policy.rs");
}

#[test]
fn every_permission_has_a_call_that_needs_it() {
    let text = crate_sources();
    let unused: Vec<&str> = listed()
        .into_iter()
        .filter(|operation| *operation != BY_SDK && !text.contains(&format!(".{}(", snake(operation))))
        .collect();
    assert_eq!(unused, [""; 0], "take them off the list in policy.rs");
}

#[test]
fn the_file_of_the_front_page_is_the_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy.json");
    let shown: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let wanted = policy(&Feature::ALL);
    assert_eq!(shown, wanted, "src/policy.json should say:\n{wanted:#}");
}

#[test]
fn the_front_page_says_of_every_call_what_holds_it_true() {
    let table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/calls.md")).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).filter_map(|row| row.split('|').nth(1)).collect();
    let told: BTreeSet<&str> = rows.iter().flat_map(|calls| calls.split('`').skip(1).step_by(2)).collect();
    let known: BTreeSet<&str> = listed().into_iter().chain([FREE, "DryRun"]).collect();
    assert_eq!(told, known, "src/calls.md tells of the calls that the policy is for");
}

#[test]
fn a_policy_is_short_enough_to_be_a_managed_one() {
    // 6,144 characters without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert!(policy(&Feature::ALL).to_string().len() < 6144);
}

#[test]
fn the_sdks_names_are_found() {
    for (operation, name) in
        [("RegisterImage", "register_image"), ("GetAWSDefaultServiceQuota", "get_aws_default_service_quota")]
    {
        assert_eq!(snake(operation), name);
    }
    assert_eq!(snake("ListObjectsV2"), "list_objects_v2");
}
