//! How long a distribution's release takes at an AWS that takes its time: twelve images in 34 regions, one account.
//!
//! The shortest possible time is what AWS takes for one image from its upload to its parameters, however many images and
//! regions there are, and what this machine has to do for all of them. The latter is measured, as a run in which nothing
//! takes time; the rest is known, because the fake takes it. Delays and the program's own pauses pass faster than in
//! reality, both by the same factor, so that asking too seldom costs as much of the whole as it would there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloud_publish_aws::{Aws, AwsSettings, Credentials, SdkConfig, SharedCredentialsProvider};
use cloud_publish_core::clock::FastClock;
use cloud_publish_core::digest::hex;
use cloud_publish_core::event::Silent;
use cloud_publish_core::execute::NoGate;
use cloud_publish_core::ledger::local_store;
use cloud_publish_core::manifest::{Config, Release};
use cloud_publish_core::publisher::Probe;
use cloud_publish_core::run::{Environment, Options, Request, RunOutcome, Target, carry_out, prepare};
use cloud_publish_tests::aws::{ACCOUNT, FakeAws, REGION};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::aws::world;

const REGIONS: usize = 34;
const IMAGES: u8 = 12;

/// How much faster than in reality time passes.
const FASTER: u32 = 10;

/// What AWS takes for one image, in milliseconds and in this order: a snapshot of a few GiB, its registration, its copy
/// to another region, and the check of a parameter.
const DELAYS: [(&str, u32); 4] =
    [("snapshot_completion", 15_000), ("image_available", 6_000), ("copy", 300_000), ("parameter_validation", 3_000)];

fn regions() -> Vec<String> {
    let others = (1..REGIONS).map(|number| format!("far-away-{number}"));
    [REGION.to_owned()].into_iter().chain(others).collect()
}

/// An AWS with all these regions and the documented limits, but room for public images.
fn slow_world(slow: bool) -> FakeAws {
    let slowly = DELAYS.into_iter().filter(|_| slow).map(|(name, takes)| (name.to_owned(), json!(takes / FASTER)));
    let regions = regions().into_iter().map(|name| (name, json!({"partition": "aws"})));
    let (delays, regions): (Value, Value) = (slowly.collect(), regions.collect());
    world(json!({"delays": delays, "regions": regions, "quotas": {"public_images": 100}}))
}

fn config(folder: &Path) -> Config {
    let text = format!(
        r#"schema = 1
owner = "debian"
releases = "."
state = "state"
[target.aws]
provider = "aws"
home_region = "{REGION}"
regions = {:?}
visibility = "public"
snapshots = "as-image"
parameters = ["/debian/{{suite}}/{{variant}}/{{version}}/{{arch}}", "/debian/{{suite}}/{{variant}}/latest/{{arch}}"]
"#,
        regions()
    );
    Config::parse(&folder.join("publish.toml"), &text, &[cloud_publish_aws::provider_schema()]).unwrap()
}

/// The manifest of a release of small disks, beside them.
fn write_release(folder: &Path) {
    let mut manifest = "schema = 1\nname = \"bookworm-20240101\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\n\
                        version = \"20240101-1614\"\nclass = \"release\"\ndate = 2024-01-01T00:00:00Z\n"
        .to_owned();
    for number in 1..=IMAGES {
        let disk = vec![number; 1 << 20];
        fs::write(folder.join(format!("{number}.raw")), &disk).unwrap();
        let sha256 = hex(&Sha256::digest(&disk));
        write!(
            manifest,
            "[[artifact]]\nvariant = \"v{number}\"\narch = \"amd64\"\nfile = \"{number}.raw\"\nformat = \"raw\"\n\
             sha256 = \"{sha256}\"\nboot = \"uefi-preferred\"\n"
        )
        .unwrap();
    }
    fs::write(folder.join("bookworm-20240101.toml"), manifest).unwrap();
}

fn target(fake: &FakeAws, config: &Config) -> Target {
    let key = Credentials::builder().access_key_id(format!("AKIA{ACCOUNT}TEST")).secret_access_key("any");
    let credentials = SharedCredentialsProvider::new(key.provider_name("test").build());
    let sdk = SdkConfig::builder().endpoint_url(&fake.url).credentials_provider(credentials).build();
    let target = config.targets[&"aws".parse().unwrap()].clone();
    let settings = AwsSettings {
        target: target.name.clone(),
        owner: config.owner.clone(),
        config: target.own().unwrap(),
        regions: target.regions.clone(),
        best_effort: Vec::new(),
        deny: Vec::new(),
        sdk: Some(sdk),
    };
    Target { config: target, publisher: Arc::new(Aws::new(settings)) }
}

/// Publishes all of it, with a ledger on a real disk; how long that took.
async fn publish(slow: bool) -> Duration {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write_release(folder.path());
    let (fake, config) = (slow_world(slow), config(folder.path()));
    let request = Request {
        release: Release::find(folder.path(), &"bookworm-20240101".parse().unwrap()).unwrap(),
        targets: vec![target(&fake, &config)],
        options: Options::default(),
    };
    let environment = Environment {
        config: Arc::new(config),
        state: local_store(&folder.path().join("state")).unwrap(),
        gate: Arc::new(NoGate),
        reporter: Arc::new(Silent),
        clock: Arc::new(FastClock::new(Timestamp::now(), FASTER)),
        stop: CancellationToken::new(),
    };
    let begun = Instant::now();
    let prepared = prepare(&environment, &request).await.unwrap();
    let preflight = prepared.preflight(&environment, Probe::MayWrite).await.unwrap();
    let summary = carry_out(&environment, &request, prepared, preflight).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(summary.outcome, RunOutcome::Complete, "{summary:?}");
    assert_eq!(summary.images.len(), REGIONS * usize::from(IMAGES));
    let requests = fake.world.requests();
    let polls = requests.iter().filter(|entry| entry.operation == "DescribeImages").count();
    println!("{:.2} s, {} requests, {polls} of them DescribeImages", took.as_secs_f64(), requests.len());
    took
}

/// Times are printed for people to compare: machines differ.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes long: run by tests/run --full"]
async fn benchmark_of_a_release_in_all_regions_against_its_critical_path() {
    println!("\n{IMAGES} images in {REGIONS} regions, {FASTER} times as fast as in reality");
    print!("where nothing takes time:  ");
    let local = publish(false).await;
    print!("where copies take minutes: ");
    let whole = publish(true).await;
    let waited = Duration::from_millis(DELAYS.iter().map(|(_, delay)| u64::from(*delay)).sum()) / FASTER;
    let path = local + waited;
    println!(
        "critical path {:.2} s ({:.2} s here, {:.2} s at AWS); makespan {:.3} of it",
        path.as_secs_f64(),
        local.as_secs_f64(),
        waited.as_secs_f64(),
        whole.as_secs_f64() / path.as_secs_f64()
    );
}
