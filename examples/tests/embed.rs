//! The program that embeds the core does what its page says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cloud_publish_core::plan::Plan;

/// Runs it on a copy of the quickstart's files.
fn plan(release: &str, folder: &Path) -> Output {
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("quickstart");
    fs::copy(quickstart.join("publish.toml"), folder.join("publish.toml")).unwrap();
    fs::create_dir(folder.join("releases")).unwrap();
    for entry in fs::read_dir(quickstart.join("releases")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("releases").join(entry.file_name())).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_plan")).arg(folder.join("publish.toml")).arg(release).output().unwrap()
}

#[test]
fn it_prints_the_plan_as_json_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ran = plan("bookworm-20240101", folder.path());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let plan: Plan = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(plan.additions(&"local".parse().unwrap()).count(), 1);
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["publish.toml", "releases"]);
}

#[test]
fn it_fails_on_a_release_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let ran = plan("bookworm-20240102", folder.path());
    assert!(!ran.status.success());
    assert!(String::from_utf8_lossy(&ran.stderr).contains("bookworm-20240102"));
}
