//! Executing a plan under its leases, and writing down what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::applied::applied;
use super::books::{self, Page};
use super::inputs::{record, verify};
use super::outlook::Barred;
use super::prepare::prepare_again;
use super::summary::{Failure, RunOutcome, Summary, failures, images, is_complete, only_waits, unpublished, waiting};
use super::{Environment, Observed, Preflight, Prepared, Request};
use crate::disk::Disk;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Trouble};
use crate::execute::{DEFAULT_CONCURRENCY, Ended, Execution, Fact, Hand, Journal as _, Outcome, Receipt, execute};
use crate::identity::Place;
use crate::ledger::{Claim, Holder, RunId, RunJournal, WhenHeld};
use crate::names::TargetName;
use crate::plan::{Action, ArtifactRef, InputFacts, Plan, StepId};
use crate::publisher::{Note, Probe};

/// Carries out what was prepared.
///
/// # Behaviour
/// With an error among the findings nothing is created anywhere, unless the options say to keep going: then the targets
/// without one go on. With nothing to do nothing is written, apart from a catalogue that says something else.
/// Takes the leases of the targets it will change; if anybody was at work there since they were looked at, looks and
/// plans again.
///
/// # Errors
/// [`Kind::Storage`] when the state cannot be written before the first step, [`Kind::InvalidInput`] when a file that must
/// be sent is bad. What fails later, at a target or in the state, is in the summary.
pub async fn carry_out(
    environment: &Environment,
    request: &Request,
    mut prepared: Prepared,
    mut preflight: Preflight,
) -> Result<Summary> {
    let run = RunId::generate(environment.clock.as_ref());
    loop {
        let barred = match prepared.bar(&request.options, &preflight) {
            Ok(barred) => barred,
            Err(refused) => return Ok(*refused),
        };
        let plan = prepared.plan.clone().without(&barred.targets);
        let finished = Finished { environment, run, prepared: &prepared, barred, executed: None };
        if plan.is_empty() {
            return Ok(finished.sum_up().await);
        }
        let journal = match claim(environment, request, (places(&prepared, &plan), run)).await {
            Ok(journal) => journal,
            Err(error) if error.kind() == Kind::LeaseHeld => return Ok(held(&prepared, &error)),
            Err(error) => return Err(error),
        };
        if is_fresh(&prepared, &journal) {
            let barred = finished.barred;
            let result = under_lease(environment, request, (prepared, barred, plan), &journal).await;
            return released(&journal, result).await;
        }
        // Somebody was at work here: what was seen before may not be true any more.
        journal.release().await?;
        let earlier = std::mem::take(&mut prepared.inputs);
        prepared = prepare_again(environment, request, earlier).await?;
        preflight = prepared.preflight(environment, Probe::MayWrite).await?;
    }
}

/// The places that a plan changes.
fn places(prepared: &Prepared, plan: &Plan) -> BTreeSet<Place> {
    let busy = |one: &&Observed| plan.steps.iter().any(|step| step.target == one.info.target);
    prepared.observed.iter().filter(busy).map(|one| one.info.place.clone()).collect()
}

async fn claim(
    environment: &Environment,
    request: &Request,
    (places, run): (BTreeSet<Place>, RunId),
) -> Result<Arc<RunJournal>> {
    let ledger = environment.ledger();
    let holder = Holder::this_process(run, environment.clock.now());
    let when_held = if request.options.no_wait { WhenHeld::Fail } else { WhenHeld::Wait };
    let claim = Claim::new(places, holder).when_held(when_held);
    let on_wait = |place: &Place, holder: &str| {
        let event = Event::WaitingForLease { place: place.clone(), holder: holder.to_owned() };
        environment.reporter.report(&event);
    };
    let leases = ledger.acquire(&claim, &environment.context(), &on_wait).await?;
    Ok(Arc::new(ledger.begin(request.release.name.clone(), run, leases)))
}

/// Whether nobody held these leases between the look and now.
fn is_fresh(prepared: &Prepared, journal: &RunJournal) -> bool {
    let next = |place: &Place| prepared.quiet.get(place).map(|term| term.saturating_add(1));
    journal.leases().places().all(|place| journal.leases().term(place) == next(place))
}

