//! The main job on real input: a Debian image that really boots goes into a directory and into two Glance regions by one
//! command, and comes out of each again as it was.
//!
//! The release is published once; each test looks at one side of what came of it. None of them changes anything.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cloud_publish_tests::foreign::{self, GlanceImage};
use cloud_publish_tests::servers::{CONSUMER, PUBLISHER_ADMIN, REGIONS};
use cloud_publish_tests::site::{Artifact, RELEASE, Ran, Site};
use cloud_publish_tests::{boot, images};
use serde_json::{Value, json};

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=tiny";
const OWNER: &str = "debian";
const NAME: &str = "debian-12-genericcloud-amd64-20240101-1614";
const LINE: &str = "--release bookworm-20240101 --to local,openstack";

/// Whole, as a distribution would have it: the targets that are not asked for must not disturb.
const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[naming]
image = "debian-{suite_id}-{variant}-{arch}{class_suffix}-{version}"
family = "debian-{suite_id}-{variant}-{arch}{class_suffix}"
[target.local]
provider = "local"
path = "public"
formats = ["as-is"]
[target.openstack]
provider = "openstack"
cloud = "mycloud"
regions = ["RegionOne", "RegionTwo"]
visibility = "public"
[target.aws]
provider = "aws"
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1"]
best_effort = ["me-central-1"]
visibility = "public"
[target.azure]
provider = "azure"
subscription = "00000000-0000-0000-0000-000000000000"
resource_group = "images"
gallery = "debian"
staging_gallery = "debian_staging"
home_region = "westeurope"
regions = ["westeurope", "eastus"]
staging = "disk"
visibility = "community"
[target.gce]
provider = "gce"
project = "debian-cloud"
bucket = "staging"
storage_locations = ["eu"]
visibility = "public"
"#;

struct Published {
    site: Site,
    ran: Ran,
}

/// Publishes once for all tests of this file.
static PUBLISHED: LazyLock<Published> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("main-job");
    let _ = fs::remove_dir_all(&folder);
    foreign::wipe(OWNER);
    let site = Site::new(&folder, &CONFIG.replace("mycloud", PUBLISHER_ADMIN));
    let (tiny, file, build) = (images::tiny(), format!("{NAME}.qcow2"), format!("{NAME}.json"));
    fs::copy(&tiny.qcow2.path, site.release_file(&file)).unwrap();
    fs::copy(&tiny.build_manifest, site.release_file(&build)).unwrap();
    site.add(Artifact {
        variant: "genericcloud",
        file: &file,
        format: "qcow2",
        boot: "uefi",
        build_manifest: Some(&build),
    });
    let ran = site.run(&format!("{LINE} --json")).expect(0);
    Published { site, ran }
});

/// The images of this release, by Glance's own account: one in each region.
fn in_glance() -> Vec<GlanceImage> {
    let images = foreign::glance_state(OWNER);
    assert_eq!(images.iter().map(|image| image.region.as_str()).collect::<Vec<_>>(), REGIONS);
    images
}

