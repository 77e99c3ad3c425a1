//! What takes too long for every change: only `tests/run --full` runs these.

mod aws;
mod awspub;
mod makespan;

use std::fs;
use std::process::Command;

use cloud_publish_tests::measure::{Used, measure};
use cloud_publish_tests::servers::{OpenStack, PUBLISHER_ADMIN, REGIONS, unique_owner};
use cloud_publish_tests::site::{Artifact, Site};
use cloud_publish_tests::{boot, foreign, images, is_full_run};
use serde_json::{Value, json};
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

/// Runs something three times and keeps the median.
fn thrice(what: impl Fn() -> Used) -> Used {
    Used::median(&[what(), what(), what()])
}

fn publish_uploads() -> Used {
    let machine = Machine::new("raw");
    let used = measure(&machine.site.command("--release bookworm-20240101 --to openstack --no-progress"));
    foreign::wipe(&machine.owner);
    used
}

fn openstackclient_uploads() -> Used {
    let (owner, big) = (unique_owner("client"), images::big());
    let (property, file) = (format!("cloud-publish-owner={owner}"), big.raw.path.display().to_string());
    let what = ["--disk-format", "raw", "--container-format", "bare", "--property", &property, "--file", &file, &owner];
    let arguments = [&["image", "create"], &what[..]].concat();
    let used = measure(&foreign::client(PUBLISHER_ADMIN, REGIONS[0], &arguments));
    foreign::wipe(&owner);
    used
}

/// `curl` with a token of python-openstackclient.
fn curl(content_type: &str) -> Command {
    let issue = ["token", "issue", "--format", "value", "--column", "id"];
    let token = foreign::openstack_cli(PUBLISHER_ADMIN, REGIONS[0], &issue);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--header", &format!("content-type: {content_type}")]);
    curl.args(["--header", &format!("x-auth-token: {}", token.trim())]);
    curl
}

/// An upload and nothing else: the record is there, nothing is hashed or compared.
fn curl_uploads() -> Used {
    let (owner, glance) = (unique_owner("curl"), &OpenStack::from_env().glance[0]);
    let record = json!({"name": owner, "disk_format": "raw", "container_format": "bare", "cloud-publish-owner": owner});
    let mut create = curl("application/json");
    create.args(["--data", &record.to_string(), &format!("{glance}/v2/images")]);
    let made: Value = serde_json::from_slice(&create.output().unwrap().stdout).expect("the record");
    let mut send = curl("application/octet-stream");
    send.arg("--upload-file").arg(images::big().raw.path);
    send.arg(format!("{glance}/v2/images/{}/file", made["id"].as_str().unwrap()));
    let used = measure(&send);
    foreign::wipe(&owner);
    used
}

fn openssl_digests() -> Used {
    measure(Command::new("openssl").args(["dgst", "-sha256"]).arg(images::big().raw.path))
}

/// Printed for people to compare, never asserted: machines differ.
#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn benchmarks_against_the_tools_that_others_use() {
    let check = Machine::new("raw");
    let rows = [
        ("3 GiB raw to Glance: publish", thrice(publish_uploads)),
        ("3 GiB raw to Glance: openstack image create", thrice(openstackclient_uploads)),
        ("3 GiB raw to Glance: curl", thrice(curl_uploads)),
        ("3 GiB raw digests: publish check (sha256, sha512)", thrice(|| measure(&check.site.command("check")))),
        ("3 GiB raw digest: openssl dgst -sha256", thrice(openssl_digests)),
    ];
    println!("\n{:<52}{:>10}{:>10}{:>12}", "median of 3", "wall s", "CPU s", "memory MiB");
    for (what, used) in rows {
        let (wall, cpu, memory) = (used.wall().as_secs_f64(), used.cpu().as_secs_f64(), used.memory() >> 10);
        println!("{what:<52}{wall:>10.1}{cpu:>10.1}{memory:>12}");
    }
}
