//! An OpenStack cloud that throttles, breaks connections, fails and forgets to answer: the same line typed again ends
//! where an undisturbed run ends.

use std::fs;
use std::path::Path;

use cloud_publish_tests::is_full_run;
use cloud_publish_tests::openstack::{Entry, FakeOpenStack, Settings};
use cloud_publish_tests::site::{Artifact, Ran, Site};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.openstack]
provider = "openstack"
cloud = "publisher-admin"
regions = ["RegionOne", "RegionTwo"]
visibility = "public"
"#;

const LINE: &str = "--release bookworm-20240101 --to openstack --json";

/// A cloud of its own and a release of two artifacts.
struct World {
    folder: TempDir,
    fake: FakeOpenStack,
}

impl World {
    fn new(settings: Value) -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            fake: FakeOpenStack::start(Settings::default().merged(settings).unwrap()),
        };
        world.fake.write_clouds(&world.path("clouds.yaml"));
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// A machine that has nothing but the release.
    fn site(&self, name: &str) -> Site {
        let site = Site::new(&self.path(name), CONFIG);
        for (variant, seed) in [("genericcloud", 1), ("nocloud", 2)] {
            let file = format!("{variant}.raw");
            fs::write(site.release_file(&file), disk(seed)).unwrap();
            site.add(Artifact { variant, file: &file, format: "raw", boot: "bios", build_manifest: None });
        }
        site
    }

    fn publish(&self, site: &Site) -> Ran {
        let mut command = site.command(LINE);
        command.env("OS_CLIENT_CONFIG_FILE", self.path("clouds.yaml"));
        Ran::of(&command.output().unwrap())
    }

    /// The same line, until it says that all is done.
    fn finish(&self, site: &Site, at_most: usize) {
        let mut last = self.publish(site);
        for _ in 1..at_most {
            if last.code == Some(0) {
                return;
            }
            last = self.publish(site);
        }
        last.expect(0);
    }

    /// What everybody sees in the end, without ids and times.
    fn seen(&self) -> Vec<Value> {
        let dump = self.fake.world.dump();
        let mut seen: Vec<Value> = Vec::new();
        for (region, regional) in dump["glance"].as_object().unwrap() {
            for image in regional["images"].as_array().unwrap() {
                let mut image = image.clone();
                for name in ["id", "self", "file", "created_at", "updated_at", "cloud-publish-published"] {
                    image.as_object_mut().unwrap().remove(name);
                }
                seen.push(json!([region, image]));
            }
        }
        seen.sort_by_key(Value::to_string);
        seen
    }

    fn requests(&self) -> Vec<Entry> {
        self.fake.world.requests()
    }

    /// Nobody saw an image before both regions had its bytes.
    fn assert_nothing_public_early(&self) {
        let requests = self.requests();
        let of = |id: &str| requests.iter().any(|entry| entry.operation == "UploadImage" && entry.names == [id]);
        let mut exposures = self.fake.world.exposures();
        // The probe of the permission is public, and never has bytes.
        exposures.retain(|exposure| exposure.sharing.contains("all") && of(&exposure.id));
        let first = exposures.iter().map(|exposure| exposure.seq).min().expect("something is public");
        let until = |entry: &&Entry| entry.seq < first && entry.operation == "UploadImage" && entry.status == Some(204);
        let regions: std::collections::BTreeSet<&str> =
            requests.iter().filter(until).map(|entry| entry.region.as_str()).collect();
        assert_eq!(regions.len(), 2, "public with bytes in {regions:?}");
    }
}

fn disk(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    for (at, byte) in bytes[..3 << 18].iter_mut().enumerate() {
        *byte = (at % 251) as u8 ^ (at >> 16) as u8 ^ seed;
    }
    bytes
}

/// One in ten of all requests, in equal shares.
fn noise(seed: u64) -> Vec<Value> {
    let rule = |(at, what): (u64, &str)| json!({"rate": 0.02, "seed": 5 * seed + at, "what": what});
    (0..).zip(["throttle", "reset", "error500", "error503", "lost"]).map(rule).collect()
}

fn undisturbed() -> Vec<Value> {
    let world = World::new(json!({}));
    world.publish(&world.site("site")).expect(0);
    assert_eq!(world.seen().len(), 4);
    world.assert_nothing_public_early();
    world.seen()
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn with_one_request_in_ten_disturbed_it_completes() {
    let wanted = undisturbed();
    for seed in 0..if is_full_run() { 20 } else { 3 } {
        let world = World::new(json!({}));
        world.fake.world.set_faults(serde_json::from_value(json!(noise(seed))).unwrap());
        let site = world.site("site");
        world.finish(&site, 8);
        assert!(world.requests().iter().any(|entry| entry.fault.is_some()), "seed {seed} hurt nobody");
        world.assert_nothing_public_early();
        world.fake.world.set_faults(Vec::new());
        world.publish(&site).expect(0);
        assert_eq!(world.seen(), wanted, "seed {seed}");
    }
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn reads_that_fail_in_passing_refuse_no_run() {
    let world = World::new(json!({}));
    let rule = |(operation, what)| json!({"operation": operation, "times": 2, "what": what});
    let reads = [("CreateToken", "error500"), ("ListVersions", "throttle"), ("ListImages", "reset"), ("Show*", "lost")];
    world.fake.world.set_faults(serde_json::from_value(json!(reads.map(rule))).unwrap());
    world.publish(&world.site("site")).expect(0);
    let struck = world.requests().iter().filter(|entry| entry.fault.is_some()).count();
    assert_eq!((struck, world.seen().len()), (8, 4));
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn an_upload_whose_answer_is_lost_is_found_and_not_repeated() {
    let world = World::new(json!({}));
    let rule = json!([{"operation": "UploadImage", "times": 4, "what": "lost"}]);
    world.fake.world.set_faults(serde_json::from_value(rule).unwrap());
    let site = world.site("site");
    world.finish(&site, 3);
    let uploads = world.requests().iter().filter(|entry| entry.operation == "UploadImage").count();
    assert_eq!((uploads, world.seen().len()), (4, 4));
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn tokens_that_end_in_the_middle_are_renewed() {
    let world = World::new(json!({"clouds": {"fake": {"token_seconds": 2}}, "delays": {"save": 1500}}));
    world.publish(&world.site("site")).expect(0);
    let tokens = world.requests().iter().filter(|entry| entry.operation == "CreateToken").count();
    assert!(tokens > 1, "{tokens}");
    assert_eq!(world.seen().len(), 4);
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn a_cloud_without_quotas_stores_or_imports_is_a_cloud_too() {
    let region = json!({"stores": [], "import_methods": []});
    let projects = json!({"publisher": {"quotas": null}});
    let patch =
        json!({"clouds": {"fake": {"regions": {"RegionOne": region, "RegionTwo": region}, "projects": projects}}});
    let world = World::new(patch);
    world.publish(&world.site("site")).expect(0);
    assert_eq!(world.seen().len(), 4);
}

#[test]
#[ignore = "needs the binary that tests/run builds"]
fn a_finished_release_costs_no_write() {
    let world = World::new(json!({}));
    let site = world.site("site");
    world.publish(&site).expect(0);
    let before = world.requests().len();
    world.publish(&site).expect(0);
    let writes: Vec<Entry> = world.requests().into_iter().skip(before).filter(|entry| entry.write).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert!(Path::new(&world.path("site")).join("state").exists());
}
