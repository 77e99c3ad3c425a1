//! A release, a configuration, a state store and clouds that outlive every run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use cloud_publish_core::clock::{Clock, FastClock};
use cloud_publish_core::digest::hex;
use cloud_publish_core::error::Result;
use cloud_publish_core::event::{Event, Reporter};
use cloud_publish_core::execute::Gate;
use cloud_publish_core::gate::CommandGate;
use cloud_publish_core::manifest::{Config, ProviderConfig, ProviderSchema, Release, Visibility};
use cloud_publish_core::memory::{ImageRecord, MemoryCloud, MemoryPublisher, MemorySettings};
use cloud_publish_core::names::{Account, Region};
use cloud_publish_core::publisher::{Probe, Replication, WantedRegion};
use cloud_publish_core::run::{Environment, Options, Request, Summary, Target, carry_out, prepare};
use cloud_publish_core::survey::FoundPointer;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The keys of a target in memory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemoryConfig {
    /// The account.
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

/// Keeps every event.
#[derive(Debug, Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

impl Reporter for Events {
    fn report(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// What users and auditors see of one image in the end: nothing that may differ from run to run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) visibility: Visibility,
    pub(crate) published: bool,
    pub(crate) tags: BTreeMap<String, String>,
}

pub(crate) struct World {
    folder: TempDir,
    pub(crate) cloud: MemoryCloud,
    pub(crate) clock: Arc<FastClock>,
    pub(crate) events: Arc<Events>,
    pub(crate) replication: Replication,
    pub(crate) options: Options,
    /// Accounts, one target each, called `t-ACCOUNT`.
    pub(crate) accounts: Vec<&'static str>,
    together: &'static str,
    artifacts: Vec<&'static str>,
    /// How often each marketplace listing answers "pending".
    pub(crate) listings: BTreeMap<&'static str, u32>,
    /// Further keys of every target.
    keys: String,
    /// A gate instead of the commands of the configuration.
    pub(crate) gate: Option<Arc<dyn Gate>>,
    /// Replicas can be used by others the moment they exist.
    pub(crate) replicas_are_visible: bool,
}

pub(crate) const REGIONS: [&str; 3] = ["one", "two", "far"];
/// The last one is best-effort.
const BEST_EFFORT: &str = "far";

impl World {
    pub(crate) fn new(replication: Replication) -> Self {
        let clock = Arc::new(FastClock::new("2024-01-02T00:00:00Z".parse().unwrap(), 2_000));
        let world = Self {
            folder: TempDir::new().unwrap(),
            cloud: MemoryCloud::with_clock(clock.clone()),
            clock,
            events: Arc::default(),
            replication,
            options: Options::default(),
            accounts: vec!["acc"],
            together: "artifact",
            artifacts: vec!["genericcloud"],
            listings: BTreeMap::new(),
            keys: String::new(),
            gate: None,
            replicas_are_visible: false,
        };
        world.write("bookworm-20240101", "20240101-1614", "2024-01-01");
        world
    }

    pub(crate) fn with_accounts(mut self, accounts: &[&'static str]) -> Self {
        self.accounts = accounts.to_vec();
        self
    }

    /// Adds keys to every target; `TARGET` stands for its name.
    pub(crate) fn with_keys(mut self, keys: &str) -> Self {
        self.keys = keys.to_owned();
        self
    }

    /// Two artifacts, published together or each on its own.
    pub(crate) fn with_two_artifacts(mut self, together: &'static str) -> Self {
        self.artifacts = vec!["genericcloud", "nocloud"];
        self.together = together;
        self.write("bookworm-20240101", "20240101-1614", "2024-01-01");
        self
    }

    /// Writes a release's manifest and its disks.
    pub(crate) fn write(&self, name: &str, version: &str, date: &str) {
        let mut manifest = format!(
            "schema = 1\nname = \"{name}\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\nversion = \"{version}\"\n\
             class = \"release\"\ndate = {date}T00:00:00Z\n"
        );
        for (index, variant) in self.artifacts.iter().enumerate() {
            let file = format!("{variant}-{version}.raw");
            let disk = disk(name, u8::try_from(index).unwrap() + 1);
            std::fs::write(self.path().join(&file), &disk).unwrap();
            let sha256 = hex(&Sha256::digest(&disk));
            manifest.push_str(&format!(
                "[[artifact]]\nvariant = \"{variant}\"\narch = \"amd64\"\nfile = \"{file}\"\nformat = \"raw\"\n\
                 sha256 = \"{sha256}\"\nboot = \"uefi\"\n"
            ));
        }
        std::fs::write(self.path().join(format!("{name}.toml")), manifest).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> Config {
        let mut text = String::from("schema = 1\nowner = \"debian\"\nreleases = \".\"\nstate = \"state\"\n");
        let regions: Vec<&str> = self.required().collect();
        for account in &self.accounts {
            let best_effort: Vec<&str> = if self.regions().len() > 1 { vec![BEST_EFFORT] } else { Vec::new() };
            text.push_str(&format!(
                "[target.t-{account}]\nprovider = \"memory\"\naccount = \"{account}\"\nvisibility = \"public\"\n\
                 regions = {regions:?}\nbest_effort = {best_effort:?}\npublish_together = \"{}\"\n{}",
                self.together,
                self.keys.replace("TARGET", &format!("t-{account}"))
            ));
        }
        let schemas = [ProviderSchema::of::<MemoryConfig>()];
        Config::parse(&self.path().join("publish.toml"), &text, &schemas).unwrap()
    }

    pub(crate) fn regions(&self) -> &'static [&'static str] {
        if self.replication == Replication::None { &REGIONS[..1] } else { &REGIONS }
    }

    fn required(&self) -> impl Iterator<Item = &'static str> {
        self.regions().iter().copied().filter(|region| *region != BEST_EFFORT)
    }

    /// A new machine: new clients of the same clouds.
    pub(crate) fn request(&self, release: &str) -> (Config, Request) {
        let config = self.config();
        let wanted = |name: &&str| WantedRegion { region: region(name), required: *name != BEST_EFFORT };
        let target = |account: &&str| {
            let mut settings = MemorySettings::new(
                format!("t-{account}").parse().unwrap(),
                account.parse().unwrap(),
                config.owner.clone(),
                self.regions().iter().map(wanted).collect(),
                self.replication,
            )
            .unwrap();
            settings.capability.replicas_are_visible = self.replicas_are_visible;
            settings.listings = self.listings.keys().map(|name| (*name).to_owned()).collect();
            settings.reviews = self.listings.values().copied().max().unwrap_or_default();
            Target {
                config: config.targets[&format!("t-{account}").parse().unwrap()].clone(),
                publisher: Arc::new(MemoryPublisher::new(&self.cloud, settings).unwrap()),
            }
        };
        let request = Request {
            release: Release::find(self.path(), &release.parse().unwrap()).unwrap(),
            targets: self.accounts.iter().map(target).collect(),
            options: self.options,
        };
        (config, request)
    }

    pub(crate) fn environment(&self, config: Config, state: Arc<dyn ObjectStore>) -> Environment {
        let gate: Arc<dyn Gate> = self.gate.clone().unwrap_or_else(|| Arc::new(CommandGate::new(&config)));
        Environment {
            config: Arc::new(config),
            state,
            gate,
            reporter: self.events.clone(),
            clock: self.clock.clone() as Arc<dyn Clock>,
            stop: CancellationToken::new(),
        }
    }

    /// One run of `publish --release RELEASE` on a machine with this state.
    pub(crate) async fn publish_release(&self, release: &str, state: &Arc<dyn ObjectStore>) -> Result<Summary> {
        let (config, request) = self.request(release);
        self.run(&self.environment(config, state.clone()), &request).await
    }

    /// One run of a request that may have other targets or another environment.
    pub(crate) async fn run(&self, environment: &Environment, request: &Request) -> Result<Summary> {
        let prepared = prepare(environment, request).await?;
        let preflight = prepared.preflight(environment, Probe::MayWrite).await?;
        carry_out(environment, request, prepared, preflight).await
    }

    pub(crate) async fn publish(&self, state: &Arc<dyn ObjectStore>) -> Result<Summary> {
        self.publish_release("bookworm-20240101", state).await
    }

    /// All images of all accounts, as the cloud has them.
    pub(crate) fn images(&self) -> Vec<(String, ImageRecord)> {
        let of = |account: &&str| {
            let images = self.cloud.images(&account.parse::<Account>().unwrap());
            let account = (*account).to_owned();
            images.into_iter().map(move |image| (account.clone(), image))
        };
        self.accounts.iter().flat_map(of).collect()
    }

    /// Where the pointers whose names end like this lead, in every region of the first account.
    pub(crate) fn pointers(&self, end: &str) -> Vec<FoundPointer> {
        let all = self.cloud.pointers(&self.accounts[0].parse().unwrap());
        all.into_iter().filter(|pointer| pointer.name.as_str().ends_with(&format!("/{end}"))).collect()
    }

    /// What is there, without what may differ: ids and times.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let mut all: Vec<Seen> = self
            .images()
            .into_iter()
            .map(|(account, image)| {
                let mut tags = image.tags.clone();
                let published = tags.remove("cloud-publish-published").is_some();
                let region = image.region.to_string();
                Seen { account, region, name: image.name, visibility: image.visibility, published, tags }
            })
            .collect();
        all.sort();
        all
    }

    /// Staged bytes from which no image was made: orphans, once nothing runs.
    pub(crate) fn orphans(&self) -> Vec<String> {
        let of = |account: &&str| self.cloud.staged(&account.parse().unwrap());
        let staged = self.accounts.iter().flat_map(of);
        let used: Vec<Option<String>> = self.images().into_iter().map(|(_, image)| image.staged).collect();
        staged.filter(|staged| !used.contains(&Some(staged.id.clone()))).map(|staged| staged.id).collect()
    }

    /// Asserts that nobody could use an image before every required region had its image.
    pub(crate) fn assert_nothing_public_early(&self) {
        for exposure in self.cloud.exposures() {
            let account = exposure.account.to_string();
            for wanted in self.required() {
                let there = self.images().into_iter().any(|(whose, image)| {
                    whose == account && image.name == exposure.name && image.region.as_str() == wanted
                });
                assert!(there, "{} public in {} although {wanted} has none", exposure.name, exposure.region);
            }
        }
        // A region's image must have been made before anything became public, not just some time.
        let first_public = self.cloud.exposures().iter().map(|exposure| exposure.since_request).min();
        let writes = self.cloud.writes();
        let late = writes.iter().find(|write| {
            Some(write.number) > first_public
                && write.call.starts_with("create image")
                && write.region.as_ref().is_some_and(|region| self.required().any(|name| name == region.as_str()))
        });
        assert!(
            late.is_none() || first_public.is_none() || self.accounts.len() > 1,
            "made after publication: {late:?}"
        );
    }
}

/// 1 MiB with content that depends on release and artifact, half of it zeros.
fn disk(name: &str, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    for (at, byte) in bytes[..1 << 19].iter_mut().enumerate() {
        *byte = (at % 251) as u8 ^ seed ^ name.as_bytes()[at % name.len()];
    }
    bytes
}

pub(crate) fn region(name: &str) -> Region {
    name.parse().unwrap()
}

pub(crate) fn store() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

pub(crate) const ALL: [Replication; 4] =
    [Replication::Independent, Replication::PerRegion, Replication::Batch, Replication::None];
