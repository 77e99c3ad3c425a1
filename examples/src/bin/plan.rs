//! A program that embeds the core: prints the plan of a release as JSON and changes nothing.
//!
//! ```sh
//! cargo run -p cloud-publish-examples --bin plan -- examples/quickstart/publish.toml bookworm-20240101
//! ```
//!
//! It knows one kind of target, the directory. A program that publishes goes on from [`prepare`] with
//! `Prepared::preflight` and `carry_out`, as the front page of `cloud_publish_core` shows.

use std::env;
use std::error::Error;
use std::io::{Write, stdout};
use std::path::{Path, absolute};
use std::sync::Arc;

use cloud_publish_core::clock::SystemClock;
use cloud_publish_core::event::Silent;
use cloud_publish_core::gate::CommandGate;
use cloud_publish_core::ledger::local_store;
use cloud_publish_core::local::{Local, LocalConfig, LocalSettings};
use cloud_publish_core::manifest::{Config, ProviderSchema, Release, State, TargetConfig};
use cloud_publish_core::run::{Environment, Options, Request, Target, prepare};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, release] = arguments.as_slice() else { return Err("usage: plan PUBLISH_TOML RELEASE".into()) };

    let config = Config::read(Path::new(file), &[ProviderSchema::of::<LocalConfig>()])?;
    let release = Release::find(&config.releases, &release.parse()?)?;
    let targets = config.targets.values().map(|target| directory(&config, target)).collect::<Result<_, _>>()?;
    let State::Folder(state) = &config.state else { return Err("this program keeps its state in a folder".into()) };
    let environment = Environment {
        state: local_store(state)?,
        gate: Arc::new(CommandGate::new(&config)),
        config: Arc::new(config),
        reporter: Arc::new(Silent),
        clock: Arc::new(SystemClock::new()),
        stop: CancellationToken::new(),
    };

    let request = Request { release, targets, options: Options::default() };
    let prepared = prepare(&environment, &request).await?;
    if let Some((target, trouble)) = prepared.unreachable.first_key_value() {
        return Err(format!("{target}: {}", trouble.error.join(": ")).into());
    }
    let plan = serde_json::to_string_pretty(&prepared.plan)?;
    writeln!(stdout(), "{plan}")?;
    Ok(())
}

/// A target of publish.toml as something that can be asked and told.
fn directory(config: &Config, target: &TargetConfig) -> Result<Target, Box<dyn Error>> {
    let own: LocalConfig = target.own()?;
    let publisher = Local::new(LocalSettings {
        target: target.name.clone(),
        owner: config.owner.clone(),
        path: absolute(own.path)?,
        formats: own.formats,
        base_url: own.base_url,
    })?;
    Ok(Target { config: target.clone(), publisher: Arc::new(publisher) })
}
