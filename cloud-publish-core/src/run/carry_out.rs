//! Executing a plan under its leases, and writing down what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::applied::applied;
use super::inputs::{record, verify};
use super::summary::{Failure, RunOutcome, Summary, failures, images, is_complete, refused};
use super::{Environment, Observed, Preflight, Prepared, Request, prepare};
use crate::catalogue::{self, Catalogue};
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Trouble};
use crate::execute::{DEFAULT_CONCURRENCY, Ended, Execution, Fact, Hand, Journal as _, Outcome, Receipt, execute};
use crate::identity::Place;
use crate::ledger::{Claim, Holder, Ledger, RunId, RunJournal, WhenHeld};
use crate::names::TargetName;
use crate::plan::{Action, ArtifactRef, Plan, StepId};
use crate::publisher::{Note, Probe};

/// Carries out what was prepared.
///
/// # Behaviour
/// With an error among the findings nothing is created anywhere, unless the options say to keep going: then the targets
/// without one go on. With nothing to do nothing is written, apart from a catalogue that says something else.
/// Takes the leases of the targets it will change; if it had to wait for one, looks and plans again.
///
/// # Errors
/// [`Kind::Storage`] when the state cannot be written, [`Kind::InvalidInput`] when a file that must be sent is bad. What
/// fails at a target is in the summary.
pub async fn carry_out(
    environment: &Environment,
    request: &Request,
    prepared: Prepared,
    preflight: Preflight,
) -> Result<Summary> {
    let barred = match bar(request, &prepared, &preflight) {
        Ok(barred) => barred,
        Err(summary) => return Ok(*summary),
    };
    let (mut prepared, mut barred) = (prepared, barred);
    let run = RunId::generate(environment.clock.as_ref());
    let plan = prepared.plan.clone().without(&barred.targets);
    if plan.is_empty() {
        return finish(environment, request, (prepared, barred), None).await;
    }
    let journal = loop {
        let places = places(&prepared, &barred.targets);
        match claim(environment, request, places, run).await? {
            Claimed::Held(trouble) => return Ok(waiting(request, &prepared, &trouble)),
            Claimed::AtOnce(journal) => break journal,
            Claimed::Waited(journal) => {
                // Somebody else was at work here: what was seen before may not be true any more.
                prepared = prepare(environment, request).await?;
                let again = prepared.preflight(environment, Probe::MayWrite).await?;
                match bar(request, &prepared, &again) {
                    Ok(now) if places_of(&journal) == self::places(&prepared, &now.targets) => {
                        barred = now;
                        break journal;
                    }
                    Ok(now) => {
                        barred = now;
                        journal.release().await?;
                    }
                    Err(summary) => {
                        journal.release().await?;
                        return Ok(*summary);
                    }
                }
            }
        }
    };
    let result = under_lease(environment, request, (prepared, barred), journal.clone()).await;
    let released = journal.release().await;
    let summary = result?;
    released?;
    Ok(summary)
}

/// Targets that may not be touched, and why.
#[derive(Debug, Default)]
struct Barred {
    targets: BTreeSet<TargetName>,
    failures: Vec<Failure>,
    guarded: bool,
}

/// Sorts out the targets with errors; without `keep_going` one of them refuses the run.
fn bar(request: &Request, prepared: &Prepared, preflight: &Preflight) -> Result<Barred, Box<Summary>> {
    let barred = Barred {
        targets: preflight.errors().map(|found| found.target.clone()).collect(),
        failures: preflight.errors().map(refused).collect(),
        guarded: preflight.guarded,
    };
    let all_barred = prepared.observed.iter().all(|one| barred.targets.contains(&one.info.target));
    if barred.targets.is_empty() || (request.options.keep_going && !all_barred) {
        return Ok(barred);
    }
    Err(Box::new(Summary {
        release: request.release.name.clone(),
        outcome: RunOutcome::Refused,
        guarded: barred.guarded,
        stopped: false,
        images: prepared.observed.iter().flat_map(|one| images(one, &one.survey)).collect(),
        failures: barred.failures,
    }))
}

