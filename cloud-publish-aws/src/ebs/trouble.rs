//! What a failed try of a block means: whether another may help, how often, and after which pause.

use std::time::Duration;

use aws_sdk_ebs::types::ValidationExceptionReason as Reason;
use cloud_publish_core::error::{Error, Kind};

/// How often a block is tried while AWS is slow or fails. With the pauses below that is about two minutes.
pub(super) const TRIES: u32 = 12;

/// How often a block is tried that AWS does not take as it is: it may have been damaged on its way.
pub(super) const REFUSALS: u32 = 3;

/// The first pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What a failed try means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Too much at once, or too slow: try again, and send less at a time.
    Slow,
    /// Try again.
    Passing,
    /// The snapshot is not there, or not yet.
    Missing,
    /// AWS does not take the request: the snapshot is complete already, or the block arrived damaged.
    Refused,
    /// A block token has expired; the blocks must be listed again.
    Expired,
    /// Trying again cannot help.
    Final,
}

/// A failed try, or, after the last one, a failed block.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) error: Error,
    pub(crate) nature: Nature,
}

impl Trouble {
    /// What an error means, for which AWS gave this reason, if it gave one.
    pub(crate) fn new(error: Error, reason: Option<&Reason>) -> Self {
        let nature = match (error.kind(), reason) {
            (Kind::Throttled | Kind::TimedOut, _) => Nature::Slow,
            (Kind::Unavailable, _) => Nature::Passing,
            // Two publishers write the same block of the same snapshot.
            (Kind::InvalidInput, Some(Reason::ConflictingBlockUpdate | Reason::WriteRequestTimeout)) => Nature::Passing,
            (Kind::InvalidInput, Some(Reason::InvalidBlockToken)) => Nature::Expired,
            (Kind::InvalidInput | Kind::Corrupt, _) => Nature::Refused,
            (Kind::NotFound, _) => Nature::Missing,
            _ => Nature::Final,
        };
        Self { error, nature }
    }

    /// How often such a block is tried altogether.
    pub(super) fn tries(&self) -> u32 {
        match self.nature {
            Nature::Slow | Nature::Passing => TRIES,
            Nature::Missing => u32::MAX,
            Nature::Refused => REFUSALS,
            Nature::Expired | Nature::Final => 1,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, nature: Nature::Final }
    }
}

/// The pause after a try, counted from 1.
pub(super) fn pause(tried: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(pause(1), Duration::from_millis(200));
        assert_eq!(pause(3), Duration::from_millis(800));
        assert_eq!(pause(40), Duration::from_secs(15));
    }
}
