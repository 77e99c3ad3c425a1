//! Identities and assumed roles.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::call::{Call, Caller};
use super::reply::{Outcome, Refused};
use super::world::Shared;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By access key.
    sessions: BTreeMap<String, Session>,
}

/// An assumed role.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) caller: Caller,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

impl State {
    /// The session of an access key.
    pub(crate) fn session(&self, access_key: &str) -> Option<&Session> {
        self.sessions.get(access_key)
    }
}

/// Answers a call.
pub(crate) fn handle(_shared: &Shared, call: &Call) -> Outcome {
    Err(Refused::unknown_operation(call))
}
