//! The fake OpenStack held against OpenStack's own clients, and against the real services: one walk of openstacksdk
//! through Keystone and Glance, refusals included, must be answered alike.

use std::path::Path;
use std::process::{Command, Stdio};

use cloud_publish_tests::openstack::{FakeOpenStack, Settings};
use cloud_publish_tests::paths;
use cloud_publish_tests::servers::{OpenStack, unique_owner};

/// What openstacksdk was told, line by line.
fn walk(clouds: &Path) -> String {
    let servers = OpenStack::from_env();
    let mut command = Command::new(&servers.python);
    command.arg(paths::root().join("tests/servers/openstack/walk.py")).arg(unique_owner("walk"));
    command.env("OS_CLIENT_CONFIG_FILE", clouds).stdin(Stdio::null());
    let done = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{out}{}", String::from_utf8_lossy(&done.stderr));
    out
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn openstacksdk_is_answered_as_by_the_real_services() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeOpenStack::start(Settings::default());
    let clouds = folder.path().join("clouds.yaml");
    fake.write_clouds(&clouds);
    let (ours, theirs) = (walk(&clouds), walk(&OpenStack::from_env().clouds_file));
    let differences: Vec<String> = ours
        .lines()
        .zip(theirs.lines())
        .filter(|(ours, theirs)| ours != theirs)
        .map(|(ours, theirs)| format!("fake: {ours}\nreal: {theirs}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(ours.lines().count(), theirs.lines().count());
}
