//! The rig itself: if one of these fails, no other result is worth reading.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cloud_publish_tests::foreign::{self, GlanceImage, openstack_cli, openstack_cli_refused};
use cloud_publish_tests::servers::{
    CONSUMER, DENIED, MEMBER, OpenStack, PUBLISHER_ADMIN, REGIONS, SMALL_QUOTA, unique_owner,
};
use cloud_publish_tests::{boot, images, publish};

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=tiny";

/// Makes an image with python-openstackclient; returns its id.
fn create(cloud: &str, region: &str, owner: &str, file: &Path) -> String {
    let property = format!("cloud-publish-owner={owner}");
    let file = file.to_str().expect("a UTF-8 path");
    let what = ["--private", "--disk-format", "raw", "--property", &property, "--file", file, owner];
    let arguments = [&["image", "create", "--format", "value", "--column", "id"], &what[..]].concat();
    openstack_cli(cloud, region, &arguments).trim().to_owned()
}

fn regions_of(images: &[GlanceImage]) -> Vec<&str> {
    images.iter().map(|image| image.region.as_str()).collect()
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn both_regions_answer_every_cloud_but_the_denied_one() {
    let clouds = [PUBLISHER_ADMIN, MEMBER, CONSUMER, SMALL_QUOTA];
    for (cloud, region) in clouds.into_iter().zip(REGIONS.into_iter().cycle()) {
        openstack_cli(cloud, region, &["image", "list"]);
    }
    let refusal = openstack_cli_refused(DENIED, REGIONS[0], &["image", "list"]);
    assert!(refusal.contains("HTTP 401"), "{refusal}");
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn foreign_state_tells_what_another_client_made_in_each_region() {
    let owner = unique_owner("foreign state");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("disk.raw");
    fs::write(&file, owner.repeat(100)).expect("a written file");
    let one = create(MEMBER, REGIONS[0], &owner, &file);
    let two = create(PUBLISHER_ADMIN, REGIONS[1], &owner, &file);
    let hide = ["image", "set", "--hidden", "--protected", "--shared", "--tag", "made-by-hand", &two];
    openstack_cli(PUBLISHER_ADMIN, REGIONS[1], &hide);
    let consumer = OpenStack::from_env().consumer_project;
    openstack_cli(PUBLISHER_ADMIN, REGIONS[1], &["image", "add", "project", &two, &consumer]);

    let images = foreign::glance_state(&owner);

    assert_eq!(regions_of(&images), REGIONS);
    let (first, second) = (&images[0], &images[1]);
    assert_eq!((first.id.as_str(), first.visibility.as_str(), first.os_hidden), (one.as_str(), "private", false));
    assert_eq!((second.id.as_str(), second.visibility.as_str(), second.os_hidden), (two.as_str(), "shared", true));
    assert_eq!(first.os_hash_value, Some(foreign::sha512(&file)));
    assert_eq!(first.properties["cloud-publish-owner"], owner);
    assert_eq!(second.tags, ["made-by-hand"]);
    assert_eq!(second.members.iter().map(|member| &member.project).collect::<Vec<_>>(), [&consumer]);

    let copy = folder.path().join("copy.raw");
    foreign::download(MEMBER, REGIONS[1], &two, &copy);
    assert_eq!(foreign::sha512(&copy), foreign::sha512(&file));
    foreign::wipe(&owner);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn wiping_removes_every_image_of_one_owner_and_no_other() {
    let (mine, other) = (unique_owner("wiped"), unique_owner("kept"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("disk.raw");
    fs::write(&file, &mine).expect("a written file");
    for region in REGIONS {
        let id = create(PUBLISHER_ADMIN, region, &mine, &file);
        openstack_cli(PUBLISHER_ADMIN, region, &["image", "set", "--hidden", "--protected", &id]);
    }
    create(PUBLISHER_ADMIN, REGIONS[0], &other, &file);

    foreign::wipe(&mine);

    assert_eq!(foreign::glance_state(&mine), []);
    assert_eq!(regions_of(&foreign::glance_state(&other)), [REGIONS[0]]);
    foreign::wipe(&other);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn only_the_admin_may_make_an_image_public() {
    let owner = unique_owner("public");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("disk.raw");
    fs::write(&file, &owner).expect("a written file");
    let id = create(MEMBER, REGIONS[0], &owner, &file);

    let refusal = openstack_cli_refused(MEMBER, REGIONS[0], &["image", "set", "--public", &id]);
    openstack_cli(PUBLISHER_ADMIN, REGIONS[0], &["image", "set", "--public", &id]);

    assert!(refusal.contains("403"), "{refusal}");
    assert_eq!(foreign::glance_state(&owner)[0].visibility, "public");
    foreign::wipe(&owner);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_small_quota_refuses_an_upload_that_exceeds_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("disk.raw");
    fs::write(&file, vec![7; 9 << 20]).expect("a written file");
    let arguments = ["image", "create", "--file", file.to_str().expect("a UTF-8 path"), "too big"];
    let refusal = openstack_cli_refused(SMALL_QUOTA, REGIONS[0], &arguments);
    assert!(refusal.contains("413"), "{refusal}");
}

#[test]
#[ignore = "needs the image that tests/run builds"]
fn tiny_image_has_the_digests_that_its_build_wrote_down() {
    let tiny = images::tiny();
    assert_eq!(foreign::sha512(&tiny.raw.path), tiny.raw.sha512);
    assert_eq!(foreign::sha512(&tiny.qcow2.path), tiny.qcow2.sha512);
    assert!(tiny.build_manifest.exists());
}

#[test]
#[ignore = "needs the image that tests/run builds"]
fn tiny_image_boots_from_qcow2() {
    let line = boot::boots(&images::tiny().qcow2.path).expect("a booted image");
    assert!(line.starts_with(MARKER) && line.ends_with("firmware=uefi"), "{line}");
}

#[test]
#[ignore = "needs the image that tests/run builds"]
fn tiny_image_boots_from_raw() {
    let line = boot::boots(&images::tiny().raw.path).expect("a booted image");
    assert!(line.starts_with(MARKER) && line.ends_with("firmware=uefi"), "{line}");
}

#[test]
#[ignore = "needs the emulator that tests/run installs"]
fn an_empty_disk_does_not_boot() {
    let disk = tempfile::NamedTempFile::new().expect("a temporary file");
    disk.as_file().set_len(1 << 20).expect("an empty disk");
    let console = boot::Machine::with(disk.path()).by_bios().within(Duration::from_secs(5)).boot();
    assert!(console.expect_err("nothing to boot").contains("did not boot by bios"));
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn publish_binary_starts() {
    assert!(publish::command().arg("--version").status().expect("a started program").success());
}
