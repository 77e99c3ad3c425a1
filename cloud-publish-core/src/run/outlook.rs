//! What a run would come to, before it is begun: refused, nothing to do, or something.

use std::collections::BTreeSet;

use super::summary::{Failure, RunOutcome, Summary, images, refused};
use super::{Options, Preflight, Prepared};
use crate::names::{ReleaseName, TargetName};

/// Targets that may not be touched, and why.
#[derive(Debug, Default)]
pub(super) struct Barred {
    pub(super) targets: BTreeSet<TargetName>,
    pub(super) failures: Vec<Failure>,
    pub(super) guarded: bool,
}

impl Prepared {
    /// Sorts out the targets that have errors.
    ///
    /// # Errors
    /// The summary of the refused run: without `keep_going` one such target refuses all of it.
    pub(super) fn bar(&self, options: &Options, preflight: &Preflight) -> Result<Barred, Box<Summary>> {
        let barred = Barred {
            targets: preflight.errors().map(|found| found.target.clone()).collect(),
            failures: preflight.errors().map(refused).collect(),
            guarded: preflight.guarded,
        };
        let all_barred = self.observed.iter().all(|one| barred.targets.contains(&one.info.target));
        if barred.targets.is_empty() || (options.keep_going && !all_barred) {
            return Ok(barred);
        }
        let summary = self.summary(RunOutcome::Refused, barred.failures);
        Err(Box::new(Summary { guarded: barred.guarded, ..summary }))
    }

    /// Says whether a run would begin.
    pub fn is_allowed(&self, options: &Options, preflight: &Preflight) -> bool {
        self.bar(options, preflight).is_ok()
    }

    /// Sums up a run that stops here: what a dry run reports.
    pub fn outlook(&self, options: &Options, preflight: &Preflight) -> Summary {
        match self.bar(options, preflight) {
            Err(refused) => *refused,
            Ok(barred) => {
                let done = self.plan.is_empty() && barred.failures.is_empty();
                let outcome = if done { RunOutcome::Complete } else { RunOutcome::Incomplete };
                Summary { guarded: barred.guarded, ..self.summary(outcome, barred.failures) }
            }
        }
    }

    /// A summary of what is there now.
    pub(super) fn summary(&self, outcome: RunOutcome, failures: Vec<Failure>) -> Summary {
        let release: &ReleaseName = &self.plan.release;
        Summary {
            release: release.clone(),
            outcome,
            guarded: false,
            stopped: false,
            images: self.observed.iter().flat_map(|one| images(one, &one.survey)).collect(),
            failures,
        }
    }
}
