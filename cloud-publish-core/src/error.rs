//! The one error of every crate here: what the caller can decide on, and what a person needs to act.
//!
//! Providers keep private `thiserror` enums for what their wire says and turn them into this [`Error`] in one
//! `classify`, on codes, never on message text. Retrying is decided by the executor from [`Error::retry`] alone.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A manifest, a configuration file, an argument or a disk image is wrong: nothing was attempted.
    InvalidInput,
    /// This target, or this build of the program, cannot do what was asked.
    Unsupported,
    /// What was asked for is not there.
    NotFound,
    /// A name or an id is held by something that is not ours.
    NameTaken,
    /// The state found contradicts the request: two objects for one key, or someone else is changing it.
    Conflict,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The credentials are good, but not allowed to do this.
    PermissionDenied,
    /// A quota or limit of the account is reached.
    QuotaExceeded,
    /// The cloud asks us to slow down.
    Throttled,
    /// The cloud failed or could not be reached; the same call may work later.
    Unavailable,
    /// A deadline passed before the cloud said that it is done.
    TimedOut,
    /// What arrived is not what was sent.
    Corrupt,
    /// The object is in use and cannot be removed now.
    InUse,
    /// A safety guard refused: withdrawn, tombstoned, not ours, or ambiguous.
    Refused,
    /// Somebody else holds the lease of this target.
    LeaseHeld,
    /// A gate said no: what it was asked about does not become public.
    Rejected,
    /// Something outside has to happen first: an approval, a gate that says "not yet".
    Waiting,
    /// The run was asked to stop.
    Cancelled,
    /// Reading or writing on this machine, or the state store, failed.
    Storage,
    /// The cloud answered something that we do not understand.
    Unexpected,
}

/// Whether trying the same call again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The same call may work; not before the given time, where the cloud named one.
    After(Option<Duration>),
}

/// A failure: its [`Kind`], what was being done, to what, and why.
///
/// [`Display`] prints the message and its context, never the source: print the chain with [`Error::chain`].
///
/// ```
/// use cloud_publish_core::error::{Error, Kind};
/// let error = Error::new(Kind::QuotaExceeded, "public image quota reached")
///     .during("set_visibility")
///     .with("region", "eu-west-1");
/// assert_eq!(error.to_string(), "public image quota reached (set_visibility, region eu-west-1)");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    retry: Retry,
    message: Cow<'static, str>,
    operation: Option<Cow<'static, str>>,
    context: Vec<(&'static str, String)>,
    hint: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error; `message` says what failed in lower case, without a full stop.
    ///
    /// Throttling, unavailability and time-outs are retryable unless [`Error::permanent`] says otherwise.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        let retry = match kind {
            Kind::Throttled | Kind::Unavailable | Kind::TimedOut => Retry::After(None),
            _ => Retry::Never,
        };
        Self(Box::new(Inner {
            kind,
            retry,
            message: message.into(),
            operation: None,
            context: Vec::new(),
            hint: None,
            source: None,
        }))
    }

    /// Names the verb or call that failed; the innermost name stays.
    #[must_use]
    pub fn during(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation.get_or_insert_with(|| operation.into());
        self
    }

    /// Adds a fact, such as the region or the id concerned. A fact already named stays as it is.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        if self.0.context.iter().all(|(known, _)| *known != name) {
            self.0.context.push((name, value.to_string()));
        }
        self
    }

    /// Says what a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says that the same call may work later, not before `after`.
    #[must_use]
    pub fn retryable(mut self, after: Option<Duration>) -> Self {
        self.0.retry = Retry::After(after);
        self
    }

    /// Says that the same call will fail again.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.0.retry = Retry::Never;
        self
    }

    /// What the caller can decide on.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The message alone, without context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The verb or call that failed.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The value of a fact added by [`Error::with`].
    pub fn context(&self, name: &str) -> Option<&str> {
        self.0.context.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// What a person can do: the nearest hint in the chain.
    pub fn advice(&self) -> Option<&str> {
        if let Some(hint) = &self.0.hint {
            return Some(hint);
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(hint) = error.downcast_ref::<Self>().and_then(|own| own.0.hint.as_deref()) {
                return Some(hint);
            }
            cause = error.source();
        }
        None
    }

    /// The messages of this error and its causes, outermost first, without repetitions.
    pub fn chain(&self) -> Vec<String> {
        let mut lines = vec![self.to_string()];
        let mut cause = self.source();
        while let Some(error) = cause {
            let line = error.to_string();
            if lines.last().is_none_or(|last| !last.contains(&line)) {
                lines.push(line);
            }
            cause = error.source();
        }
        lines
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let operation = self.0.operation.iter().map(ToString::to_string);
        let facts = operation.chain(self.0.context.iter().map(|(name, value)| format!("{name} {value}")));
        let facts: Vec<String> = facts.collect();
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Kind, Retry};

    #[test]
    fn only_passing_troubles_are_retryable_by_default() {
        assert_eq!(Error::new(Kind::Throttled, "slow down").retry(), Retry::After(None));
        assert_eq!(Error::new(Kind::PermissionDenied, "no").retry(), Retry::Never);
        assert_eq!(Error::new(Kind::Unavailable, "down").permanent().retry(), Retry::Never);
    }

    #[test]
    fn the_chain_names_every_cause_once_and_the_hint_is_found_inside() {
        let inner = Error::new(Kind::NotFound, "no such region").hint("list it under `best_effort`");
        let outer = Error::new(Kind::Unexpected, "could not copy").with("region", "eu-south-1").caused_by(inner);
        assert_eq!(outer.chain(), ["could not copy (region eu-south-1)", "no such region"]);
        assert_eq!(outer.advice(), Some("list it under `best_effort`"));
    }
}
