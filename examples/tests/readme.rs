//! What README says of the command is what the command says of itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;

use cloud_publish_tests::{paths, publish};
use serde_json::Value;

fn readme() -> String {
    fs::read_to_string(paths::root().join("README.md")).unwrap()
}

fn publish(arguments: &[&str]) -> String {
    let ran = publish::command().args(arguments).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// The names under `Verbs:` in the help.
fn verbs() -> Vec<String> {
    let help = publish(&["--help"]);
    let (_, listed) = help.split_once("Verbs:\n").unwrap();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect()
}

/// Every `--option` of a text.
fn options(text: &str) -> BTreeSet<&str> {
    let part_of_word = |c: char| !(c.is_ascii_lowercase() || c == '-');
    let words = text.split(part_of_word).filter_map(|word| word.strip_prefix("--"));
    words.filter(|name| name.len() > 1 && !name.starts_with('-')).collect()
}

/// The parts of the README that are set as code: blocks and spans.
fn code(text: &str) -> Vec<&str> {
    let (mut code, mut in_block) = (Vec::new(), false);
    for line in text.lines() {
        match line.starts_with("```") {
            true => in_block = !in_block,
            false if in_block => code.push(line.trim_start_matches("$ ")),
            false => code.extend(line.split('`').skip(1).step_by(2)),
        }
    }
    code
}

#[test]
fn the_first_two_shell_blocks_are_the_main_job_and_the_tests() {
    let text = readme();
    let blocks: Vec<&str> = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks[..2], ["examples/quickstart/run\n", "tests/run\n"]);
}

#[test]
fn the_rust_that_is_written_is_part_of_the_core_s_tested_example() {
    let page = fs::read_to_string(paths::root().join("cloud-publish-core/src/lib.rs")).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix("//!"));
    let page: String = lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    let text = readme();
    let blocks: Vec<&str> = text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(page.contains(block), "{block}");
    }
}

#[test]
fn every_verb_that_is_written_exists_and_every_verb_is_written() {
    let text = readme();
    let mut written: BTreeSet<&str> = BTreeSet::new();
    for line in code(&text) {
        let mut words = line.strip_prefix("publish ").unwrap_or_default().split_whitespace();
        written.extend(words.next().filter(|word| !word.starts_with('-')));
    }
    let verbs = verbs();
    let known: BTreeSet<&str> = verbs.iter().map(String::as_str).filter(|verb| *verb != "help").collect();
    assert_eq!(written, known);
}

#[test]
fn every_option_that_is_written_exists() {
    let mut known = String::from("cargo: --release --features --no-default-features --open; rsync: --delete\n");
    known.push_str("openstack: --property --accept; cargo: --bin; sandbox: --real\n");
    known.push_str(&fs::read_to_string(paths::root().join("tests/run")).unwrap());
    known.push_str(&publish(&["--help"]));
    for verb in verbs().iter().filter(|verb| *verb != "help") {
        known.push_str(&publish(&[verb, "--help"]));
    }
    let text = readme();
    let unknown: Vec<&str> = options(&text).difference(&options(&known)).copied().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = publish(&["--help"]);
    let (_, listed) = help.split_once("Exit codes:\n").unwrap();
    let told: Vec<(&str, &str)> = listed.lines().filter_map(|line| line.trim().split_once(' ')).collect();
    let text = readme();
    let (_, table) = text.split_once("| code | meaning |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let written: Vec<(&str, &str)> = rows.filter_map(|row| row.trim_matches(['|', ' ']).split_once(" | ")).collect();
    assert_eq!(written.len(), told.len());
    for ((code, meaning), (told_code, told_meaning)) in written.into_iter().zip(told) {
        assert_eq!(code, told_code);
        assert!(meaning.starts_with(told_meaning.trim()), "{code}: {meaning}");
    }
}

#[test]
fn every_key_of_both_files_is_explained() {
    let text = readme();
    let config: Value = serde_json::from_str(&publish(&["schema", "config"])).unwrap();
    let release: Value = serde_json::from_str(&publish(&["schema", "release"])).unwrap();
    let mut schemas = vec![&config, &release, &release["properties"]["artifact"]["items"]];
    let targets = config["properties"]["target"]["additionalProperties"]["oneOf"].as_array().unwrap();
    let is_working = |target: &&Value| {
        let provider = &target["properties"]["provider"]["const"];
        provider == "local" || provider == "openstack"
    };
    schemas.extend(targets.iter().filter(is_working));
    let keys = schemas.iter().flat_map(|schema| schema["properties"].as_object().unwrap().keys());
    let explained = |key: &&String| text.contains(&format!("`{key}`")) || text.contains(&format!("`{key}.image`"));
    let missing: Vec<&String> = keys.filter(|key| *key != "target" && !explained(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_file_that_is_linked_is_there() {
    let text = readme();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files: Vec<&str> = links.filter(|link| !link.starts_with("https://")).collect();
    assert!(!files.is_empty());
    for file in files {
        match file.strip_prefix('#') {
            Some(anchor) => assert!(headings(&text).contains(anchor), "{file}"),
            None => assert!(paths::root().join(file).is_file(), "{file}"),
        }
    }
}

/// The anchors of a text's headings.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(|title| title.to_lowercase().replace(' ', "-")).collect()
}

#[test]
fn the_policy_is_the_one_that_the_calls_need() {
    let text = readme();
    let block = text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown: Value = serde_json::from_str(block).unwrap();
    let whole = fs::read_to_string(paths::root().join("cloud-publish-aws/src/policy.json")).unwrap();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let wanted: Vec<&Value> = ["Publish", "Prove"].iter().map(|sid| statement(&whole, sid)).collect();
    assert_eq!(shown["Statement"].as_array().unwrap().iter().collect::<Vec<_>>(), wanted);
}

fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
    policy["Statement"].as_array().unwrap().iter().find(|statement| statement["Sid"] == sid).unwrap()
}
