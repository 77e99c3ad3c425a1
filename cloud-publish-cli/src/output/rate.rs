//! How fast something goes, over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back it looks: long enough for pieces of some MiB to come evenly.
const WINDOW: Duration = Duration::from_secs(15);

/// The closest that two looks are kept apart.
const APART: Duration = Duration::from_millis(200);

/// Before this there is no telling.
const SHORTEST: Duration = Duration::from_secs(1);

/// What was done when.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    seen: VecDeque<(Duration, u64)>,
}

impl Rate {
    /// Takes in that `done` bytes are through at `now`. Fewer than before: it begins anew.
    pub(crate) fn saw(&mut self, now: Duration, done: u64) {
        if self.seen.back().is_some_and(|(_, before)| done < *before) {
            self.seen.clear();
        }
        // The first and the newest are kept; in between one for each interval.
        let is_close = |(then, _): &(Duration, u64)| now.saturating_sub(*then) < APART;
        if self.seen.len() > 1 && self.seen.iter().rev().nth(1).is_some_and(is_close) {
            self.seen.pop_back();
        }
        self.seen.push_back((now, done));
    }

    /// Bytes in a second.
    pub(crate) fn per_second(&mut self, now: Duration) -> Option<u64> {
        while self.seen.get(1).is_some_and(|(then, _)| now.saturating_sub(*then) >= WINDOW) {
            self.seen.pop_front();
        }
        let ((begun, first), (_, last)) = (self.seen.front()?, self.seen.back()?);
        let time = now.saturating_sub(*begun);
        if time < SHORTEST {
            return None;
        }
        let rate = u128::from(last - first) * 1000 / time.as_millis().max(1);
        u64::try_from(rate).ok()
    }
}

/// How long the rest takes at a rate.
pub(crate) fn time_left(done: u64, total: u64, per_second: Option<u64>) -> Option<Duration> {
    let rest = total.saturating_sub(done);
    rest.checked_div(per_second?).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rate, time_left};

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_rate_is_that_of_the_last_seconds_and_falls_when_nothing_comes() {
        let mut rate = Rate::default();
        let at = Duration::from_secs;
        assert_eq!(rate.per_second(at(0)), None);
        (0..60).for_each(|second| rate.saw(at(second), second * MIB));
        assert_eq!(rate.per_second(at(59)), Some(MIB));
        (60..90).for_each(|second| rate.saw(at(second), 59 * MIB + (second - 59) * 10 * MIB));
        assert_eq!(rate.per_second(at(89)), Some(10 * MIB));
        assert!(rate.per_second(at(110)).unwrap() < MIB);
    }

    #[test]
    fn what_begins_anew_has_no_rate_yet() {
        let mut rate = Rate::default();
        (0..10).for_each(|second| rate.saw(Duration::from_secs(second), second * MIB));
        rate.saw(Duration::from_secs(10), 0);
        assert_eq!(rate.per_second(Duration::from_secs(10)), None);
    }

    #[test]
    fn many_looks_are_few_memories() {
        let mut rate = Rate::default();
        (0..10_000).for_each(|look| rate.saw(Duration::from_millis(look), look));
        assert!(rate.seen.len() < 100, "{}", rate.seen.len());
    }

    #[test]
    fn the_rest_takes_as_long_as_the_rate_says() {
        assert_eq!(time_left(MIB, 11 * MIB, Some(MIB)), Some(Duration::from_secs(10)));
        assert_eq!(time_left(MIB, 11 * MIB, Some(0)), None);
        assert_eq!(time_left(MIB, 11 * MIB, None), None);
    }
}
