//! How many blocks are under way at a time: more while all goes well, half as many when AWS is too slow.
//!
//! EBS takes 1,000 blocks a second of an account at most, and how many of them are ours is not known:
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html>. The SDK's adaptive mode counts calls per
//! second instead, and fell to a few when one burst was throttled.

/// Where it begins.
const FIRST: usize = 8;

/// Where it ends: 32 MiB of blocks.
const MOST: usize = 64;

/// Additive increase, multiplicative decrease.
#[derive(Debug)]
pub(super) struct Concurrency {
    limit: usize,
    /// Successes since the limit last changed.
    successes: usize,
    /// Counts the decreases.
    epoch: u64,
}

/// When a block was begun: a throttle of a block from before the last decrease says nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

impl Default for Concurrency {
    fn default() -> Self {
        Self { limit: FIRST, successes: 0, epoch: 0 }
    }
}

impl Concurrency {
    /// How many blocks may be under way.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Remembered for a block that begins now.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// A block is through: after a limit's worth of them the limit grows by one.
    pub(super) fn succeeded(&mut self) {
        self.successes = self.successes.saturating_add(1);
        if self.successes >= self.limit {
            self.limit = self.limit.saturating_add(1).min(MOST);
            self.successes = 0;
        }
    }

    /// AWS was too slow for a try that began in `begun`; the epoch of the next try comes back.
    pub(super) fn slowed(&mut self, begun: Epoch) -> Epoch {
        if begun == self.epoch() {
            self.limit = (self.limit / 2).max(1);
            self.successes = 0;
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.epoch()
    }
}

#[cfg(test)]
mod tests {
    use super::{Concurrency, FIRST, MOST};

    #[test]
    fn it_grows_by_one_per_window_up_to_the_most() {
        let mut concurrency = Concurrency::default();
        (0..FIRST - 1).for_each(|_| concurrency.succeeded());
        assert_eq!(concurrency.limit(), FIRST);
        concurrency.succeeded();
        assert_eq!(concurrency.limit(), FIRST + 1);
        (0..MOST * MOST).for_each(|_| concurrency.succeeded());
        assert_eq!(concurrency.limit(), MOST);
    }

    #[test]
    fn one_burst_of_throttles_halves_it_once() {
        let mut concurrency = Concurrency::default();
        let begun = concurrency.epoch();
        (0..FIRST).for_each(|_| assert_ne!(concurrency.slowed(begun), begun));
        assert_eq!(concurrency.limit(), FIRST / 2);
    }

    #[test]
    fn it_never_falls_below_one_and_recovers() {
        let mut concurrency = Concurrency::default();
        for _ in 0..20 {
            let begun = concurrency.epoch();
            concurrency.slowed(begun);
        }
        assert_eq!(concurrency.limit(), 1);
        concurrency.succeeded();
        assert_eq!(concurrency.limit(), 2);
    }
}
