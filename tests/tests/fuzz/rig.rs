//! A release, a directory to publish it to, and a state, all in this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloud_publish_core::clock::FastClock;
use cloud_publish_core::digest::hex;
use cloud_publish_core::error::Result;
use cloud_publish_core::event::Silent;
use cloud_publish_core::execute::NoGate;
use cloud_publish_core::local::{Local, LocalConfig, LocalSettings};
use cloud_publish_core::manifest::{Config, ProviderSchema, Release};
use cloud_publish_core::publisher::Probe;
use cloud_publish_core::run::{Environment, Options, Prepared, Request, Summary, Target, carry_out, prepare};
use jiff::Timestamp;
use object_store::ObjectStore;
use sha2::{Digest as _, Sha512};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The release.
pub(crate) const RELEASE: &str = "bookworm-20240101";
/// The files of its folder.
pub(crate) const FILES: [&str; 3] = ["disk", "bookworm-20240101.toml", "build.json"];

const BUILD: &str = r#"{"apiVersion":"v1","items":[{"apiVersion":"cloud.debian.org/v1alpha1","data":{"info":{
"arch":"amd64","release":"bookworm","release_id":"12","type":"official","vendor":"genericcloud","version":"20240101-1614"},
"packages":[{"name":"base-files","version":"12.4"}]},"kind":"Build","metadata":{"labels":{"debian.org/arch":"amd64"},
"uid":"5e1f0f4c-0d55-4b5e-9c0a-c10d9b13c0b0"}}],"kind":"List"}"#;

/// The place of one publication.
pub(crate) struct Rig {
    site: TempDir,
    releases: PathBuf,
    runtime: Runtime,
}

impl Rig {
    /// Publishes the file `disk` of a folder.
    pub(crate) fn new(releases: &Path) -> Self {
        let site = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(releases.join("build.json"), BUILD).unwrap();
        Self { site, releases: releases.to_owned(), runtime: Runtime::new().unwrap() }
    }

    /// The image as given.
    pub(crate) fn image(&self) -> Vec<u8> {
        fs::read(self.releases.join("disk")).unwrap()
    }

    /// The directory that is published to.
    pub(crate) fn public(&self) -> PathBuf {
        self.site.path().join("public")
    }

    /// The directory beside it.
    pub(crate) fn work(&self) -> PathBuf {
        self.site.path().join("public.work")
    }

    /// Writes the manifest for the disk as it is now.
    pub(crate) fn write_manifest(&self, format: &str) {
        let sha512 = hex(&Sha512::digest(self.image()));
        let manifest = format!(
            "schema = 1\nname = \"{RELEASE}\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\nversion = \"20240101-1614\"\n\
             class = \"release\"\ndate = 2024-01-01T00:00:00Z\n[[artifact]]\nvariant = \"genericcloud\"\n\
             arch = \"amd64\"\nfile = \"disk\"\nformat = \"{format}\"\nsha512 = \"{sha512}\"\nboot = \"uefi\"\n\
             build_manifest = \"build.json\"\n"
        );
        fs::write(self.releases.join(FILES[1]), manifest).unwrap();
    }

    fn request(&self) -> Result<(Arc<Config>, Request)> {
        let text = format!(
            "schema = 1\nowner = \"debian\"\nreleases = {:?}\nstate = \"state\"\n[target.local]\nprovider = \"local\"\n\
             path = \"public\"\n",
            self.releases
        );
        let config =
            Config::parse(&self.site.path().join("publish.toml"), &text, &[ProviderSchema::of::<LocalConfig>()]);
        let config = Arc::new(config.expect("a configuration"));
        let own = config.targets.values().next().expect("a target").clone();
        let keys: LocalConfig = own.own()?;
        let publisher = Local::new(LocalSettings {
            target: own.name.clone(),
            owner: config.owner.clone(),
            path: keys.path,
            formats: keys.formats,
            base_url: keys.base_url,
        })?;
        let targets = vec![Target { config: own, publisher: Arc::new(publisher) }];
        let release = Release::find(&self.releases, &RELEASE.parse()?)?;
        Ok((config, Request { release, targets, options: Options { no_wait: true, ..Options::default() } }))
    }

    fn environment(&self, config: Arc<Config>, state: Arc<dyn ObjectStore>) -> Environment {
        let clock = Arc::new(FastClock::new(Timestamp::UNIX_EPOCH, 1000));
        let (reporter, gate) = (Arc::new(Silent), Arc::new(NoGate));
        Environment { config, state, gate, reporter, clock, stop: CancellationToken::new() }
    }

    /// Plans.
    pub(crate) fn look(&self, state: Arc<dyn ObjectStore>) -> Result<Prepared> {
        let (config, request) = self.request()?;
        let environment = self.environment(config, state);
        self.runtime.block_on(prepare(&environment, &request))
    }

    /// Publishes.
    pub(crate) fn publish(&self, state: Arc<dyn ObjectStore>) -> Result<Summary> {
        let (config, request) = self.request()?;
        let environment = self.environment(config, state);
        self.runtime.block_on(async {
            let prepared = prepare(&environment, &request).await?;
            let preflight = prepared.preflight(&environment, Probe::MayWrite).await?;
            carry_out(&environment, &request, prepared, preflight).await
        })
    }

    /// Runs something asynchronous.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }
}

/// Every file below a folder, with its path in it.
pub(crate) fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            match fs::symlink_metadata(&path).unwrap() {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() => {
                    found.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}
