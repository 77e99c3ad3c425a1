//! The name of one run of the program.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

/// One run of the program: a ULID, so that names sort roughly by time for people; nothing is decided by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(Ulid);

impl RunId {
    /// A name that no other run has: the clock's time and 80 random bits.
    pub fn generate(clock: &dyn Clock) -> Self {
        Self(Ulid::from_datetime(SystemTime::from(clock.now())))
    }
}

impl Display for RunId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl FromStr for RunId {
    type Err = Error;

    /// Reads the 26 upper-case characters; another spelling of the same number would be another name in a store.
    fn from_str(text: &str) -> Result<Self> {
        let id = Ulid::from_string(text).ok().filter(|id| id.to_string() == text);
        id.map(Self).ok_or_else(|| Error::new(Kind::InvalidInput, format!("`{text}` is not the id of a run")))
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}
