//! A small release of one artifact, a fake AWS, and what it has, told by boto3.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use cloud_publish_tests::aws::ACCOUNT;
use cloud_publish_tests::aws_site::Cloud;
use cloud_publish_tests::judge::Account;
use cloud_publish_tests::running::Running;
use cloud_publish_tests::site::{Artifact, Ran, Site};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What every run is told.
pub(crate) const LINE: &str = "--release bookworm-20240101 --to aws --json";

/// The home region and those that it copies to.
pub(crate) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "us-west-2"];

/// Another account, which nothing of ours must ever reach.
pub(crate) const BYSTANDER: &str = "222222222222";

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.aws]
provider = "aws"
account = "111111111111"
home_region = "us-east-1"
regions = ["us-east-1", "eu-west-1", "us-west-2"]
visibility = "public"
snapshots = "as-image"
parameters = ["/debian/{suite}/{variant}/{version}/{arch}", "/debian/{suite}/{variant}/latest/{arch}"]
"#;

/// Staging through a bucket instead: what it adds to the target.
pub(crate) const IMPORT: &str = "upload = \"s3-import\"\nimport.bucket = \"staging\"\n";

const DISK: usize = 12 << 20;

const BLOCK: usize = 512 << 10;

/// What happens to the request at which a run is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// It has no effect.
    Before,
    /// It took effect, and its answer is lost.
    After,
}

/// One publisher's machine, and the cloud.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) site: Site,
    pub(crate) cloud: Arc<Cloud>,
    /// The cloud's settings to begin anew with.
    settings: Value,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("", json!({}))
    }

    /// With further keys of the target, and settings of the cloud replaced as JSON merge patch does.
    pub(crate) fn with(keys: &str, settings: Value) -> Self {
        let settings = Self::settings(settings);
        let cloud = Arc::new(Cloud::start(settings.clone()));
        Self::at(cloud, &format!("{CONFIG}{keys}"), settings)
    }

    /// With texts of publish.toml replaced.
    pub(crate) fn changed(changes: &[(&str, &str)], settings: Value) -> Self {
        let mut config = CONFIG.to_owned();
        for (from, to) in changes {
            assert!(config.contains(from), "publish.toml has no {from}");
            config = config.replace(from, to);
        }
        let settings = Self::settings(settings);
        Self::at(Arc::new(Cloud::start(settings.clone())), &config, settings)
    }

    /// Another machine at the same cloud, with a state of its own.
    pub(crate) fn beside(other: &Self) -> Self {
        let config = fs::read_to_string(other.site.path("publish.toml")).unwrap();
        Self::at(Arc::clone(&other.cloud), &config, other.settings.clone())
    }

    fn at(cloud: Arc<Cloud>, config: &str, settings: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(folder.path(), config);
        let variant = "genericcloud";
        fs::write(site.release_file("disk.raw"), disk()).unwrap();
        site.add(Artifact { variant, file: "disk.raw", format: "raw", boot: "uefi-preferred", build_manifest: None });
        Self { folder, site, cloud, settings }
    }

    /// A bucket to stage in, if anybody does, and what the test wants.
    fn settings(patch: Value) -> Value {
        let mut settings = json!({"s3": {"buckets": {"staging": [ACCOUNT, REGIONS[0]]}}});
        settings.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        settings
    }

    /// Dates the release today.
    pub(crate) fn date_today(&self) {
        let path = self.site.release_file("bookworm-20240101.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        let today = Timestamp::now().strftime("%Y-%m-%dT00:00:00Z").to_string();
        fs::write(path, manifest.replace("2024-01-01T00:00:00Z", &today)).unwrap();
    }

    /// Nothing was published and nothing is known.
    pub(crate) fn begin_anew(&self) {
        self.cloud.reset(self.settings.clone());
        self.lose_state();
    }

    pub(crate) fn lose_state(&self) {
        let _ = fs::remove_dir_all(self.site.path("state"));
    }

    /// Starts to publish, writing what is printed into files of this name.
    pub(crate) fn start(&self, name: &str) -> Running {
        self.start_line(LINE, name)
    }

    pub(crate) fn publish(&self) -> Ran {
        self.run(LINE)
    }

    /// Runs the binary with these words.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.start_line(line, "run").wait()
    }

    fn start_line(&self, line: &str, name: &str) -> Running {
        let mut command = self.site.command(line);
        self.cloud.lead(&mut command, ACCOUNT);
        Running::start(command, self.folder.path(), name)
    }

    /// Runs again until it is done, which may take so many more times.
    pub(crate) fn finish(&self, more: usize) {
        let mut ran = self.publish();
        for _ in 0..more {
            if ran.code != Some(0) {
                ran = self.publish();
            }
        }
        ran.expect(0);
    }

    /// Starts a run and kills it at its n-th request; tells whether it came that far.
    pub(crate) fn kill_at(&self, number: usize, moment: Moment) -> bool {
        let what = match moment {
            Moment::Before => "hang",
            Moment::After => "stall",
        };
        self.cloud.hurt(json!([{"nth": number, "what": {what: 60_000}}]));
        let mut run = self.start("killed");
        let reached = || self.cloud.world().requests().len() >= number;
        while !reached() && !run.has_ended() {
            sleep(Duration::from_millis(2));
        }
        let killed = run.kill();
        self.cloud.hurt(json!([]));
        killed && reached()
    }

    /// What both accounts have, without ids and times.
    pub(crate) fn seen(&self) -> BTreeMap<String, Account> {
        self.cloud.comparable(&[ACCOUNT, BYSTANDER], &REGIONS)
    }

    /// Asserts that whatever became public did so when every region had its available image.
    pub(crate) fn assert_nothing_public_early(&self, at: &str) {
        let state = self.cloud.world().dump();
        let delays = self.cloud.world().settings().delays;
        let ready = |region: &str| -> Option<Timestamp> {
            let images = state["ec2"]["images"].as_array().unwrap();
            let image = images.iter().find(|image| image["region"] == region && image["owner"] == ACCOUNT)?;
            let created: Timestamp = image["created"].as_str().unwrap().parse().unwrap();
            let delay = if region == REGIONS[0] { delays.image_available } else { delays.copy };
            Some(created + SignedDuration::from_millis(delay.try_into().unwrap()))
        };
        for exposure in self.cloud.world().exposures().iter().filter(|exposure| exposure.sharing.contains("all")) {
            for region in REGIONS {
                let in_time = ready(region).is_some_and(|ready| ready <= exposure.time);
                assert!(in_time, "{at}: {exposure:?} before {region} was ready: {state:#}");
            }
        }
    }
}

/// Some blocks of data with a hole between them, and the last one not whole.
fn disk() -> Vec<u8> {
    let mut bytes = vec![0; DISK - BLOCK / 2];
    for block in [0, 1, 2, 7, 8, 20, 23] {
        let end = bytes.len().min((block + 1) * BLOCK);
        for (at, byte) in bytes[block * BLOCK..end].iter_mut().enumerate() {
            *byte = (at % 251) as u8 ^ (at >> 16) as u8 ^ block as u8 ^ 1;
        }
    }
    bytes
}