/// Every file and link below a folder with its inode, size and time of change.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u64, u64, i64, i64)> {
    let mut tree = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
            }
            tree.insert(entry.path(), (about.ino(), about.size(), about.ctime(), about.ctime_nsec()));
        }
    }
    tree
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_summary_says_what_is_where_with_the_digest_of_the_raw_disk() {
    let summary = PUBLISHED.ran.summary();
    let digest = format!("sha256:{}", images::tiny().raw.sha256);
    let row = |target: &str, region: &str, id: &str| {
        json!({
            "target": target, "provider": target, "region": region, "variant": "genericcloud", "arch": "amd64",
            "rendition": "as-is", "id": id, "name": NAME, "state": "published", "digest": digest,
        })
    };
    let [one, two] = in_glance().try_into().unwrap();
    let images = [
        row("local", "local", &format!("bookworm/20240101-1614/{NAME}.qcow2")),
        row("openstack", "RegionOne", &one.id),
        row("openstack", "RegionTwo", &two.id),
    ];
    let wanted =
        json!({"event": "summary", "release": RELEASE, "outcome": "complete", "images": images, "failures": []});
    assert_eq!(summary, wanted);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn each_region_gives_back_the_same_bytes_and_they_boot() {
    let published = &*PUBLISHED;
    for image in in_glance() {
        let copy = published.site.path(&format!("{}.qcow2", image.region));
        foreign::download(PUBLISHER_ADMIN, &image.region, &image.id, &copy);
        let sha512 = foreign::sha512(&copy);
        assert_eq!(sha512, images::tiny().qcow2.sha512, "{}", image.region);
        assert_eq!(image.os_hash_value.as_ref(), Some(&sha512));
        let line = boot::boots(&copy).unwrap_or_else(|console| panic!("{}: {console}", image.region));
        assert!(line.starts_with(MARKER), "{line}");
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_stranger_finds_one_public_image_in_each_region_and_may_download_it() {
    let published = &*PUBLISHED;
    for region in REGIONS {
        let list = ["image", "list", "--public", "--name", NAME, "--format", "json", "--long"];
        let found: Value = serde_json::from_str(&foreign::openstack_cli(CONSUMER, region, &list)).unwrap();
        let [image] = found.as_array().unwrap().as_slice() else { panic!("{region}: {found}") };
        assert_eq!((&image["Status"], &image["Visibility"]), (&json!("active"), &json!("public")), "{image}");
        let copy = published.site.path(&format!("stranger-{region}.qcow2"));
        foreign::download(CONSUMER, region, image["ID"].as_str().unwrap(), &copy);
        assert_eq!(foreign::sha512(&copy), images::tiny().qcow2.sha512);
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn glance_knows_how_to_start_a_machine_from_it() {
    let _ = &*PUBLISHED;
    for image in in_glance() {
        let facts = (image.name.as_deref(), image.disk_format.as_deref(), image.container_format.as_deref());
        assert_eq!(facts, (Some(NAME), Some("qcow2"), Some("bare")));
        assert_eq!((image.status.as_str(), image.visibility.as_str(), image.os_hidden), ("active", "public", false));
        assert_eq!((image.min_disk, image.members.len()), (1, 0), "64 MiB need a disk of 1 GiB");
        let has = |name: &str, value: &str| assert_eq!(image.properties[name], value, "{name}");
        has("hw_firmware_type", "uefi");
        has("architecture", "x86_64");
        has("cloud-publish-release", RELEASE);
        has("cloud-publish-digest", &format!("sha256:{}", images::tiny().raw.sha256));
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_directory_is_one_to_mirror() {
    let public = PUBLISHED.site.path("public/bookworm");
    let version = public.join("20240101-1614");
    let check = Command::new("sha512sum").args(["--check", "--strict", "SHA512SUMS"]).current_dir(&version).output();
    let check = check.unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{said}{}", String::from_utf8_lossy(&check.stderr));
    assert!(said.contains(&format!("{NAME}.qcow2: OK")), "{said}");
    assert_eq!(fs::canonicalize(public.join("latest")).unwrap(), fs::canonicalize(&version).unwrap());
    let page = fs::read_to_string(version.join("index.html")).unwrap();
    assert!(page.contains(&format!("href=\"{NAME}.qcow2\"")), "{page}");
    let build: Value = serde_json::from_slice(&fs::read(version.join(format!("{NAME}.json"))).unwrap()).unwrap();
    let kinds: Vec<&Value> = build["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert!(kinds.contains(&&json!("Build")) && kinds.contains(&&json!("Upload")), "{kinds:?}");
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_catalogue_has_a_row_for_each_region_and_find_prints_them() {
    let published = &*PUBLISHED;
    let catalogue: Value =
        serde_json::from_slice(&fs::read(published.site.path("state/catalogue.json")).unwrap()).unwrap();
    let rows = catalogue["rows"].as_array().unwrap();
    let found = published.site.run("find --json").expect(0).lines();
    assert_eq!(&found, rows);
    let summary = published.ran.summary();
    let images = summary["images"].as_array().unwrap();
    assert_eq!(rows.len(), images.len());
    for (row, image) in rows.iter().zip(images) {
        for (field, value) in image.as_object().unwrap() {
            assert_eq!(&row[field], value, "{field} of {row}");
        }
        let fixed = json!({"owner": OWNER, "release": RELEASE, "suite": "bookworm", "class": "release"});
        for (field, value) in fixed.as_object().unwrap() {
            assert_eq!(&row[field], value, "{field} of {row}");
        }
        assert!(row["published_at"].is_string() && row["account"].is_string(), "{row}");
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn verify_proves_every_image_correct() {
    let line = format!("verify --prove=all {LINE} --json");
    let lines = PUBLISHED.site.run(&line).expect(0).lines();
    let rows: Vec<&Value> = lines.iter().filter(|line| line["event"] == "checked").collect();
    assert_eq!(rows.len(), 3, "{lines:?}");
    for row in rows {
        assert_eq!((&row["verdict"], &row["differences"]), (&json!("correct"), &json!([])), "{row}");
        assert!(row["proof"].is_object(), "{row}");
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn the_same_line_again_changes_nothing() {
    let published = &*PUBLISHED;
    let places = ["public", "public.work", "state/ledger"].map(|name| published.site.path(name));
    let look = || (in_glance(), places.each_ref().map(|place| tree(place)));
    let before = look();
    let again = published.site.run(&format!("{LINE} --json")).expect(0);
    assert_eq!(look(), before);
    assert_eq!(again.summary(), published.ran.summary());
    let steps = again.lines().into_iter().filter(|line| line["event"] == "step_started").count();
    assert_eq!(steps, 0);
}
