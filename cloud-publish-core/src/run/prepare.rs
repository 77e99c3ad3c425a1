//! Looking and planning: inputs, targets, surveys, history, and the plan that follows from them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;

use super::inputs::{Input, gather};
use super::patience::{patiently, survey as survey_patiently};
use super::{Environment, Request, Target};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Trouble};
use crate::execute::Fact;
use crate::identity::{KeyTag, Place};
use crate::ledger::{History, Holder, Ledger, RunId};
use crate::manifest::{Artifact, Together};
use crate::names::{PointerName, TargetName};
use crate::plan::{ArtifactRef, Desired, Guard, InputFacts, Plan, StepId, TargetState, desired};
use crate::publisher::{Detail, SurveyRequest, TargetInfo};
use crate::survey::Survey;

/// A target, what it should hold and what it holds.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The target.
    pub target: Target,
    /// What it is.
    pub info: TargetInfo,
    /// What it should hold of the release.
    pub desired: Vec<Desired>,
    /// What it holds.
    pub survey: Survey,
}

impl Observed {
    /// How much must be there before anything is published here.
    pub fn together(&self) -> Together {
        let configured = self.target.config.publish_together.unwrap_or(Together::Artifact);
        self.info.capability.together.unwrap_or(configured)
    }
}

/// What was seen, and what should be done about it.
#[derive(Debug)]
pub struct Prepared {
    /// The targets that could be seen.
    pub observed: Vec<Observed>,
    /// The targets that could not, and why.
    pub unreachable: BTreeMap<TargetName, Trouble>,
    /// What will be done.
    pub plan: Plan,
    /// The artifacts' files.
    pub inputs: BTreeMap<ArtifactRef, Input>,
    /// What earlier runs wrote down.
    pub history: History,
    /// The last lease term of each place where nobody was at work just before it was looked at.
    pub(super) quiet: BTreeMap<Place, u64>,
}

/// Looks and plans; changes nothing.
///
/// # Errors
/// [`Kind::InvalidInput`] for bad files or names, [`Kind::Storage`] when the state cannot be read, [`Kind::Cancelled`].
/// A target that cannot be seen is no error but [`Prepared::unreachable`].
pub async fn prepare(environment: &Environment, request: &Request) -> Result<Prepared> {
    prepare_again(environment, request, BTreeMap::new()).await
}

/// Looks and plans anew, without reading the files again that `earlier` has.
pub(super) async fn prepare_again(
    environment: &Environment,
    request: &Request,
    earlier: BTreeMap<ArtifactRef, Input>,
) -> Result<Prepared> {
    let release = &request.release;
    stage(environment, request, "looking", None);
    let ledger = environment.ledger();
    let history = ledger.history(&release.name).await?;
    warn_of(environment, &history);
    let tombstones = tombstones(&history, request)?;

    let (infos, unreachable) = infos(environment, request).await?;
    let quiet = quiet(environment, &ledger, &infos).await?;
    stage(environment, request, "verifying", None);
    let wants_sha512 = infos.iter().any(|(_, info)| info.capability.file_sha512);
    let inputs = gather(environment, (release, &wanted_artifacts(request)?), wants_sha512, earlier).await?;
    let facts = inputs.iter().map(|(key, input)| (key.clone(), input.facts.clone())).collect();

    let (observed, unreachable) = observe(environment, request, (infos, unreachable), &facts).await?;
    let guards = observed.iter().map(|one| guard(environment, one, &history)).collect::<Result<Vec<Guard>>>()?;
    let states: Vec<TargetState<'_>> = observed
        .iter()
        .zip(&guards)
        .map(|(one, guard)| TargetState {
            info: &one.info,
            desired: &one.desired,
            survey: &one.survey,
            tombstones: &tombstones,
            together: one.together(),
            guard,
        })
        .collect();
    let plan = Plan::new(&release.name, &states, request.options.permissions);
    Ok(Prepared { observed, unreachable, plan, inputs, history, quiet })
}

/// What stands between a target's images and the public, and what was said of them already.
fn guard(environment: &Environment, observed: &Observed, history: &History) -> Result<Guard> {
    let (config, place) = (&observed.target.config, &observed.info.place);
    let gate = environment.gate.terms(&config.name);
    if gate.is_none() && config.gate.is_some() {
        return Err(Error::new(
            Kind::InvalidInput,
            "publish.toml has a gate for this target, and this program asks none",
        )
        .with("target", &config.name)
        .hint("give the run's environment a `CommandGate`, or a gate of your own"));
    }
    let passed = gate.as_ref().map(|gate| history.passed(place, &gate.identity)).unwrap_or_default();
    let steps = observed.desired.iter().map(|desired| StepId::new(&config.name, &desired.image, None, "gate"));
    let said = steps.filter_map(|step| Some((step.clone(), last_words(history.last_end(place, &step)?)?))).collect();
    Ok(Guard { gate, approve: config.approve, passed, approved: history.approved(place), said })
}

/// What a gate said when it did not let an image pass, and when.
fn last_words((fact, at): (&Fact, Timestamp)) -> Option<String> {
    let (Fact::StepWaits { trouble } | Fact::StepFailed { trouble }) = fact else { return None };
    Some(format!("{} ({at:.0})", trouble.error.first()?))
}

