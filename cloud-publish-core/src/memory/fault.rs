//! Failures that a test asks for, and which request they hit.

use crate::memory::log::Verb;
use crate::names::Region;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// "Slow down"; nothing happens.
    Throttle,
    /// The cloud cannot be reached; nothing happens.
    Unavailable,
    /// It takes effect, but the caller is told that the cloud could not be reached. Hits only requests that ask for a
    /// change.
    LostReply,
    /// No answer until the run is cancelled; nothing happens.
    Hang,
    /// The credentials are not allowed to do this; nothing happens.
    Denied,
    /// The publisher that sent it is dead: this and all its later requests fail and do nothing.
    Kill,
}

/// A rule by which requests fail.
///
/// ```
/// use cloud_publish_core::memory::{Fault, Verb, What};
/// let second_two_polls = Fault::new(What::Throttle).on(Verb::Register).nth(2).times(2);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    what: What,
    verb: Option<Verb>,
    region: Option<Region>,
    nth: u32,
    times: u32,
    met: u32,
}

impl Fault {
    /// The first request of any verb, anywhere, fails once.
    pub fn new(what: What) -> Self {
        Self { what, verb: None, region: None, nth: 1, times: 1, met: 0 }
    }

    /// Only requests on behalf of this verb.
    #[must_use]
    pub fn on(mut self, verb: Verb) -> Self {
        self.verb = Some(verb);
        self
    }

    /// Only requests to this region.
    #[must_use]
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// The `nth` matching request from now on, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth.max(1);
        self
    }

    /// So many matching requests in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// That request and every later one.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Counts a request and says how it fails, if it does.
    pub(super) fn meets(&mut self, verb: Verb, region: Option<&Region>, changes: bool) -> Option<What> {
        let matches = self.verb.is_none_or(|wanted| wanted == verb)
            && self.region.as_ref().is_none_or(|wanted| Some(wanted) == region)
            && (changes || self.what != What::LostReply);
        if !matches {
            return None;
        }
        self.met = self.met.saturating_add(1);
        let past = self.met.checked_sub(self.nth)?;
        (past < self.times).then_some(self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, What};
    use crate::memory::log::Verb;

    #[test]
    fn a_fault_hits_the_requests_it_names_and_no_other() {
        let mut fault = Fault::new(What::LostReply).on(Verb::Register).nth(2).times(1);
        let hits: Vec<_> = [
            (Verb::Upload, true),
            (Verb::Register, true),
            (Verb::Register, false),
            (Verb::Register, true),
            (Verb::Register, true),
        ]
        .map(|(verb, changes)| fault.meets(verb, None, changes).is_some())
        .into();
        assert_eq!(hits, [false, false, false, true, false]);
    }
}