fn places(prepared: &Prepared, barred: &BTreeSet<TargetName>) -> BTreeSet<Place> {
    let busy = |one: &&Observed| {
        let target = &one.info.target;
        !barred.contains(target) && prepared.plan.steps.iter().any(|step| step.target == *target)
    };
    prepared.observed.iter().filter(busy).map(|one| one.info.place.clone()).collect()
}

fn places_of(journal: &RunJournal) -> BTreeSet<Place> {
    journal.leases().places().cloned().collect()
}

enum Claimed {
    AtOnce(Arc<RunJournal>),
    Waited(Arc<RunJournal>),
    Held(Trouble),
}

async fn claim(environment: &Environment, request: &Request, places: BTreeSet<Place>, run: RunId) -> Result<Claimed> {
    let ledger = Ledger::new(environment.state.clone());
    let holder = Holder::this_process(run, environment.clock.now());
    let when_held = if request.options.no_wait { WhenHeld::Fail } else { WhenHeld::Wait };
    let claim = Claim::new(places, holder).when_held(when_held);
    let waited = Mutex::new(false);
    let on_wait = |place: &Place, holder: &str| {
        *waited.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let event = Event::WaitingForLease { place: place.clone(), holder: holder.to_owned() };
        environment.reporter.report(&event);
    };
    match ledger.acquire(&claim, &environment.context(), &on_wait).await {
        Ok(leases) => {
            let journal = Arc::new(ledger.begin(request.release.name.clone(), run, leases));
            let waited = *waited.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(if waited { Claimed::Waited(journal) } else { Claimed::AtOnce(journal) })
        }
        Err(error) if error.kind() == Kind::LeaseHeld => Ok(Claimed::Held(Trouble::from(&error))),
        Err(error) => Err(error),
    }
}

fn waiting(request: &Request, prepared: &Prepared, trouble: &Trouble) -> Summary {
    let target = prepared.observed.first().map(|one| one.info.target.clone());
    let failure = target.map(|target| Failure {
        step: "lease".into(),
        target,
        region: None,
        error: trouble.error.join(": "),
        hint: trouble.hint.clone(),
        required: true,
    });
    Summary {
        release: request.release.name.clone(),
        outcome: RunOutcome::Waiting,
        guarded: false,
        stopped: false,
        images: prepared.observed.iter().flat_map(|one| images(one, &one.survey)).collect(),
        failures: failure.into_iter().collect(),
    }
}

async fn under_lease(
    environment: &Environment,
    request: &Request,
    (mut prepared, barred): (Prepared, Barred),
    journal: Arc<RunJournal>,
) -> Result<Summary> {
    let plan = prepared.plan.clone().without(&barred.targets);
    let disks = disks(environment, request, &mut prepared, &plan).await?;
    let keep = async |place: &Place, fact: Fact| {
        journal.keep(Receipt { place: place.clone(), step: None, at: environment.clock.now(), fact }).await
    };
    for place in journal.leases().places() {
        keep(place, Fact::RunStarted { program: concat!("cloud-publish ", env!("CARGO_PKG_VERSION")).into() }).await?;
    }
    let execution = Execution {
        hands: hands(&prepared),
        disks,
        notes: notes(&prepared, &plan),
        journal: journal.clone(),
        reporter: environment.reporter.clone(),
        clock: environment.clock.clone(),
        stop: environment.stop.clone(),
        retry: request.options.retry,
    };
    let outcome = execute(&plan, execution).await;
    let word = match (outcome.stopped, is_complete(&plan, &outcome)) {
        (_, true) => "complete",
        (true, false) => "cancelled",
        (false, false) => "incomplete",
    };
    for place in journal.leases().places() {
        // A lost lease or a full disk was reported by its step already, and must not hide the summary.
        if let Err(error) = keep(place, Fact::RunEnded { outcome: word.into() }).await {
            tracing::warn!(place = %place, error = %error, "could not record the end of the run");
        }
    }
    finish(environment, request, (prepared, barred), Some((plan, outcome))).await
}

