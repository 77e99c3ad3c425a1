//! A program that publishes by itself, without the command: the core, and one provider crate.
//!
//! ```sh
//! cargo run -p cloud-publish-examples --bin embed -- examples/quickstart/publish.toml bookworm-20240101
//! cargo run -p cloud-publish-examples --bin embed -- publish.toml bookworm-20240101 600 ~/.config/openstack/clouds.yaml
//! ```
//!
//! The numbers are seconds after which it stops; Ctrl-C stops it too. Whatever the core needs of the world around it is
//! handed in, and here is all of it: who hears what happens ([`Lines`]), where the ledger is kept ([`InMemory`]), what
//! time it is, what stops the run ([`stop_after`]), and what stands behind a target of publish.toml ([`publisher`]).

use std::env;
use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::path::{Path, absolute};
use std::sync::Arc;
use std::time::Duration;

use cloud_publish_core::clock::SystemClock;
use cloud_publish_core::event::{Event, Reporter};
use cloud_publish_core::gate::CommandGate;
use cloud_publish_core::local::{Local, LocalConfig, LocalSettings};
use cloud_publish_core::manifest::{Config, ProviderSchema, Release, TargetConfig};
use cloud_publish_core::publisher::{Probe, Publisher};
use cloud_publish_core::run::{Environment, Options, Request, RunOutcome, Summary, Target, carry_out, prepare};
use cloud_publish_openstack::{CloudsFile, OpenStack, OpenStackConfig, OpenStackSettings, provider_schema};
use object_store::memory::InMemory;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (file, release, seconds, clouds) = match arguments.as_slice() {
        [file, release] => (file, release, "3600", None),
        [file, release, seconds] => (file, release, seconds.as_str(), None),
        [file, release, seconds, clouds] => (file, release, seconds.as_str(), Some(Path::new(clouds))),
        _ => return Err("usage: embed PUBLISH_TOML RELEASE [SECONDS [CLOUDS_YAML]]".into()),
    };
    // What should be true: two files. Every key that a target may have is known to its provider.
    let config = Config::read(Path::new(file), &[ProviderSchema::of::<LocalConfig>(), provider_schema()])?;
    let release = Release::find(&config.releases, &release.parse()?)?;
    let targets = config.targets.values().map(|target| {
        let publisher = publisher(&config, target, clouds)?;
        Ok(Target { config: target.clone(), publisher })
    });
    let request =
        Request { release, targets: targets.collect::<Result<_, Box<dyn Error>>>()?, options: Options::default() };

    let environment = Environment {
        // The gates of publish.toml; a program may judge images itself.
        gate: Arc::new(CommandGate::new(&config)),
        config: Arc::new(config),
        // Any `object_store` will do; several machines share a bucket. This one is forgotten at the end, and nothing is
        // lost by that: the next run finds its images by their tags.
        state: Arc::new(InMemory::new()),
        reporter: Arc::new(Lines),
        clock: Arc::new(SystemClock::new()),
        stop: stop_after(Duration::from_secs(seconds.parse()?)),
    };
    let summary = publish(&environment, &request).await?;
    for image in &summary.images {
        let id = image.id.as_ref().map_or("", |id| id.as_str());
        writeln!(stdout(), "{} {} {} {}", image.target, image.region, image.state.as_str(), id)?;
    }
    let failures: Vec<&str> = summary.failures.iter().map(|failure| failure.error.as_str()).collect();
    match summary.outcome {
        RunOutcome::Complete => Ok(()),
        _ => Err(format!("not complete: {}", failures.join("; ")).into()),
    }
}

/// Survey and plan, preflight, execution. The first two change nothing: what they found may be shown to somebody, or
/// weighed by a program, before the third is begun. A run that stopped anywhere is continued by the same call.
async fn publish(environment: &Environment, request: &Request) -> cloud_publish_core::error::Result<Summary> {
    let prepared = prepare(environment, request).await?;
    let preflight = prepared.preflight(environment, Probe::MayWrite).await?;
    carry_out(environment, request, prepared, preflight).await
}

/// What stands behind a target.
fn publisher(
    config: &Config,
    target: &TargetConfig,
    clouds: Option<&Path>,
) -> Result<Arc<dyn Publisher>, Box<dyn Error>> {
    if target.provider.as_str() == "local" {
        let own: LocalConfig = target.own()?;
        return Ok(Arc::new(Local::new(LocalSettings {
            target: target.name.clone(),
            owner: config.owner.clone(),
            path: absolute(own.path)?,
            formats: own.formats,
            base_url: own.base_url,
        })?));
    }
    // The library looks for no files and reads no environment: it is told where clouds.yaml is.
    let own: OpenStackConfig = target.own()?;
    let clouds = CloudsFile::read(clouds.ok_or("name clouds.yaml as the fourth argument")?)?;
    Ok(Arc::new(OpenStack::new(OpenStackSettings {
        target: target.name.clone(),
        owner: config.owner.clone(),
        cloud: clouds.cloud(&own.cloud)?,
        config: own,
        regions: target.regions.clone(),
        best_effort: target.best_effort.clone(),
        deny: target.deny.clone(),
    })?))
}

/// A reporter: hears of everything while it happens, and prints what was done.
#[derive(Debug)]
struct Lines;

impl Reporter for Lines {
    fn report(&self, event: &Event) {
        let line = match event {
            Event::StepDone { step, took_s, .. } => format!("{step}: done in {took_s:.1} s"),
            Event::StepRetried { step, attempt, trouble, .. } => {
                format!("{step}: try {attempt} failed: {}", trouble.error.join(": "))
            }
            Event::StepFailed { step, trouble, .. } => format!("{step}: failed: {}", trouble.error.join(": ")),
            // Stages, progress in bytes, warnings, waiting for another run: a program takes what it has a use for.
            _ => return,
        };
        drop(writeln!(stderr(), "{line}"));
    }
}

/// A token that is cancelled by Ctrl-C or when the time is over. Every call of the run looks at it: short changes are
/// finished, uploads dropped, what was done is recorded.
fn stop_after(limit: Duration) -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = tokio::time::sleep(limit) => {}
        }
        token.cancel();
    });
    stop
}
