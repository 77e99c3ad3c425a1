//! Two machines that publish with one state in a bucket: leases, receipts and catalogue are shared.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cloud_publish_tests::{moto::Moto, paths, publish};

/// A machine of its own: the quickstart's folder, with the state in the bucket.
fn machine(folder: &Path) {
    let from = paths::root().join("examples/quickstart");
    fs::create_dir_all(folder.join("releases")).unwrap();
    for entry in fs::read_dir(from.join("releases")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("releases").join(entry.file_name())).unwrap();
    }
    let config = fs::read_to_string(from.join("publish.toml")).unwrap();
    let shared = folder.parent().unwrap().join("public");
    let config = config
        .replace("state = \"state\"", "state = \"s3://state/debian\"")
        .replace("path = \"public\"", &format!("path = {:?}", shared.to_str().unwrap()));
    fs::write(folder.join("publish.toml"), config).unwrap();
}

fn publish(folder: &Path, server: &Moto, arguments: &[&str]) -> Command {
    let mut command = publish::command();
    command
        .current_dir(folder)
        .args(arguments)
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_REGION", "us-east-1");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const LINE: [&str; 4] = ["--release", "bookworm-20240101", "--to", "local"];

#[test]
#[ignore = "needs the server that tests/run installs"]
fn two_machines_share_leases_receipts_and_catalogue() {
    let server = Moto::start();
    server.bucket("state");
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    machine(&one);
    machine(&two);

    let first = publish(&one, &server, &LINE).spawn().unwrap();
    let second = publish(&two, &server, &LINE).output().unwrap();
    let first = first.wait_with_output().unwrap();
    assert!(first.status.success() && second.status.success(), "{}{}", text(&first), text(&second));

    let found = publish(&two, &server, &["find", "--json"]).output().unwrap();
    assert_eq!(text(&found).matches("\"state\":\"published\"").count(), 1, "{}", text(&found));
    let again = publish(&one, &server, &LINE).output().unwrap();
    assert!(text(&again).contains("nothing to do"), "{}", text(&again));
    assert!(!one.join("state").exists() && !two.join("state").exists());
}

#[test]
#[ignore = "needs the server that tests/run installs"]
fn a_bucket_that_is_not_there_is_said_before_anything_is_made() {
    let server = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one");
    machine(&one);
    let output = publish(&one, &server, &LINE).output().unwrap();
    assert!(!output.status.success());
    assert!(text(&output).contains("bucket"), "{}", text(&output));
    assert!(!folder.path().join("public").exists());
}
