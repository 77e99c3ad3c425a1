//! The main job at AWS: a Debian image that really boots goes into three regions of one account by one command, a daily
//! build into another account, and AWS's own clients find it there as it was.
//!
//! Everything is published once; each test looks at one side of what came of it. None of them changes anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::LazyLock;

use cloud_publish_aws::{Feature, actions};
use cloud_publish_tests::aws::{ACCOUNT, Entry};
use cloud_publish_tests::aws_clients;
use cloud_publish_tests::aws_site::Cloud;
use cloud_publish_tests::judge::{self, Account, Holdings};
use cloud_publish_tests::site::{Artifact, RELEASE, Ran, Site};
use cloud_publish_tests::{boot, foreign, images};
use serde_json::{Value, json};

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=tiny";
const NAME: &str = "debian-12-genericcloud-amd64-20240101-1614";
const LINE: &str = "--release bookworm-20240101 --to aws";
const DAILY: &str = "--release bookworm-20240102 --to daily";
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "us-west-2"];
const RELEASES: &str = "222222222222";
const DAILIES: &str = "666666666666";

/// As a distribution has it: who builds may publish in two other accounts, by a role of each.
const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[naming]
image = "debian-{suite_id}-{variant}-{arch}{class_suffix}-{version}"
family = "debian-{suite_id}-{variant}-{arch}{class_suffix}"
[target.aws]
provider = "aws"
account = "222222222222"
roles = ["arn:aws:iam::222222222222:role/publisher"]
classes = ["release"]
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1", "us-west-2"]
visibility = "public"
snapshots = "as-image"
parameters = ["/debian/{class}/{suite}/{variant}/{version}/{arch}", "/debian/{class}/{suite}/{variant}/latest/{arch}"]
[target.daily]
provider = "aws"
account = "666666666666"
roles = ["arn:aws:iam::666666666666:role/publisher"]
classes = ["daily", "dev"]
home_region = "eu-west-1"
regions = ["eu-west-1", "us-east-1"]
visibility = "public"
"#;

struct Published {
    cloud: Cloud,
    site: Site,
    ran: Ran,
    daily: Ran,
    /// The same line again, and what it asked.
    again: Ran,
    asked: Vec<Entry>,
}

impl Published {
    fn publish(&self, line: &str) -> Ran {
        publish(&self.cloud, &self.site, line)
    }
}

fn publish(cloud: &Cloud, site: &Site, line: &str) -> Ran {
    let mut command = site.command(line);
    cloud.lead(&mut command, ACCOUNT);
    Ran::of(&command.output().unwrap())
}

/// Publishes once for all tests of this file.
static PUBLISHED: LazyLock<Published> = LazyLock::new(|| {
    let cloud = Cloud::start(json!({"accounts": {DAILIES: {"roles": {"publisher": {"trusts": [ACCOUNT]}}}}}));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aws-job");
    let _ = fs::remove_dir_all(&folder);
    let site = Site::new(&folder, CONFIG);
    let (tiny, file) = (images::tiny(), format!("{NAME}.qcow2"));
    fs::copy(&tiny.qcow2.path, site.release_file(&file)).unwrap();
    site.add(Artifact { variant: "genericcloud", file: &file, format: "qcow2", boot: "uefi", build_manifest: None });
    let manifest = fs::read_to_string(site.release_file(&format!("{RELEASE}.toml"))).unwrap();
    let daily = manifest
        .replace("\"bookworm-20240101\"", "\"bookworm-20240102\"")
        .replace("\"20240101-1614\"", "\"20240102-1615\"")
        .replace("class = \"release\"", "class = \"daily\"");
    fs::write(site.release_file("bookworm-20240102.toml"), daily).unwrap();

    let ran = publish(&cloud, &site, &format!("{LINE} --json")).expect(0);
    let before = cloud.requests().len();
    let again = publish(&cloud, &site, &format!("{LINE} --json")).expect(0);
    let asked = cloud.requests().split_off(before);
    let daily = publish(&cloud, &site, &format!("{DAILY} --json")).expect(0);
    Published { cloud, site, ran, daily, again, asked }
});

