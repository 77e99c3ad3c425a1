//! What happens during a run, as data: pushed to a [`Reporter`], printed by nobody here.

use std::fmt::Debug;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::identity::Place;
use crate::names::{Region, ReleaseName, TargetName};
use crate::plan::{Step, StepId};

/// Hears of everything that happens in a run. Called from many tasks: it must be quick and must not block.
pub trait Reporter: Send + Sync + Debug {
    /// Something happened.
    fn report(&self, event: &Event);
}

/// A reporter that listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: &Event) {}
}

/// An error as it is written down: for events, receipts and summaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What a caller can decide on.
    pub kind: Kind,
    /// The chain, outermost first.
    pub error: Vec<String>,
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind(), error: error.chain(), hint: error.advice().map(ToOwned::to_owned) }
    }
}

/// What a gate said of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum GateAnswer {
    /// It may become public.
    Passed,
    /// Ask again later.
    NotYet {
        /// Why, in lower case and without a full stop.
        reason: String,
    },
    /// It may not become public.
    Failed {
        /// Why, in lower case and without a full stop.
        reason: String,
    },
}

/// What a step does, and to what: the parts of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The verb, as in [`Action::verb`](crate::plan::Action::verb).
    pub verb: String,
    /// The target.
    pub target: TargetName,
    /// The image, as `variant-arch` with its rendition; none for what concerns a whole target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The region; none for what concerns several or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

impl From<&Step> for Work {
    fn from(step: &Step) -> Self {
        Self {
            verb: step.action.verb().to_owned(),
            target: step.target.clone(),
            image: step.image.as_ref().map(ToString::to_string),
            region: step.region.clone(),
        }
    }
}

/// One thing that happened. One JSON object per line under `--json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[non_exhaustive]
pub enum Event {
    /// A stage of the run began: verifying, surveying, preflight, planning, executing.
    Stage {
        /// Its name, in the words of the data flow.
        name: String,
        /// The release.
        release: ReleaseName,
        /// The target, if it is one target's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<TargetName>,
    },
    /// An input file is being read and hashed.
    Verifying {
        /// The file's name.
        file: String,
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// What a cloud holds of an image is being read back.
    Proving {
        /// What is read, from where: its verb is `prove`.
        #[serde(flatten)]
        work: Work,
        /// Bytes done.
        done: u64,
        /// Bytes in all; as many as are done at the end, however it ends.
        total: u64,
    },
    /// Something a person should know; the run goes on.
    Warning {
        /// The target, if it is one target's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<TargetName>,
        /// The region, if it is one region's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
        /// What.
        message: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The command waits for another run that holds a target's lease.
    WaitingForLease {
        /// The place.
        place: Place,
        /// Who holds it: host, process, since when.
        holder: String,
    },
    /// A plan's steps begin.
    Executing {
        /// How many there are, without those that only wait.
        steps: u64,
        /// How many of them send an image's bytes.
        uploads: u64,
    },
    /// A step began.
    StepStarted {
        /// Which.
        step: StepId,
        /// What it does to what.
        #[serde(flatten)]
        work: Work,
        /// When.
        at: Timestamp,
    },
    /// A step moved on.
    StepProgress {
        /// Which.
        step: StepId,
        /// Bytes (or other units) done.
        done: u64,
        /// In all.
        total: u64,
    },
    /// A step says what it is doing or waiting for.
    StepSays {
        /// Which.
        step: StepId,
        /// A sentence.
        message: String,
    },
    /// A step failed and is tried again.
    StepRetried {
        /// Which.
        step: StepId,
        /// The try that failed, counted from 1.
        attempt: u32,
        /// Seconds until the next.
        wait_s: f64,
        /// Why it failed.
        #[serde(flatten)]
        trouble: Trouble,
    },
    /// A step is done.
    StepDone {
        /// Which.
        step: StepId,
        /// Seconds it took, tries and waits included.
        took_s: f64,
        /// What it made, if it made something: an id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
    },
    /// A step failed for good; what depends on it is not done.
    StepFailed {
        /// Which.
        step: StepId,
        /// Whether the artifact can do without it (a best-effort region).
        required: bool,
        /// Why.
        #[serde(flatten)]
        trouble: Trouble,
    },
    /// A step cannot be done yet: something outside has to happen first; what depends on it is not done.
    StepWaits {
        /// Which.
        step: StepId,
        /// For what.
        #[serde(flatten)]
        trouble: Trouble,
    },
    /// A gate has answered.
    GateAnswered {
        /// Its step.
        step: StepId,
        /// The answer.
        #[serde(flatten)]
        answer: GateAnswer,
        /// Where in the state its output is kept, if there was any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// A step was not begun.
    StepSkipped {
        /// Which.
        step: StepId,
        /// Because of what.
        reason: String,
    },
}