async fn quiet(environment: &Environment, ledger: &Ledger, infos: &Infos<'_>) -> Result<BTreeMap<Place, u64>> {
    let here = Holder::this_process(RunId::generate(environment.clock.as_ref()), environment.clock.now());
    let mut quiet = BTreeMap::new();
    for (_, info) in infos {
        if let Some(term) = ledger.quiet(&info.place, &here).await? {
            quiet.insert(info.place.clone(), term);
        }
    }
    Ok(quiet)
}

/// The keys of images that were deleted on purpose.
///
/// A tombstone that cannot be read may forbid anything of the release, so it forbids all of it.
fn tombstones(history: &History, request: &Request) -> Result<BTreeSet<KeyTag>> {
    if let Some(first) = history.unreadable_tombstones.first().filter(|_| !request.options.permissions.republish) {
        return Err(Error::new(Kind::Refused, format!("a tombstone of this release cannot be read: {first}"))
            .with("release", &request.release.name)
            .hint("find out what was deleted, and mend or remove the file; --republish ignores tombstones"));
    }
    Ok(history.tombstones().iter().map(|tombstone| tombstone.key()).collect())
}

/// The artifacts that any of the targets takes.
fn wanted_artifacts(request: &Request) -> Result<Vec<&Artifact>> {
    let release = &request.release;
    let taken = |artifact: &&Artifact| request.targets.iter().any(|target| target.config.takes(release, artifact));
    let artifacts: Vec<&Artifact> = release.artifacts.iter().filter(taken).collect();
    if artifacts.is_empty() {
        return Err(Error::new(Kind::InvalidInput, "none of the targets takes any artifact of this release")
            .with("release", &release.name)
            .hint("look at the targets' `variants`, `archs` and `classes`"));
    }
    Ok(artifacts)
}

type Infos<'a> = Vec<(&'a Target, TargetInfo)>;

async fn infos<'a>(
    environment: &Environment,
    request: &'a Request,
) -> Result<(Infos<'a>, BTreeMap<TargetName, Trouble>)> {
    let context = environment.context();
    let asked = request.targets.iter().map(|target| {
        let context = &context;
        async move { (target, patiently(context, || target.publisher.info(context)).await) }
    });
    let mut infos: Infos<'a> = Vec::new();
    let mut unreachable = BTreeMap::new();
    for (target, info) in context.or_cancelled(join_all(asked)).await? {
        match info {
            Ok(info) => infos.push((target, info)),
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => {
                unreachable.insert(target.config.name.clone(), Trouble::from(&error));
            }
        }
    }
    same_place_twice(&infos)?;
    Ok((infos, unreachable))
}

/// Two names of one place would publish everything twice under one key.
fn same_place_twice(infos: &Infos<'_>) -> Result<()> {
    for (index, (target, info)) in infos.iter().enumerate() {
        let twin = infos.iter().take(index).find(|(_, other)| {
            other.place == info.place && other.regions.iter().any(|wanted| info.regions.contains(wanted))
        });
        if let Some((other, _)) = twin {
            return Err(Error::new(Kind::InvalidInput, "two targets are the same place")
                .with("first", &other.config.name)
                .with("second", &target.config.name)
                .with("place", &info.place)
                .hint("name one of them with --to, or give them different regions"));
        }
    }
    Ok(())
}

async fn observe(
    environment: &Environment,
    request: &Request,
    (infos, mut unreachable): (Infos<'_>, BTreeMap<TargetName, Trouble>),
    facts: &BTreeMap<ArtifactRef, InputFacts>,
) -> Result<(Vec<Observed>, BTreeMap<TargetName, Trouble>)> {
    let context = environment.context();
    let mut wanted = Vec::new();
    for (target, info) in infos {
        let cloud = (target.publisher.as_ref(), &info);
        wanted.push((target, desired(&environment.config, &request.release, &target.config, facts, cloud)?, info));
    }
    let asked = wanted.into_iter().map(|(target, desired, info)| {
        stage(environment, request, "surveying", Some(&target.config.name));
        let detail = Detail { release: request.release.name.clone(), pointers: pointers(&desired) };
        let survey = SurveyRequest { owner: environment.config.owner.clone(), detail: Some(detail) };
        let context = &context;
        async move {
            let survey = survey_patiently(target.publisher.as_ref(), context, &survey).await;
            (target, info, desired, survey)
        }
    });
    let mut observed = Vec::new();
    for (target, info, desired, survey) in context.or_cancelled(join_all(asked)).await? {
        let survey = match survey {
            Ok(survey) => survey,
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => {
                unreachable.insert(target.config.name.clone(), Trouble::from(&error));
                continue;
            }
        };
        observed.push(Observed { target: target.clone(), info, desired, survey });
    }
    Ok((observed, unreachable))
}

/// Every pointer that should lead to one of these images.
fn pointers(desired: &[Desired]) -> BTreeSet<PointerName> {
    let expected = desired.iter().flat_map(|image| &image.places).map(|place| &place.expected);
    expected.flat_map(|expected| expected.pointers.iter().chain(&expected.own_pointers)).cloned().collect()
}

fn warn_of(environment: &Environment, history: &History) {
    for problem in &history.problems {
        environment.reporter.report(&Event::Warning {
            target: None,
            region: None,
            message: format!("the ledger holds something unreadable: {problem}"),
            hint: None,
        });
    }
}

fn stage(environment: &Environment, request: &Request, name: &str, target: Option<&TargetName>) {
    environment.reporter.report(&Event::Stage {
        name: name.to_owned(),
        release: request.release.name.clone(),
        target: target.cloned(),
    });
}