/// What boto3 finds in the accounts.
static FOUND: LazyLock<BTreeMap<String, Account>> =
    LazyLock::new(|| PUBLISHED.cloud.holdings(&[ACCOUNT, RELEASES, DAILIES], &REGIONS));

fn released() -> [(&'static str, &'static Holdings); 3] {
    REGIONS.map(|region| (region, &FOUND[RELEASES].regions[region]))
}

#[test]
#[ignore = "needs what tests/run installs"]
fn boto3_finds_one_public_image_and_its_parameters_in_each_region() {
    for (region, here) in released() {
        let ([image], [snapshot]) = (&here.images[..], &here.snapshots[..]) else { panic!("{region}: {here:#?}") };
        assert_eq!((image.name.as_str(), image.state.as_str(), image.public), (NAME, "available", true));
        assert_eq!(
            (image.launch.as_slice(), snapshot.create_volume.as_slice()),
            (&["all".to_owned()][..], &["all".to_owned()][..])
        );
        let attributes = (image.boot_mode.as_deref(), image.imds.as_deref(), image.architecture.as_str(), image.ena);
        assert_eq!(attributes, (Some("uefi"), Some("v2.0"), "x86_64", Some(true)), "{region}");
        assert_eq!(image.protection.as_deref(), Some("enabled-without-cooldown"), "{region}");
        let device = &image.devices[0]["Ebs"];
        assert_eq!((&device["SnapshotId"], &device["VolumeType"]), (&json!(snapshot.id), &json!("gp3")), "{device}");
        let digest = format!("sha256:{}", images::tiny().raw.sha256);
        for tags in [&image.tags, &snapshot.tags] {
            assert_eq!((tags["cloud-publish-release"].as_str(), &tags["cloud-publish-digest"]), (RELEASE, &digest));
        }
        let parameters: Vec<_> =
            here.parameters.iter().map(|found| (found.name.as_str(), found.value.as_str())).collect();
        let prefix = "/debian/release/bookworm/genericcloud";
        let wanted = ["20240101-1614", "latest"].map(|version| (format!("{prefix}/{version}/amd64"), &image.id));
        assert_eq!(parameters, wanted.each_ref().map(|(name, id)| (name.as_str(), id.as_str())), "{region}");
        assert!(here.parameters.iter().all(|found| found.kind == "aws:ec2:image"), "{here:#?}");
    }
}

