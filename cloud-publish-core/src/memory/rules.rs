//! How a region of the cloud behaves: limits, permissions, slowness.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::memory::log::Verb;

/// The rules of one region. The default is a region without limits that answers at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The account has not enabled the region: every request is refused.
    pub disabled: bool,
    /// Verbs that the credentials may not use here.
    pub denied: BTreeSet<Verb>,
    /// How many images each account may have here.
    pub image_quota: Option<usize>,
    /// How long each request takes, by the clock of its context.
    pub delay: Duration,
    /// How long each request of these verbs takes instead.
    pub delays: BTreeMap<Verb, Duration>,
    /// How long a new object is unknown to every look, by the cloud's clock.
    pub settle: Duration,
    /// How long a new image is being made, by the cloud's clock.
    pub making: Duration,
    /// How many objects a page of a listing holds; `None`: all.
    pub page: Option<usize>,
    /// A listing breaks off after so many pages.
    pub listing_breaks_after: Option<usize>,
}

impl Rules {
    /// How long a request of this verb takes.
    pub(super) fn delay_of(&self, verb: Verb) -> Duration {
        self.delays.get(&verb).copied().unwrap_or(self.delay)
    }
}