/// Gives the leases back; that they could not be must not hide what came of the run.
async fn released(journal: &RunJournal, result: Result<Summary>) -> Result<Summary> {
    let released = journal.release().await;
    let mut summary = result?;
    if let Err(error) = released {
        summary.failures.push(Failure::of_state("lease", &Trouble::from(&error)));
    }
    Ok(summary)
}

fn held(prepared: &Prepared, error: &Error) -> Summary {
    prepared.summary(RunOutcome::Waiting, vec![Failure::of_state("lease", &Trouble::from(error))])
}

async fn under_lease(
    environment: &Environment,
    request: &Request,
    (mut prepared, barred, plan): (Prepared, Barred, Plan),
    journal: &Arc<RunJournal>,
) -> Result<Summary> {
    let disks = disks(environment, request, &mut prepared, &plan).await?;
    let keep = async |place: &Place, fact: Fact| {
        journal.keep(Receipt { place: place.clone(), step: None, at: environment.clock.now(), fact }).await
    };
    for place in journal.leases().places() {
        keep(place, Fact::RunStarted { program: concat!("cloud-publish ", env!("CARGO_PKG_VERSION")).into() }).await?;
    }
    let execution = Execution {
        hands: hands(environment, &prepared),
        disks,
        manifest: request.release.file.clone(),
        notes: notes(&prepared, &plan),
        gate: environment.gate.clone(),
        journal: journal.clone(),
        state: environment.config.state.to_string(),
        reporter: environment.reporter.clone(),
        clock: environment.clock.clone(),
        stop: environment.stop.clone(),
        retry: request.options.retry,
    };
    let outcome = execute(&plan, execution).await;
    let word = match (outcome.stopped, is_complete(&plan, &outcome)) {
        (_, true) => "complete",
        (true, false) => "cancelled",
        (false, false) if only_waits(&plan, &outcome) => "waiting",
        (false, false) => "incomplete",
    };
    for place in journal.leases().places() {
        // A lost lease or a full disk was reported by its step already, and must not hide the summary.
        if let Err(error) = keep(place, Fact::RunEnded { outcome: word.into() }).await {
            tracing::warn!(place = %place, error = %error, "could not record the end of the run");
        }
    }
    let executed = Some((&plan, &outcome));
    Ok(Finished { environment, run: journal.run(), prepared: &prepared, barred, executed }.sum_up().await)
}

/// The disks that the plan sends, verified in this run. No other is kept open: what is unpacked takes room.
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
            matches!(step.action, Action::Upload) && step.image.as_ref().is_some_and(|image| image.artifact() == key)
        });
        let Some(input) = prepared.inputs.get_mut(&key).filter(|_| is_sent) else { continue };
        if input.disk.is_none() {
            let verified = verify(environment, (&request.release, artifact), wants_sha512).await?;
            if !agree(&verified.facts, &input.facts) {
                return Err(Error::new(
                    Kind::InvalidInput,
                    "the record of an earlier run says something else of the file",
                )
                .with("artifact", &key)
                .hint("remove the folder `inputs` of the state and run the command again"));
            }
            *input = verified;
        }
        record(environment.state.as_ref(), artifact, &input.facts).await?;
        disks.extend(input.disk.take().map(|disk| (key, disk)));
    }
    prepared.inputs.values_mut().for_each(|input| input.disk = None);
    Ok(disks)
}

/// Whether two facts of one file do not contradict each other.
fn agree(one: &InputFacts, other: &InputFacts) -> bool {
    let same = |one: Option<&String>, other: Option<&String>| one.is_none() || other.is_none() || one == other;
    let given = |facts: &InputFacts| facts.given.as_ref().map(|given| (given.packing, given.size));
    let given_sha512 = |facts: &'_ InputFacts| facts.given.as_ref().and_then(|given| given.sha512.clone());
    same(one.file_sha512.as_ref(), other.file_sha512.as_ref())
        && same(given_sha512(one).as_ref(), given_sha512(other).as_ref())
        && given(one) == given(other)
        && (one.content, one.file_size, one.virtual_size) == (other.content, other.file_size, other.virtual_size)
}

