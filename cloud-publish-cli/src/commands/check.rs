//! `publish check`: configuration, manifests and image files, all that is wrong with them at once; asks no cloud.

use std::sync::Arc;

use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::event::Silent;
use cloud_publish_core::execute::Gate as _;
use cloud_publish_core::gate::CommandGate;
use cloud_publish_core::manifest::{Artifact, Config, Release, collisions};
use cloud_publish_core::names::ReleaseName;
use cloud_publish_core::run::{Environment, RunOutcome, check_inputs};
use serde::Serialize;

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::fleet;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, count, halt_text};
use crate::releases::find_release;
use crate::session::App;
use crate::state;

/// One problem of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "problem")]
struct ProblemLine<'a> {
    step: &'static str,
    error: String,
    hint: Option<&'a str>,
}

/// What is wrong, as it is found.
struct Findings<'a> {
    app: &'a App,
    problems: usize,
}

impl Findings<'_> {
    /// Reports an error; one that lists several problems counts as several.
    fn add(&mut self, stage: Stage, error: &Error) {
        self.problems += error.message().lines().filter(|line| !line.starts_with(' ')).count().max(1);
        self.app.console.complain(&halt_text(error));
        if self.app.console.is_json() {
            let (error, hint) = (error.chain().join(": "), error.advice());
            self.app.console.json(&ProblemLine { step: stage.as_str(), error, hint });
        }
    }

    /// Takes the good and reports the bad.
    fn take<T>(&mut self, stage: Stage, result: Result<T, Error>) -> Option<T> {
        result.inspect_err(|error| self.add(stage, error)).ok()
    }
}

pub(super) async fn run(app: &App, args: &CheckArgs) -> Result<Exit, Halt> {
    let mut findings = Findings { app, problems: 0 };
    let config = app.config().map_err(|halt| findings.add(halt.stage, &halt.error)).ok();
    let mut checked = (0, 0);
    if let Some(config) = config {
        checked = with_config(&mut findings, config, args).await?;
    }
    app.console.settle();
    let problems = findings.problems;
    let (manifests, files) = checked;
    let read = format!("{} and {} read", count(manifests, "manifest"), count(files, "file"));
    match problems {
        0 => app.console.say(&format!("no problems: {}, {read}\n", app.settings.config.display())),
        _ => app.console.complain(&format!("{}\n", count(problems, "problem"))),
    }
    if app.console.is_json() {
        app.console.json(&summary(args, problems));
    }
    Ok(if problems == 0 { Exit::Done } else { Exit::Refused })
}

fn summary(args: &CheckArgs, problems: usize) -> SummaryLine<'_> {
    let release = args.release.as_deref();
    match problems {
        0 => SummaryLine::new(release, RunOutcome::Complete, &[], &[]),
        _ => {
            let error = format!("{} found", count(problems, "problem"));
            let hint = Some("each was printed as an event of its own");
            SummaryLine::problem(release, RunOutcome::Refused, ("check", error), hint)
        }
    }
}

/// Checks what the configuration leads to; returns how many manifests and files were read.
async fn with_config(findings: &mut Findings<'_>, config: Config, args: &CheckArgs) -> Result<(usize, usize), Halt> {
    let app = findings.app;
    for target in config.targets.values() {
        // What only lacks here, such as credentials, is no fault of the files.
        if let Err(error) = fleet::publisher(&app.settings, &config, target) {
            match error.kind() {
                Kind::InvalidInput => findings.add(Stage::Config, &error),
                _ => app.console.say(&format!("note: {}\n", error.chain().join(": "))),
            }
        }
    }
    let manifests = manifests(findings, &config, args);
    let clashes = collisions(&config, &manifests).into_result(()).map_err(Error::from);
    findings.take(Stage::Config, clashes);
    for (target, release) in config.targets.values().flat_map(|target| manifests.iter().map(move |one| (target, one))) {
        findings.take(Stage::Config, fleet::check_release(target, release));
    }
    let opened = state::open(&config.state);
    let Some(state) = findings.take(Stage::Config, opened) else { return Ok((manifests.len(), 0)) };
    let reporter: Arc<dyn cloud_publish_core::event::Reporter> = match app.console.is_json() {
        true => Arc::new(Silent),
        false => app.progress(Show::Lines),
    };
    let gate = Arc::new(CommandGate::new(&config).searching(app.settings.search.clone()));
    for target in config.targets.keys() {
        gate.obstacle(target).into_iter().for_each(|error| findings.add(Stage::Config, &error.with("target", target)));
    }
    let (config, clock, stop) = (Arc::new(config), app.clock.clone(), app.stop.clone());
    let environment = Environment { config, state, gate, reporter, clock, stop };
    let mut files = 0;
    for release in manifests.iter().flat_map(one_by_one) {
        let checked = match check_inputs(&environment, &release).await {
            Err(error) if error.kind() == Kind::Cancelled => return Err(Halt { stage: Stage::Input, error }),
            checked => checked,
        };
        files += findings.take(Stage::Input, checked).map_or(0, |inputs| inputs.len());
    }
    Ok((manifests.len(), files))
}

/// A release as several of one artifact each, so that each bad file is a problem of its own.
fn one_by_one(release: &Release) -> impl Iterator<Item = Release> {
    let alone = |artifact: &Artifact| Release { artifacts: vec![artifact.clone()], ..release.clone() };
    release.artifacts.iter().map(alone)
}

/// The manifests that can be read.
fn manifests(findings: &mut Findings<'_>, config: &Config, args: &CheckArgs) -> Vec<Release> {
    if let Some(name) = &args.release {
        return findings.take(Stage::Manifest, find_release(config, Some(name))).into_iter().collect();
    }
    let listed = Release::list(&config.releases);
    let Some(names) = findings.take(Stage::Manifest, listed) else { return Vec::new() };
    if names.is_empty() {
        let error = Error::new(Kind::NotFound, format!("`{}` has no manifests", config.releases.display()))
            .hint("`releases` in publish.toml names the folder of the manifests");
        findings.add(Stage::Manifest, &error);
    }
    let read = |name: &String| ReleaseName::new(name).and_then(|name| Release::find(&config.releases, &name));
    names.iter().filter_map(|name| findings.take(Stage::Manifest, read(name))).collect()
}
