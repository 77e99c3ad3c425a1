//! Marketplace Catalog: products and change sets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Outcome, Refused};
use super::settings::Settings;
use super::world::Shared;

/// What is there from the beginning.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {}

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {}

impl State {
    /// The beginning.
    pub(crate) fn seeded(_settings: &Settings, _now: Timestamp) -> Self {
        Self::default()
    }

    /// To be read by tests and people.
    pub(crate) fn dump(&self, _now: Timestamp) -> Value {
        json!({})
    }
}

/// Answers a call.
pub(crate) fn handle(_shared: &Shared, call: &Call) -> Outcome {
    Err(Refused::unknown_operation(call))
}
