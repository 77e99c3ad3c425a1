//! Planning: a release of a whole distribution in every region of a cloud.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cloud_publish_core::clock::SystemClock;
use cloud_publish_core::digest::hex;
use cloud_publish_core::error::Result;
use cloud_publish_core::event::Silent;
use cloud_publish_core::execute::NoGate;
use cloud_publish_core::ledger::local_store;
use cloud_publish_core::manifest::{Config, ProviderConfig, ProviderSchema, Release, Visibility};
use cloud_publish_core::memory::{MemoryCloud, MemoryPublisher, MemorySettings};
use cloud_publish_core::plan::{Guard, Permissions, Plan, TargetState};
use cloud_publish_core::publisher::{Replication, WantedRegion};
use cloud_publish_core::run::{Environment, Options, Prepared, Request, Target, prepare};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Row, Runs, folder};

const ARTIFACTS: usize = 200;
const REGIONS: usize = 40;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemoryConfig {
    account: String,
}

impl ProviderConfig for MemoryConfig {
    const PROVIDER: &'static str = "memory";
    const VISIBILITY: Visibility = Visibility::Private;
    const REGIONS: bool = true;

    fn place(&self) -> String {
        self.account.clone()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Small disks, and the manifest that names them.
fn write_release(folder: &Path) {
    let mut manifest = "schema = 1\nname = \"bookworm-20240101\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\n\
                        version = \"20240101-1614\"\nclass = \"release\"\ndate = 2024-01-01T00:00:00Z\n"
        .to_owned();
    for number in 0..ARTIFACTS {
        let disk = format!("{number:512}");
        fs::write(folder.join(format!("{number}.raw")), &disk).expect("a disk");
        let sha256 = hex(&Sha256::digest(&disk));
        write!(
            manifest,
            "[[artifact]]\nvariant = \"v{number}\"\narch = \"amd64\"\nfile = \"{number}.raw\"\nformat = \"raw\"\n\
             sha256 = \"{sha256}\"\nboot = \"uefi\"\n"
        )
        .expect("text grows");
    }
    fs::write(folder.join("bookworm-20240101.toml"), manifest).expect("a manifest");
}

fn prepared(folder: &Path) -> (Release, Prepared) {
    let text = "schema = 1\nowner = \"debian\"\nreleases = \".\"\nstate = \"state\"\n[target.cloud]\n\
                provider = \"memory\"\naccount = \"acc\"\nregions = [\"r0\"]\nvisibility = \"public\"\n";
    let schemas = [ProviderSchema::of::<MemoryConfig>()];
    let config = Config::parse(&folder.join("publish.toml"), text, &schemas).expect("a configuration");
    let own = config.targets.values().next().expect("a target").clone();
    let wanted = |number| WantedRegion { region: format!("r{number}").parse().expect("a region"), required: true };
    let (name, account) = (own.name.clone(), "acc".parse().expect("an account"));
    let regions = (0..REGIONS).map(wanted).collect();
    let settings = MemorySettings::new(name, account, config.owner.clone(), regions, Replication::PerRegion);
    let clock = Arc::new(SystemClock::new());
    let cloud = MemoryCloud::with_clock(clock.clone());
    let publisher = MemoryPublisher::new(&cloud, settings.expect("settings")).expect("a publisher");
    let release = Release::find(folder, &"bookworm-20240101".parse().expect("a name")).expect("a release");
    let targets = vec![Target { config: own, publisher: Arc::new(publisher) }];
    let request = Request { release: release.clone(), targets, options: Options::default() };
    let environment = Environment {
        config: Arc::new(config),
        state: local_store(&folder.join("state")).expect("a state"),
        reporter: Arc::new(Silent),
        gate: Arc::new(NoGate),
        clock,
        stop: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    (release, runtime.block_on(prepare(&environment, &request)).expect("a plan"))
}

/// What this thread has had of a processor, in milliseconds: planning is one thread that waits for nothing.
fn on_processor() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("what the scheduler knows of this thread");
    let nanoseconds: f64 = text.split_whitespace().next().and_then(|first| first.parse().ok()).expect("nanoseconds");
    nanoseconds / 1e6
}

pub(super) fn rows(runs: &Runs) -> Vec<Row> {
    let folder = folder();
    write_release(folder.path());
    let (release, prepared) = prepared(folder.path());
    let (observed, tombstones, guard) = (&prepared.observed[0], BTreeSet::new(), Guard::default());
    let state = TargetState {
        info: &observed.info,
        desired: &observed.desired,
        survey: &observed.survey,
        tombstones: &tombstones,
        guard: &guard,
        together: observed.together(),
    };
    let plan = || {
        let begun = on_processor();
        let plan = Plan::new(&release.name, &[state], Permissions::default());
        let took = on_processor() - begun;
        assert!(plan.steps.len() >= ARTIFACTS * REGIONS && plan.refusals.is_empty(), "{} steps", plan.steps.len());
        took
    };
    let mut times: Vec<f64> = (0..runs.0).map(|_| plan()).collect();
    times.sort_by(f64::total_cmp);
    vec![Row::alone((format!("plan of {ARTIFACTS} artifacts x {REGIONS} regions"), "CPU ms"), times[runs.0 / 2], 100.0)]
}
