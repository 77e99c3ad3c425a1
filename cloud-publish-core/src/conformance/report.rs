//! What came of a run of the suite.

use std::fmt::{self, Display, Formatter};

use crate::conformance::Failure;

/// How one check ended.
#[derive(Debug)]
pub enum Outcome {
    /// The target does what it must.
    Passed,
    /// It does not.
    Failed(Failure),
    /// The check is about something that this target does not have; with what it needs.
    NotApplicable(&'static str),
    /// It failed, as the fixture says it would; with the reason.
    KnownShortfall(String),
}

/// How all checks ended, in their order. Its `Display` is one line per check.
#[derive(Debug, Default)]
pub struct Report {
    outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    pub(super) fn add(&mut self, check: &'static str, outcome: Outcome) {
        self.outcomes.push((check, outcome));
    }

    /// The checks' names and outcomes.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, &Outcome)> {
        self.outcomes.iter().map(|(name, outcome)| (*name, outcome))
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
        failed.map(|(name, _)| name).collect()
    }

    /// The names of the checks that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        let passed = self.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::Passed));
        passed.map(|(name, _)| name).collect()
    }

    /// Whether nothing failed and something passed.
    pub fn is_success(&self) -> bool {
        self.failed().is_empty() && !self.passed().is_empty()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, outcome) in self.outcomes() {
            match outcome {
                Outcome::Passed => writeln!(f, "passed          {name}")?,
                Outcome::Failed(why) => writeln!(f, "FAILED          {name}: {why}")?,
                Outcome::NotApplicable(needs) => writeln!(f, "not applicable  {name}: needs {needs}")?,
                Outcome::KnownShortfall(reason) => writeln!(f, "known shortfall {name}: {reason}")?,
            }
        }
        Ok(())
    }
}
