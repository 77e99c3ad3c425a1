//! Values that change late, as everything does at a cloud that is only eventually consistent.

use jiff::{SignedDuration, Timestamp};

/// A value whose latest change readers see only after a while.
#[derive(Debug, Clone)]
pub(crate) struct Lagging<T> {
    latest: T,
    before: T,
    seen_at: Timestamp,
}

impl<T: Clone> Lagging<T> {
    /// Starts with a value that everybody sees.
    pub(crate) fn new(value: T) -> Self {
        Self { before: value.clone(), latest: value, seen_at: Timestamp::MIN }
    }

    /// Changes the value at `now`; readers see it `millis` later.
    pub(crate) fn set(&mut self, value: T, now: Timestamp, millis: u64) {
        self.before = self.seen(now).clone();
        self.latest = value;
        self.seen_at = later(now, millis);
    }

    /// What a reader sees at `now`.
    pub(crate) fn seen(&self, now: Timestamp) -> &T {
        if now < self.seen_at { &self.before } else { &self.latest }
    }

    /// What was written last, seen or not.
    pub(crate) fn latest(&self) -> &T {
        &self.latest
    }
}

/// The moment that many milliseconds after another.
pub(crate) fn later(now: Timestamp, millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Lagging, later};

    #[test]
    fn a_change_is_seen_late_and_a_second_one_does_not_bring_the_first_forward() {
        let start = Timestamp::UNIX_EPOCH;
        let mut value = Lagging::new("old");
        value.set("new", start, 100);
        assert_eq!((*value.seen(later(start, 99)), *value.latest()), ("old", "new"));
        value.set("newest", later(start, 50), 100);
        assert_eq!(*value.seen(later(start, 149)), "old");
        assert_eq!(*value.seen(later(start, 150)), "newest");
    }
}
