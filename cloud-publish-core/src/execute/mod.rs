//! Doing it: a plan's steps become calls of [`Publisher`]s, with receipts as they go.
//!
//! Owns order, limits, retries, and what happens when something fails or the run is asked to stop. It decides nothing
//! about what should be there (the plan has), and knows no cloud.
//!
//! A step whose dependencies failed is skipped, everything else goes on. When `stop` is cancelled no further step
//! begins, transfers are dropped where the next run takes them up, short changes are finished, and all of it is recorded.

mod attempt;
mod board;
mod gate;
mod guard;
mod journal;
mod limits;
mod notes;
mod perform;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub use self::attempt::RetryPolicy;
use self::attempt::{Attempted, Surroundings, attempt};
use self::board::Board;
pub use self::board::Ended;
pub use self::gate::{Answered, AskedImage, Gate, NoGate, Question};
pub use self::journal::{Approval, Fact, Journal, Made, Receipt};
pub use self::limits::DEFAULT_CONCURRENCY;
use self::limits::{Limits, Most};
use self::perform::Job;
use self::waiting::{Turns, turns};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::error::{Error, Kind};
use crate::event::{Event, Reporter, Trouble, Work};
use crate::identity::Place;
use crate::manifest::ManifestFile;
use crate::names::{ImageId, Region, TargetName};
use crate::plan::{Action, ArtifactRef, GateImage, ImageRef, ImageSource, Plan, Step, StepId};
use crate::publisher::{ImageSpec, Note, Publisher, Staged};

/// A target as execution sees it.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Does the work.
    pub publisher: Arc<dyn Publisher>,
    /// Whose place it is.
    pub place: Place,
    /// Images sent at once, and other steps at once in a region.
    pub concurrency: u32,
    /// Images that the target's gate is asked about at once.
    pub gates: u32,
}

/// What execution needs besides the plan.
#[derive(Debug)]
pub struct Execution {
    /// The targets.
    pub hands: BTreeMap<TargetName, Hand>,
    /// The verified disks. Each is let go when the last step that sends it has ended: what is unpacked takes room.
    pub disks: BTreeMap<ArtifactRef, Arc<Disk>>,
    /// The manifest that all this is for. Once a disk is sent, neither may have changed.
    pub manifest: Option<ManifestFile>,
    /// Notes of earlier runs.
    pub notes: BTreeMap<(Place, StepId), Vec<Note>>,
    /// Judges images before they are published.
    pub gate: Arc<dyn Gate>,
    /// Where receipts are kept.
    pub journal: Arc<dyn Journal>,
    /// What the state is called in messages.
    pub state: String,
    /// Who hears of it.
    pub reporter: Arc<dyn Reporter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled to stop.
    pub stop: CancellationToken,
    /// How often to try.
    pub retry: RetryPolicy,
}

/// How a plan's execution ended.
#[derive(Debug)]
pub struct Outcome {
    /// Every step's end.
    pub steps: BTreeMap<StepId, Ended>,
    /// The run was asked to stop.
    pub stopped: bool,
}

/// Carries out a plan.
///
/// # Behaviour
/// Never fails as a whole: every step's end is in the outcome. Returns when nothing runs any more.
pub async fn execute(plan: &Plan, execution: Execution) -> Outcome {
    Run::new(plan, execution).finish().await
}