/// The disks that the plan sends, verified in this run.
async fn disks(
    environment: &Environment,
    request: &Request,
    prepared: &mut Prepared,
    plan: &Plan,
) -> Result<BTreeMap<ArtifactRef, Arc<Disk>>> {
    let wants_sha512 = prepared.observed.iter().any(|one| one.info.capability.file_sha512);
    let mut disks = BTreeMap::new();
    for artifact in &request.release.artifacts {
        let key = ArtifactRef::of(artifact);
        let is_sent = plan.steps.iter().any(|step| {
            let image = step.image.as_ref();
            matches!(step.action, Action::Upload)
                && image.is_some_and(|image| image.variant == key.variant && image.arch == key.arch)
        });
        let Some(input) = prepared.inputs.get_mut(&key).filter(|_| is_sent) else { continue };
        if input.disk.is_none() {
            let verified = verify(environment, (&request.release, artifact), wants_sha512).await?;
            if verified.facts.content != input.facts.content {
                return Err(Error::new(Kind::InvalidInput, "the record of an earlier run names another content")
                    .with("artifact", &key)
                    .hint("remove the folder `inputs` of the state and run the command again"));
            }
            *input = verified;
        }
        record(environment.state.as_ref(), artifact, &input.facts).await?;
        disks.extend(input.disk.clone().map(|disk| (key, disk)));
    }
    Ok(disks)
}

fn hands(prepared: &Prepared) -> BTreeMap<TargetName, Hand> {
    let hand = |one: &Observed| {
        let concurrency = one.target.config.concurrency.map_or(DEFAULT_CONCURRENCY, std::num::NonZeroU32::get);
        let publisher = one.target.publisher.clone();
        (one.info.target.clone(), Hand { publisher, place: one.info.place.clone(), concurrency })
    };
    prepared.observed.iter().map(hand).collect()
}

fn notes(prepared: &Prepared, plan: &Plan) -> BTreeMap<(Place, StepId), Vec<Note>> {
    let place_of = |target: &TargetName| {
        prepared.observed.iter().find(|one| one.info.target == *target).map(|one| one.info.place.clone())
    };
    let noted = plan.steps.iter().filter_map(|step| {
        let place = place_of(&step.target)?;
        let notes = prepared.history.notes(&place, &step.id);
        Some(((place, step.id.clone()), notes))
    });
    noted.filter(|(_, notes)| !notes.is_empty()).collect()
}

/// Brings catalogue and receipts up to date, and sums up.
async fn finish(
    environment: &Environment,
    request: &Request,
    (prepared, barred): (Prepared, Barred),
    executed: Option<(Plan, Outcome)>,
) -> Result<Summary> {
    let after = |one: &Observed| match &executed {
        Some((plan, outcome)) => applied(one, plan, &outcome.steps),
        None => one.survey.clone(),
    };
    let surveys: Vec<_> = prepared.observed.iter().map(|one| (one, after(one))).collect();
    let state = environment.state.as_ref();
    let before = catalogue::read(state).await?;
    let mut after: Catalogue = before.clone();
    surveys.iter().for_each(|(one, survey)| after.take(&one.info, survey));
    if after != before {
        catalogue::write(state, &after).await?;
    }
    if executed.is_some() {
        let history = Ledger::new(environment.state.clone()).history(&request.release.name).await?;
        catalogue::write_receipts(state, &request.release.name, &after, &history).await?;
    }
    let mut all = barred.failures;
    let (mut complete, mut stopped, mut guarded) = (all.is_empty(), false, barred.guarded);
    if let Some((plan, outcome)) = &executed {
        all.extend(failures(plan, outcome));
        complete &= is_complete(plan, outcome);
        stopped = outcome.stopped;
        guarded |= outcome.steps.values().any(is_guard);
    }
    Ok(Summary {
        release: request.release.name.clone(),
        outcome: if complete { RunOutcome::Complete } else { RunOutcome::Incomplete },
        guarded,
        stopped,
        images: surveys.iter().flat_map(|(one, survey)| images(one, survey)).collect(),
        failures: all,
    })
}

/// Whether a step met what a preflight had not seen: somebody else's object, or two for one key.
fn is_guard(end: &Ended) -> bool {
    let guards = [Kind::Refused, Kind::Conflict, Kind::NameTaken];
    matches!(end, Ended::Failed(trouble) if guards.contains(&trouble.kind))
}
