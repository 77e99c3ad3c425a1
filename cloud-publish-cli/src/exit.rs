//! How a command ended, as the number that scripts see.

use std::process::ExitCode;

use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::run::{RunOutcome, Summary};

/// A command's end. Ordered by weight: of several ends the heaviest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: done; `find`: something found.
    Done,
    /// 4: something outside has to happen first; the same line later continues.
    Waiting,
    /// 1: something failed, a rerun continues; `verify`: live state differs; `find`: nothing found.
    Incomplete,
    /// 3: a safety guard refused.
    Guarded,
    /// 2: refused before anything was attempted.
    Refused,
    /// 130: stopped at once by the second Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Waiting => 4,
            Self::Incomplete => 1,
            Self::Guarded => 3,
            Self::Refused => 2,
            Self::Interrupted => 130,
        }
    }

    /// The heavier of two.
    pub(crate) fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    /// The end of a command that stopped at an error before anything was attempted.
    pub(crate) fn of_refusal(error: &Error) -> Self {
        match error.kind() {
            Kind::Refused => Self::Guarded,
            Kind::LeaseHeld | Kind::Waiting => Self::Waiting,
            Kind::Cancelled => Self::Incomplete,
            _ => Self::Refused,
        }
    }

    /// The end of a run.
    pub(crate) fn of_summary(summary: &Summary) -> Self {
        match summary.outcome {
            RunOutcome::Refused | RunOutcome::Incomplete if summary.guarded => Self::Guarded,
            RunOutcome::Complete => Self::Done,
            RunOutcome::Incomplete => Self::Incomplete,
            RunOutcome::Waiting => Self::Waiting,
            RunOutcome::Refused => Self::Refused,
        }
    }

    /// The word of the `--json` summary.
    pub(crate) fn outcome(self) -> RunOutcome {
        match self {
            Self::Done => RunOutcome::Complete,
            Self::Waiting => RunOutcome::Waiting,
            Self::Incomplete | Self::Interrupted => RunOutcome::Incomplete,
            Self::Guarded | Self::Refused => RunOutcome::Refused,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_weights_are_in_the_documented_order() {
        let mut ends = [Exit::Interrupted, Exit::Refused, Exit::Guarded, Exit::Incomplete, Exit::Waiting, Exit::Done];
        ends.sort();
        assert_eq!(ends.map(Exit::number), [0, 4, 1, 3, 2, 130]);
        assert_eq!(Exit::Waiting.worst(Exit::Incomplete), Exit::Incomplete);
    }
}
