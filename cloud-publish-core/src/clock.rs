//! Time as a dependency: nothing here reads a clock or sleeps except through a [`Clock`].

use std::fmt::Debug;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// The wall clock's time: for tags and people, never for ordering.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits without holding a thread.
    async fn sleep(&self, time: Duration);
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts its monotonic time now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's time is read")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// A clock that runs `factor` times as fast as the machine's, from a given moment: delays of hours in tests.
#[derive(Debug)]
pub struct FastClock {
    from: Timestamp,
    factor: u32,
    start: Instant,
}

impl FastClock {
    /// A clock that shows `from` now; a `factor` of 0 counts as 1.
    pub fn new(from: Timestamp, factor: u32) -> Self {
        Self { from, factor: factor.max(1), start: Instant::now() }
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.from.saturating_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed().saturating_mul(self.factor)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time / self.factor).await;
    }
}