fn hands(environment: &Environment, prepared: &Prepared) -> BTreeMap<TargetName, Hand> {
    let hand = |one: &Observed| {
        let concurrency = one.target.config.concurrency.map_or(DEFAULT_CONCURRENCY, std::num::NonZeroU32::get);
        let gates = environment.gate.terms(&one.info.target).map_or(1, |terms| terms.concurrency);
        let publisher = one.target.publisher.clone();
        (one.info.target.clone(), Hand { publisher, place: one.info.place.clone(), concurrency, gates })
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

/// A run that has nothing more to do at any target.
struct Finished<'a> {
    environment: &'a Environment,
    run: RunId,
    prepared: &'a Prepared,
    barred: Barred,
    executed: Option<(&'a Plan, &'a Outcome)>,
}

impl Finished<'_> {
    /// Brings catalogue and receipts up to date, and sums up; a state that cannot be written is a failure in the summary.
    async fn sum_up(self) -> Summary {
        let prepared = self.prepared;
        let pages: Vec<Page<'_>> = prepared.observed.iter().map(|one| self.page(one)).collect();
        let images: Vec<_> = pages.iter().flat_map(|page| images(page.observed, &page.survey)).collect();
        let kept = self.keep(&pages).await;
        let mut all = self.barred.failures;
        let (mut stopped, mut guarded) = (false, self.barred.guarded);
        let mut is_well = all.is_empty();
        let mut waits = Vec::new();
        if let Some((plan, outcome)) = self.executed {
            all.extend(failures(plan, outcome));
            waits = waiting(plan, outcome);
            is_well &= is_complete(plan, outcome) || only_waits(plan, outcome);
            stopped = outcome.stopped;
            guarded |= outcome.steps.values().any(is_guard);
        }
        let left = unpublished(prepared, &images);
        is_well &= left.is_empty();
        all.extend(left);
        if let Err(error) = kept {
            is_well = false;
            all.push(Failure::of_state("catalogue", &Trouble::from(&error)));
        }
        let outcome = match self.executed {
            _ if is_well && !waits.is_empty() => RunOutcome::Waiting,
            _ if is_well => RunOutcome::Complete,
            Some((_, outcome)) if lost_its_lease(outcome) => RunOutcome::Waiting,
            _ => RunOutcome::Incomplete,
        };
        all.extend(waits);
        let release = prepared.plan.release.clone();
        Summary { release, outcome, guarded, stopped, images, failures: all }
    }

    fn page<'p>(&self, observed: &'p Observed) -> Page<'p> {
        let target = &observed.info.target;
        match self.executed {
            Some((plan, outcome)) => Page {
                observed,
                survey: applied(observed, plan, &outcome.steps),
                is_whole: plan.steps.iter().any(|step| step.target == *target),
            },
            None => Page { observed, survey: observed.survey.clone(), is_whole: false },
        }
    }

    async fn keep(&self, pages: &[Page<'_>]) -> Result<()> {
        let release = &self.prepared.plan.release;
        let catalogue = books::catalogue(self.environment, release, pages, self.run).await?;
        if self.executed.is_some() { books::receipts(self.environment, release, &catalogue).await } else { Ok(()) }
    }
}

/// Whether a step met what a preflight had not seen: somebody else's object, or two for one key.
fn is_guard(end: &Ended) -> bool {
    let guards = [Kind::Refused, Kind::Conflict, Kind::NameTaken];
    matches!(end, Ended::Failed(trouble) if guards.contains(&trouble.kind))
}

/// Whether all that failed did because another run has taken over.
fn lost_its_lease(outcome: &Outcome) -> bool {
    let mut failed = outcome.steps.values().filter_map(|end| match end {
        Ended::Failed(trouble) => Some(trouble.kind == Kind::LeaseHeld),
        _ => None,
    });
    let first = failed.next();
    first == Some(true) && failed.all(|lost| lost)
}
