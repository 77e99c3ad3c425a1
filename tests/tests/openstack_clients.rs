//! The fake OpenStack held against OpenStack's own clients, and against the real services: one walk of openstacksdk
//! through Keystone and Glance, refusals included, must be answered alike.

use std::fs;
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

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_openstack_command_takes_an_image_through_its_life() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeOpenStack::start(Settings::default());
    let path = |name: &str| folder.path().join(name).display().to_string();
    fake.write_clouds(&folder.path().join("clouds.yaml"));
    let openstack = |arguments: &[&str]| {
        let mut command = Command::new(OpenStack::from_env().client);
        command.args(["--os-cloud", "member", "--os-region-name", "RegionTwo", "image"]).args(arguments);
        let done = command.env("OS_CLIENT_CONFIG_FILE", path("clouds.yaml")).stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let data: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    fs::write(path("disk.raw"), &data).unwrap();
    let create =
        ["create", "--disk-format", "raw", "--property", "a=b", "--tag", "t", "--file", &path("disk.raw"), "disk"];
    let made = openstack(&[&create[..], &["-f", "value", "-c", "status"]].concat());
    assert_eq!(made.trim(), "active");
    openstack(&["save", "--file", &path("saved.raw"), "disk"]);
    assert_eq!(fs::read(path("saved.raw")).unwrap(), data);
    assert!(openstack(&["list", "--long", "--tag", "t"]).contains("disk"));
    openstack(&["delete", "disk"]);
    assert_eq!(openstack(&["list", "-f", "value"]).trim(), "");
}
