//! Why a check failed.

use std::fmt::{self, Display, Formatter};

use crate::error::{Error, Kind, Result};

/// Why a check failed, in words for the author of the provider.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure in a sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(format!("{:?}: {}", error.kind(), error.chain().join(": ")))
    }
}

/// Fails with a sentence unless a condition holds.
pub(super) fn ensure(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(Failure(otherwise())) }
}

/// Fails unless a verb failed with this kind.
pub(super) fn ensure_fails<T>(result: Result<T>, kind: Kind, what: &str) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(Failure(format!("{what}: should fail as {kind:?}, but: {}", Failure::from(error)))),
        Ok(_) => Err(Failure(format!("{what}: should fail as {kind:?}, but succeeded"))),
    }
}

/// Puts what was being done before the failure of a verb.
pub(super) fn doing<T>(what: &str, result: Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure(format!("{what}: {}", Failure::from(error))))
}
