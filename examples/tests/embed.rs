//! The programs that embed the core do what their pages say.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use cloud_publish_core::plan::Plan;
use cloud_publish_tests::foreign;
use cloud_publish_tests::servers::{OpenStack, PUBLISHER_ADMIN, REGIONS, unique_owner};

const RELEASE: &str = "bookworm-20240101";

/// A copy of the quickstart's files.
fn quickstart(folder: &Path) {
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("quickstart");
    fs::copy(quickstart.join("publish.toml"), folder.join("publish.toml")).unwrap();
    fs::create_dir(folder.join("releases")).unwrap();
    for entry in fs::read_dir(quickstart.join("releases")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("releases").join(entry.file_name())).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn plan(release: &str, folder: &Path) -> Output {
    quickstart(folder);
    Command::new(env!("CARGO_BIN_EXE_plan")).arg(folder.join("publish.toml")).arg(release).output().unwrap()
}

/// Runs `embed` with further arguments.
fn embed(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed"));
    command.arg(folder.join("publish.toml")).arg(RELEASE).args(more).output().unwrap()
}

fn out(ran: &Output) -> String {
    assert!(ran.status.success(), "{}", err(ran));
    String::from_utf8(ran.stdout.clone()).unwrap()
}

fn err(ran: &Output) -> String {
    String::from_utf8(ran.stderr.clone()).unwrap()
}

#[test]
fn the_plan_is_printed_as_json_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let plan: Plan = serde_json::from_str(&out(&plan(RELEASE, folder.path()))).unwrap();
    assert_eq!(plan.additions(&"local".parse().unwrap()).count(), 1);
    assert_eq!(names(folder.path()), ["publish.toml", "releases"]);
}

#[test]
fn a_release_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ran = plan("bookworm-20240102", folder.path());
    assert!(!ran.status.success());
    assert!(err(&ran).contains("bookworm-20240102"));
}

#[test]
fn a_release_is_published_with_a_reporter_and_a_state_of_one_s_own() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let first = embed(folder.path(), &[]);
    assert!(out(&first).starts_with("local local published bookworm/20240101-1614/"), "{}", out(&first));
    assert!(err(&first).lines().count() > 3 && err(&first).contains(": done in "), "{}", err(&first));
    assert_eq!(names(folder.path()), ["public", "public.work", "publish.toml", "releases"]);

    // Its state was forgotten: what is there is found by its tags.
    let again = embed(folder.path(), &[]);
    assert_eq!((out(&again), err(&again)), (out(&first), String::new()));
}

#[test]
fn a_run_that_is_stopped_publishes_nothing_and_the_next_one_finishes() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    // Large enough that the time is over long before it is read.
    let disk = File::create(folder.path().join("releases/large.raw")).unwrap();
    disk.set_len(512 << 20).unwrap();
    let sha256 = Command::new("sha256sum").arg(folder.path().join("releases/large.raw")).output().unwrap();
    let sha256 = out(&sha256).split_whitespace().next().unwrap().to_owned();
    let manifest = format!("releases/{RELEASE}.toml");
    let text = fs::read_to_string(folder.path().join(&manifest)).unwrap();
    let (head, _) = text.split_once("[[artifact]]").unwrap();
    let artifact = "[[artifact]]\nvariant = \"large\"\narch = \"amd64\"\nfile = \"large.raw\"\nformat = \"raw\"\n";
    let text = format!("{head}{artifact}sha256 = \"{sha256}\"\nboot = \"uefi\"\n");
    fs::write(folder.path().join(&manifest), text).unwrap();

    let stopped = embed(folder.path(), &["0"]);
    assert!(!stopped.status.success());
    assert!(err(&stopped).contains("stop"), "{}", err(&stopped));
    assert!(!folder.path().join("public").exists());

    let finished = embed(folder.path(), &[]);
    assert!(out(&finished).starts_with("local local published "), "{}", out(&finished));
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_same_program_publishes_to_an_openstack_cloud() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let file = folder.path().join("publish.toml");
    let owner = unique_owner("embed");
    let text = fs::read_to_string(&file).unwrap().replace("\"debian\"", &format!("{owner:?}"));
    let text = text.replace("image = \"debian-", "image = \"{owner}-");
    let target = format!("\n[target.openstack]\nprovider = \"openstack\"\ncloud = \"{PUBLISHER_ADMIN}\"\n");
    fs::write(&file, format!("{text}{target}regions = {REGIONS:?}\n")).unwrap();
    let clouds = OpenStack::from_env().clouds_file;
    let ran = embed(folder.path(), &["3600", clouds.to_str().unwrap()]);
    foreign::wipe(&owner);
    for region in REGIONS {
        assert_eq!(out(&ran).matches(&format!("openstack {region} published ")).count(), 1, "{}", out(&ran));
    }
}
