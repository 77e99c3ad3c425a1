//! Imports of snapshots from S3.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Outcome, Refused};
use super::world::Shared;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {}

impl State {
    /// To be read by tests and people.
    pub(crate) fn dump(&self, _now: Timestamp) -> Value {
        json!({})
    }
}

/// Answers a call.
pub(crate) fn handle(_shared: &Shared, call: &Call) -> Outcome {
    Err(Refused::unknown_operation(call))
}
