//! What every verb about a release starts from: configuration, manifest, targets and state, read in this order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use cloud_publish_core::clock::Clock;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::event::Reporter;
use cloud_publish_core::gate::CommandGate;
use cloud_publish_core::manifest::{Config, collisions};
use cloud_publish_core::names::TargetName;
use cloud_publish_core::run::{Environment, Options, Request, Target};
use tokio_util::sync::CancellationToken;

use crate::args::{Global, Targets};
use crate::fleet;
use crate::halt::{Halt, Stage};
use crate::output::{Console, Progress, Show};
use crate::releases::find_release;
use crate::settings::Settings;
use crate::state;

/// What surrounds every verb.
#[derive(Debug)]
pub(crate) struct App {
    /// Where to print.
    pub(crate) console: Arc<Console>,
    /// What is told besides the arguments.
    pub(crate) settings: Settings,
    /// Options of every verb.
    pub(crate) global: Global,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Cancelled to stop.
    pub(crate) stop: CancellationToken,
}

impl App {
    /// Hears of what happens, and shows it.
    pub(crate) fn progress(&self, show: Show) -> Arc<dyn Reporter> {
        Arc::new(Progress::new(self.console.clone(), self.clock.clone(), (show, self.settings.display)))
    }

    /// Reads publish.toml.
    pub(crate) fn config(&self) -> Result<Config, Halt> {
        let file = &self.settings.config;
        let read = Config::read(file, &fleet::schemas()).map_err(|error| match error.kind() {
            Kind::NotFound => error.hint("go to the folder of publish.toml, or name the file with --config"),
            _ => error,
        });
        read.map_err(Halt::at(Stage::Config))
    }
}

/// Which targets a verb works on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selection<'a> {
    /// Those named; none named is an error.
    Named(&'a Targets),
    /// Those named; none named means all.
    NamedOrAll(&'a Targets),
}

/// A release and its targets, ready to be looked at.
#[derive(Debug)]
pub(crate) struct Session {
    /// What surrounds the run.
    pub(crate) environment: Environment,
    /// What is asked.
    pub(crate) request: Request,
    /// The configuration, if it was named.
    config: Option<PathBuf>,
    /// Targets that were asked for and cannot be used at all, with the reason.
    pub(crate) absent: BTreeMap<TargetName, Error>,
}

impl Session {
    /// Reads what the command line names; asks no cloud.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration or the manifest. A target that cannot be used is in
    /// [`Session::absent`] instead.
    pub(crate) fn open(
        app: &App,
        release: Option<&str>,
        selection: Selection<'_>,
        (options, reporter): (Options, Arc<dyn Reporter>),
    ) -> Result<Self, Halt> {
        let config = app.config()?;
        let release = find_release(&config, release).map_err(Halt::at(Stage::Manifest))?;
        let clashes = collisions(&config, std::slice::from_ref(&release));
        clashes.into_result(()).map_err(|clashes| Halt { stage: Stage::Config, error: clashes.into() })?;
        let names = selection.of(&config).map_err(Halt::at(Stage::Config))?;
        let (mut targets, mut absent) = (Vec::new(), BTreeMap::new());
        for own in config.targets.values().filter(|target| names.contains(&target.name)) {
            match fleet::publisher(&app.settings, &config, own) {
                Ok(publisher) => targets.push(Target { config: own.clone(), publisher }),
                Err(error) => drop(absent.insert(own.name.clone(), error)),
            }
        }
        let state = state::open(&config.state).map_err(Halt::at(Stage::Config))?;
        let gate = Arc::new(CommandGate::new(&config).searching(app.settings.search.clone()));
        let (config, clock, stop) = (Arc::new(config), app.clock.clone(), app.stop.clone());
        let environment = Environment { config, state, gate, reporter, clock, stop };
        let config = app.global.config.clone();
        Ok(Self { environment, request: Request { release, targets, options }, config, absent })
    }

    /// The command that publishes the release to the targets that can be used.
    pub(crate) fn command(&self) -> String {
        let targets: Vec<&str> = self.request.targets.iter().map(|target| target.config.name.as_str()).collect();
        let config = self.config.as_ref().map(|file| format!(" --config {}", file.display())).unwrap_or_default();
        format!("publish{config} --release {} --to {}", self.request.release.name, targets.join(","))
    }

    /// Refuses when a target cannot be used; with `keep_going` only when none can.
    pub(crate) fn require_targets(&mut self) -> Result<(), Halt> {
        if self.absent.is_empty() || (self.request.options.keep_going && !self.request.targets.is_empty()) {
            return Ok(());
        }
        let mut errors = std::mem::take(&mut self.absent).into_values();
        let (Some(first), rest) = (errors.next(), errors.collect::<Vec<Error>>()) else { return Ok(()) };
        if rest.is_empty() {
            return Err(Halt { stage: Stage::Config, error: first });
        }
        let hint = first.advice().map(ToOwned::to_owned);
        let lines: Vec<String> = std::iter::once(&first).chain(&rest).map(|error| error.chain().join(": ")).collect();
        let error = Error::new(first.kind(), lines.join("\n"));
        Err(Halt { stage: Stage::Config, error: hint.into_iter().fold(error, Error::hint) })
    }
}

impl Selection<'_> {
    /// The names of the targets, each of which is in the configuration.
    fn of(self, config: &Config) -> Result<BTreeSet<TargetName>> {
        let (targets, all) = match self {
            Self::Named(targets) => (targets, targets.all_targets),
            Self::NamedOrAll(targets) => (targets, targets.all_targets || targets.to.is_empty()),
        };
        let known: Vec<&str> = config.targets.keys().map(TargetName::as_str).collect();
        if known.is_empty() {
            return Err(Error::new(Kind::InvalidInput, "publish.toml has no target")
                .hint("write a [target.NAME] with `provider = \"local\"` and `path`"));
        }
        if all {
            return Ok(config.targets.keys().cloned().collect());
        }
        if targets.to.is_empty() {
            return Err(Error::new(Kind::InvalidInput, "no target is named")
                .hint(format!("name some with --to ({}), or all with --all-targets", known.join(","))));
        }
        targets.to.iter().map(|name| known_target(config, &known, name)).collect()
    }
}

fn known_target(config: &Config, known: &[&str], name: &str) -> Result<TargetName> {
    let found = config.targets.keys().find(|target| target.as_str() == name);
    found.cloned().ok_or_else(|| {
        let list = format!("the targets of publish.toml are {}", known.join(", "));
        let near = known
            .iter()
            .map(|target| (strsim::damerau_levenshtein(&name.to_lowercase(), &target.to_lowercase()), target))
            .filter(|(distance, target)| *distance <= (target.len() / 3).max(1))
            .min();
        let hint = match near {
            Some((_, target)) => format!("did you mean `{target}`? {list}"),
            None => list,
        };
        Error::new(Kind::InvalidInput, format!("there is no target `{}`", name.escape_debug())).hint(hint)
    })
}
