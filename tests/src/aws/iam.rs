//! iam

use super::call::Call;
use super::reply::{Outcome, Refused};
use super::world::Shared;

/// Answers a call.
pub(crate) fn handle(_shared: &Shared, call: &Call) -> Outcome {
    Err(Refused::unknown_operation(call))
}
