//! One step from its first attempt to its last: the only retry loop of the project.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::guard;
use super::journal::{Fact, Journal, Made, Receipt};
use super::notes::{StepNotes, StepProgress};
use super::perform::{Chance, Job, perform};
use super::waiting::{StepClock, Teller, Turn};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result, Retry};
use crate::event::{Event, Reporter, Trouble};
use crate::plan::Action;
use crate::publisher::{Context, Note};

/// Who asks for a longer pause than this has lost its mind, or is a proxy: the run would seem to hang.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// How often a step is tried, and how long the pauses are.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub attempts: u32,
    /// The pause after the first; each further one is twice as long, give or take a fifth.
    pub first: Duration,
    /// The longest pause, unless the cloud asks for more.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

impl RetryPolicy {
    /// The pause after the `attempt`-th failure of what `name` names: spread by name, so that steps which failed
    /// together do not come back together, and the same in every run.
    fn pause(&self, attempt: u32, asked: Option<Duration>, name: &str) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let spread = Sha256::digest(format!("{name}\0{attempt}")).first().copied().unwrap_or_default();
        let percent = 80 + u32::from(spread) * 40 / 255;
        let own = doubled.min(self.longest).saturating_mul(percent) / 100;
        own.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// What every attempt of every step shares.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) reporter: Arc<dyn Reporter>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
    pub(super) retry: RetryPolicy,
    /// Hears of steps that wait.
    pub(super) teller: Teller,
    pub(super) gate: Arc<dyn Gate>,
    /// What the state is called, for people.
    pub(super) state: String,
}

impl Surroundings {
    /// The clock by which a step waits. Whoever sends sleeps between two tries of one piece while others are under way, a
    /// gate's sleep is its time limit, and replication holds no place.
    fn clock_of(&self, job: &Job) -> Arc<dyn Clock> {
        match job.step.action {
            Action::Upload | Action::Replicate { .. } | Action::Gate { .. } => self.clock.clone(),
            _ => {
                let (clock, teller) = (self.clock.clone(), self.teller.clone());
                Arc::new(StepClock { clock, step: job.step.id.clone(), teller })
            }
        }
    }
}

/// What a step came to.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) result: Result<Made>,
    /// The cloud asked to slow down on the way.
    pub(super) throttled: bool,
    /// The ledger could not be written: nothing more may begin.
    pub(super) unrecorded: bool,
}

/// Why one attempt failed: in its call, or in the ledger around it.
enum Failure {
    Call(Error),
    Ledger(Error),
}

/// Tries a step until it is done, fails for good or the run is asked to stop.
pub(super) async fn attempt(job: Job, around: Surroundings, earlier: Vec<Note>) -> Attempted {
    let mut throttled = false;
    let notes = Arc::new(StepNotes::new(&job, around.journal.clone(), around.clock.clone(), earlier));
    let progress = Arc::new(StepProgress::new(job.step.id.clone(), around.reporter.clone(), around.teller.clone()));
    // Short steps are finished, not torn: only waiting between attempts and long transfers end at a stop.
    let cancellation = if job.step.action.is_long() { around.stop.clone() } else { CancellationToken::new() };
    let context = Context::new(cancellation, around.clock_of(&job), progress, notes);
    let mut number = 1;
    loop {
        let failure = match once(&job, &around, &context, number).await {
            Ok(made) => return Attempted { result: Ok(made), throttled, unrecorded: false },
            Err(Failure::Ledger(error)) => return Attempted { result: Err(error), throttled, unrecorded: true },
            Err(Failure::Call(error)) => error,
        };
        throttled |= failure.kind() == Kind::Throttled;
        let pause = match failure.retry() {
            Retry::After(asked) if number < around.retry.attempts && !around.stop.is_cancelled() => {
                around.retry.pause(number, asked, job.step.id.as_str())
            }
            _ => return Attempted { result: Err(failure), throttled, unrecorded: false },
        };
        around.reporter.report(&Event::StepRetried {
            step: job.step.id.clone(),
            attempt: number,
            wait_s: pause.as_secs_f64(),
            trouble: Trouble::from(&failure),
        });
        tokio::select! {
            () = around.stop.cancelled() => return Attempted { result: Err(failure), throttled, unrecorded: false },
            () = around.clock.sleep(pause) => {}
        }
        number += 1;
        // What was sent before may have to be sent again.
        around.teller.tell(&job.step.id, Turn::GoesOn);
    }
}

/// One attempt, with its receipts around it.
async fn once(job: &Job, around: &Surroundings, context: &Context, number: u32) -> Result<Made, Failure> {
    around.journal.confirm(&job.place).await.map_err(Failure::Call)?;
    let keep = async |fact: Fact| {
        let (place, step, at) = (job.place.clone(), Some(job.step.id.clone()), around.clock.now());
        around.journal.keep(Receipt { place, step, at, fact }).await.map_err(unrecorded)
    };
    keep(Fact::StepStarted { attempt: number }).await?;
    let chance = if number < around.retry.attempts { Chance::More } else { Chance::Last };
    let done = match &job.step.action {
        Action::Gate { gate, subject, .. } => guard::ask(job, around, context, (gate, subject)).await,
        Action::Approve { subject } => guard::approved(job, around, subject).await,
        _ => perform(job, context, chance).await,
    };
    match done {
        Ok(made) => {
            keep(Fact::StepDone { result: made.clone() }).await?;
            Ok(made)
        }
        Err(error) => {
            let trouble = Trouble::from(&error);
            keep(match error.kind() {
                Kind::Waiting => Fact::StepWaits { trouble },
                _ => Fact::StepFailed { trouble },
            })
            .await?;
            Err(Failure::Call(error))
        }
    }
}

/// An unwritable ledger ends the run: going on unrecorded is what makes orphans.
fn unrecorded(error: Error) -> Failure {
    let named = Error::new(Kind::Storage, "could not write the ledger");
    Failure::Ledger(
        named.hint("mend the state folder or store, then run the same command again: it continues").caused_by(error),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetryPolicy;

    #[test]
    fn pauses_double_up_to_a_limit_and_respect_what_the_cloud_asks() {
        let policy = RetryPolicy::default();
        let pause = |attempt| policy.pause(attempt, None, "t/a/r/upload").as_secs_f64();
        for (attempt, about) in [(1, 1.0), (2, 2.0), (3, 4.0), (9, 60.0)] {
            assert!((pause(attempt) - about).abs() <= about * 0.21, "attempt {attempt}: {}", pause(attempt));
        }
        let asked = Duration::from_secs(300);
        assert_eq!(policy.pause(1, Some(asked), "x"), asked);
        assert_eq!(policy.pause(1, Some(Duration::from_secs(999_999)), "x"), super::LONGEST_ASKED);
    }
}