#[test]
#[ignore = "needs what tests/run installs"]
fn coldsnap_reads_the_same_bytes_back_from_home_and_from_a_copy_and_they_boot() {
    let published = &*PUBLISHED;
    for (region, here) in [released()[0], released()[1]] {
        let back = published.site.path(&format!("{region}.raw"));
        let mut command = aws_clients::command(aws_clients::coldsnap(), &[]);
        published.cloud.lead(&mut command, RELEASES);
        command.args(["--region", region, "--endpoint", published.cloud.url(), "download", "--no-progress"]);
        let done = command.arg(&here.snapshots[0].id).arg(&back).output();
        let done = done.unwrap_or_else(|error| panic!("coldsnap: {error}: start the tests with tests/run"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        cut_zeros(&back, fs::metadata(&images::tiny().raw.path).unwrap().len());
        assert_eq!(foreign::sha512(&back), images::tiny().raw.sha512, "{region}");
        let line = boot::boots(&back).unwrap_or_else(|console| panic!("{region}: {console}"));
        assert!(line.starts_with(MARKER), "{line}");
    }
}

/// A volume has whole GiB: what follows the disk must be zeros, and goes.
fn cut_zeros(file: &Path, length: u64) {
    let mut open = File::options().read(true).write(true).open(file).unwrap();
    open.seek(SeekFrom::Start(length)).unwrap();
    let mut some = vec![0; 1 << 20];
    loop {
        let read = open.read(&mut some).unwrap();
        if read == 0 {
            break;
        }
        assert!(some[..read].iter().all(|byte| *byte == 0), "something follows the disk");
    }
    open.set_len(length).unwrap();
}

#[test]
#[ignore = "needs what tests/run installs"]
fn verify_proves_every_image_correct() {
    let lines = PUBLISHED.publish(&format!("verify --prove=all {LINE} --json")).expect(0).lines();
    let rows: Vec<&Value> = lines.iter().filter(|line| line["event"] == "checked").collect();
    assert_eq!(rows.len(), 3, "{lines:?}");
    for row in rows {
        assert_eq!((&row["verdict"], &row["differences"]), (&json!("correct"), &json!([])), "{row}");
        assert!(row["proof"].is_object(), "{row}");
    }
}

#[test]
#[ignore = "needs what tests/run installs"]
fn the_same_line_again_writes_nothing_and_costs_one_survey_per_region() {
    let published = &*PUBLISHED;
    assert_eq!(published.again.summary(), published.ran.summary());
    let steps = published.again.lines().into_iter().filter(|line| line["event"] == "step_started").count();
    assert_eq!(steps, 0);
    let writes: Vec<_> = published.asked.iter().filter(|entry| entry.write).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    for region in REGIONS {
        let lists = ["DescribeImages", "DescribeSnapshots"].map(|name| {
            let fits = |entry: &&Entry| entry.region == region && entry.operation == name;
            published.asked.iter().filter(fits).count()
        });
        assert_eq!(lists, [1, 1], "{region}");
    }
    let calls: BTreeMap<&str, usize> = published.asked.iter().fold(BTreeMap::new(), |mut calls, entry| {
        *calls.entry(entry.operation.as_str()).or_default() += 1;
        calls
    });
    assert!(published.asked.len() <= 5 + 3 * 6, "{calls:?}");
}

#[test]
#[ignore = "needs what tests/run installs"]
fn find_prints_the_ids_that_boto3_shows() {
    let found = PUBLISHED.publish("find --target aws --json").expect(0).lines();
    let found: BTreeMap<_, _> =
        found.iter().map(|row| (row["region"].as_str().unwrap(), row["id"].as_str().unwrap())).collect();
    let shown: BTreeMap<_, _> = released().map(|(region, here)| (region, here.images[0].id.as_str())).into();
    assert_eq!(found, shown);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn daily_builds_have_an_account_of_their_own_and_who_builds_has_nothing() {
    let daily = &FOUND[DAILIES];
    let names = REGIONS.map(|region| {
        let here = &daily.regions[region];
        assert_eq!(here.images.len(), here.snapshots.len(), "{here:#?}");
        here.images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>()
    });
    let name = "debian-12-genericcloud-amd64-daily-20240102-1615";
    assert_eq!(names, [vec![name], vec![name], vec![]]);
    let summary = PUBLISHED.daily.summary();
    assert_eq!(summary["images"].as_array().unwrap().len(), 2, "{summary}");
    for here in FOUND[ACCOUNT].regions.values() {
        assert!(here.images.is_empty() && here.snapshots.is_empty() && here.parameters.is_empty(), "{here:#?}");
    }
    let assumed = PUBLISHED.cloud.requests().into_iter().filter(|entry| entry.operation == "AssumeRole").count();
    assert!(assumed >= 2, "{assumed}");
}

#[test]
#[ignore = "needs what tests/run installs"]
fn every_request_is_as_aws_has_it_and_in_the_policy() {
    let violations = judge::violations(PUBLISHED.cloud.url());
    assert!(violations.is_empty(), "{violations:#?}");
    let features = [Feature::Publish, Feature::Prove, Feature::Roles];
    let allowed: BTreeSet<&str> = features.into_iter().flat_map(actions).map(|action| action.name).collect();
    // Who reads snapshots back with coldsnap needs another permission; it has no role.
    let ours = PUBLISHED.cloud.requests().into_iter().filter(|entry| entry.role.is_some() || entry.account == ACCOUNT);
    let used: BTreeSet<String> = ours.flat_map(|entry| entry.actions).collect();
    assert!(used.contains("ebs:PutSnapshotBlock") && used.contains("sts:AssumeRole"), "{used:?}");
    let missing: Vec<_> = used.iter().filter(|name| !allowed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
