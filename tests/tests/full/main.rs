//! What takes too long for every change: only `tests/run --full` runs these.

mod aws;
mod awspub;
mod makespan;

use std::fs;

use cloud_publish_tests::servers::{PUBLISHER_ADMIN, REGIONS, unique_owner};
use cloud_publish_tests::site::{Artifact, Site};
use cloud_publish_tests::{boot, foreign, images, is_full_run};
use serde_json::json;
use tempfile::TempDir;

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=debian";

/// Names carry the owner: all tests share one project.
const CONFIG: &str = r#"schema = 1
owner = "OWNER"
releases = "releases"
state = "state"
[naming]
image = "{owner}-{variant}-{arch}{class_suffix}-{version}"
[target.local]
provider = "local"
path = "public"
[target.openstack]
provider = "openstack"
cloud = "CLOUD"
regions = ["RegionOne"]
visibility = "public"
"#;

/// A folder from which the big image is published, in one of its formats.
struct Machine {
    site: Site,
    owner: String,
    _folder: TempDir,
}

impl Machine {
    fn new(format: &str) -> Self {
        let (folder, owner) = (tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), unique_owner("big"));
        let site = Site::new(folder.path(), &CONFIG.replace("OWNER", &owner).replace("CLOUD", PUBLISHER_ADMIN));
        let big = images::big();
        let image = if format == "raw" { big.raw } else { big.qcow2 };
        let file = format!("disk.{format}");
        let place = site.release_file(&file);
        fs::hard_link(&image.path, &place).or_else(|_| fs::copy(&image.path, &place).map(drop)).unwrap();
        site.add(Artifact { variant: "generic", file: &file, format, boot: "uefi-preferred", build_manifest: None });
        Self { site, owner, _folder: folder }
    }
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_has_the_digests_that_its_build_wrote_down() {
    assert!(is_full_run());
    let big = images::big();
    assert_eq!(foreign::sha512(&big.raw.path), big.raw.sha512);
    assert_eq!(foreign::sha512(&big.qcow2.path), big.qcow2.sha512);
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_boots_by_uefi_from_qcow2_without_a_failed_unit() {
    let line = boot::boots(&images::big().qcow2.path).expect("a booted image");
    assert!(line.starts_with(MARKER) && line.contains("firmware=uefi") && line.ends_with("failed_units=0"), "{line}");
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_boots_by_bios_from_raw() {
    let line = boot::Machine::with(&images::big().raw.path).by_bios().boot().expect("a booted image");
    assert!(line.starts_with(MARKER) && line.contains("firmware=bios"), "{line}");
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_comes_back_from_glance_as_it_was_and_boots() {
    let (machine, big) = (Machine::new("qcow2"), images::big());
    let ran = machine.site.run("--release bookworm-20240101 --to local,openstack --json").expect(0);
    for image in ran.summary()["images"].as_array().unwrap() {
        let wanted = (&json!("published"), &json!(format!("sha256:{}", big.raw.sha256)));
        assert_eq!((&image["state"], &image["digest"]), wanted, "{image}");
    }
    let [image] = foreign::glance_state(&machine.owner).try_into().expect("one image");
    let copy = machine.site.path("copy.qcow2");
    foreign::download(PUBLISHER_ADMIN, REGIONS[0], &image.id, &copy);
    assert_eq!(foreign::sha512(&copy), big.qcow2.sha512);
    let line = boot::boots(&copy).expect("a booted image");
    assert!(line.starts_with(MARKER) && line.ends_with("failed_units=0"), "{line}");
    foreign::wipe(&machine.owner);
}