struct Run<'p> {
    plan: &'p Plan,
    execution: Execution,
    around: Surroundings,
    /// Steps that begin and end to wait.
    turns: Turns,
    board: Board<'p>,
    limits: Limits,
    tasks: JoinSet<(StepId, Duration, Attempted)>,
    /// Which step each task carries out, for those that break down.
    carriers: BTreeMap<tokio::task::Id, StepId>,
    /// Targets whose lease was lost.
    lost: BTreeSet<TargetName>,
    /// Why nothing more may begin.
    closed: Option<String>,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan, execution: Execution) -> Self {
        let (teller, turns) = turns();
        let around = Surroundings {
            journal: execution.journal.clone(),
            reporter: execution.reporter.clone(),
            clock: execution.clock.clone(),
            stop: execution.stop.clone(),
            retry: execution.retry,
            teller,
            gate: execution.gate.clone(),
            state: execution.state.clone(),
        };
        let most = |hand: &Hand| Most { steps: hand.concurrency, gates: hand.gates };
        let most = execution.hands.iter().map(|(target, hand)| (target.clone(), most(hand))).collect();
        Self {
            plan,
            around,
            turns,
            board: Board::new(&plan.steps),
            limits: Limits::new(most),
            tasks: JoinSet::new(),
            carriers: BTreeMap::new(),
            lost: BTreeSet::new(),
            closed: None,
            execution,
        }
    }

    /// Says what there is to do, for those who show how much of it is done.
    fn announce(&self) {
        let count =
            |is_one: fn(&Action) -> bool| self.plan.steps.iter().filter(|step| is_one(&step.action)).count() as u64;
        let steps = count(|action| !matches!(action, Action::Barrier));
        let uploads = count(|action| matches!(action, Action::Upload));
        self.around.reporter.report(&Event::Executing { steps, uploads });
    }

    async fn finish(mut self) -> Outcome {
        self.announce();
        loop {
            if self.closed.is_none() && !self.around.stop.is_cancelled() {
                self.begin_what_may();
            }
            tokio::select! {
                Some((id, turn)) = self.turns.recv() => {
                    self.board.step(&id).into_iter().for_each(|step| self.limits.turn(step, turn));
                }
                ended = self.tasks.join_next() => match ended {
                    None => break,
                    Some(Ok((id, took, attempted))) => self.end(&id, took, attempted),
                    Some(Err(error)) => self.broke_down(&error),
                },
            }
        }
        let stopped = self.around.stop.is_cancelled();
        let reason = match self.closed {
            _ if stopped => "stopped on request".into(),
            Some(reason) => reason,
            None => "another run has taken over the target".into(),
        };
        self.board.close(&reason);
        Outcome { steps: self.board.into_ended(), stopped }
    }

    fn begin_what_may(&mut self) {
        let reporter = self.around.reporter.clone();
        let ready = self.board.ready(|step, end| {
            if let Ended::Skipped(reason) = end {
                reporter.report(&Event::StepSkipped { step: step.id.clone(), reason: reason.clone() });
            }
        });
        for step in ready {
            if self.lost.contains(&step.target) || !self.limits.admit(step) {
                continue;
            }
            self.board.begin(step);
            match self.job(step) {
                Ok(job) => self.spawn(job),
                Err(error) => {
                    let attempted = Attempted { result: Err(error), throttled: false, unrecorded: false };
                    self.end(&step.id, Duration::ZERO, attempted);
                }
            }
        }
    }

    fn spawn(&mut self, job: Job) {
        let around = self.around.clone();
        let key = (job.place.clone(), job.step.id.clone());
        let earlier = self.execution.notes.get(&key).cloned().unwrap_or_default();
        let (step, work) = (job.step.id.clone(), Work::from(&job.step));
        around.reporter.report(&Event::StepStarted { step, work, at: around.clock.now() });
        let step = job.step.id.clone();
        let carrier = self.tasks.spawn(async move {
            let start = around.clock.elapsed();
            let clock = around.clock.clone();
            let id = job.step.id.clone();
            let attempted = attempt(job, around, earlier).await;
            (id, clock.elapsed().saturating_sub(start), attempted)
        });
        self.carriers.insert(carrier.id(), step);
    }

    /// A step that panicked is a bug; the others are finished, and it is reported as failed.
    fn broke_down(&mut self, error: &JoinError) {
        let Some(id) = self.carriers.get(&error.id()).cloned() else { return };
        let error = Error::new(Kind::Unexpected, format!("the step broke down: {error}"));
        self.end(&id, Duration::ZERO, Attempted { result: Err(error), throttled: false, unrecorded: false });
    }

    fn end(&mut self, id: &StepId, took: Duration, attempted: Attempted) {
        let Some(step) = self.board.step(id) else { return };
        self.limits.release(step, attempted.throttled);
        if attempted.unrecorded {
            self.closed = Some("the ledger cannot be written".into());
        }
        let end = match attempted.result {
            Ok(made) => {
                let made_id = made_id(&made);
                let took_s = took.as_secs_f64();
                self.around.reporter.report(&Event::StepDone { step: id.clone(), took_s, made: made_id });
                Ended::Done(made)
            }
            Err(error) => self.failed(step, &error),
        };
        self.board.end(id, end);
        if step.action == Action::Upload {
            self.let_go_of_disk(step);
        }
    }

    /// Frees the room that a disk takes, which no step will send any more: what follows may wait for hours.
    fn let_go_of_disk(&mut self, step: &Step) {
        let Some(artifact) = step.image.as_ref().map(ImageRef::artifact) else { return };
        let sends = |other: &Step| {
            other.action == Action::Upload && other.image.as_ref().is_some_and(|image| image.artifact() == artifact)
        };
        if !self.plan.steps.iter().any(|other| sends(other) && !self.board.has_ended(&other.id)) {
            self.execution.disks.remove(&artifact);
        }
    }

    fn failed(&mut self, step: &Step, error: &Error) -> Ended {
        match error.kind() {
            Kind::LeaseHeld => {
                self.lost.insert(step.target.clone());
            }
            Kind::Cancelled if self.around.stop.is_cancelled() => return Ended::Skipped("stopped on request".into()),
            Kind::Waiting => {
                let trouble = Trouble::from(error);
                self.around.reporter.report(&Event::StepWaits { step: step.id.clone(), trouble: trouble.clone() });
                return Ended::Waiting(trouble);
            }
            _ => {}
        }
        let trouble = Trouble::from(error);
        self.around.reporter.report(&Event::StepFailed {
            step: step.id.clone(),
            required: step.required,
            trouble: trouble.clone(),
        });
        Ended::Failed(trouble)
    }

    fn job(&self, step: &Step) -> Result<Job, Error> {
        let unplanned = |what: &'static str| {
            Error::new(Kind::Unexpected, format!("the plan names no {what}")).with("step", &step.id)
        };
        let hand = self.execution.hands.get(&step.target).ok_or_else(|| unplanned("target"))?;
        let planned = self.plan.image_of(step).ok_or_else(|| unplanned("image"))?;
        let sends = step.action == Action::Upload;
        Ok(Job {
            step: step.clone(),
            place: hand.place.clone(),
            publisher: hand.publisher.clone(),
            spec: Arc::<ImageSpec>::new(planned.spec.clone()),
            disk: self.execution.disks.get(&planned.image.artifact()).filter(|_| sends).cloned(),
            manifest: self.execution.manifest.clone(),
            staged: self.staged(step),
            id: self.image(step),
            images: self.gated(step),
            along: self.plan.along(step).map(|planned| planned.spec.tags.clone()).collect(),
        })
    }

    /// The images that a gate is asked about: those of regions that failed are left out.
    fn gated(&self, step: &Step) -> Vec<(Region, ImageId)> {
        let Action::Gate { images, .. } = &step.action else { return Vec::new() };
        let there = |image: &GateImage| Some((image.region.clone(), self.id_of(&image.from, &image.region)?));
        images.iter().filter_map(there).collect()
    }

    fn staged(&self, step: &Step) -> Option<Staged> {
        let Action::Register { upload } = &step.action else { return None };
        match self.board.made(upload)? {
            Made::Staged { staged } => Some(staged.clone()),
            _ => None,
        }
    }

    fn image(&self, step: &Step) -> Option<ImageId> {
        let (source, region) = match &step.action {
            Action::Replicate { home, home_region, .. } => (home, Some(home_region)),
            Action::SetVisibility { from: image, .. }
            | Action::MarkPublished { from: image }
            | Action::Tag { from: image, .. }
            | Action::Point { from: image, .. }
            | Action::List { from: image, .. } => (image, step.region.as_ref()),
            Action::Upload
            | Action::Register { .. }
            | Action::Gate { .. }
            | Action::Approve { .. }
            | Action::Barrier => return None,
        };
        self.id_of(source, region?)
    }

    fn id_of(&self, source: &ImageSource, region: &Region) -> Option<ImageId> {
        match source {
            ImageSource::Found(id) => Some(id.clone()),
            ImageSource::Made(by) => made_in(self.board.made(by)?, region),
        }
    }
}

/// The id of the image that a step made in a region.
pub(crate) fn made_in(made: &Made, region: &Region) -> Option<ImageId> {
    let Made::Images { images, .. } = made else { return None };
    images.iter().find(|image| image.region == *region).map(|image| image.id.clone())
}

fn made_id(made: &Made) -> Option<String> {
    match made {
        Made::Images { images, .. } => images.first().map(|image| image.id.to_string()),
        // Of no use to anybody: the image that is made of it is what has an id.
        Made::Staged { .. }
        | Made::Change
        | Made::Mark { .. }
        | Made::Passed { .. }
        | Made::Approved { .. }
        | Made::Listing { .. } => None,
    }
}
