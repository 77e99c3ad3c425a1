//! How a running step tells the run that it only waits for the cloud: another may take its place meanwhile.
//!
//! Verbs know nothing of this. They wait through their context's clock, and say how much they have sent.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::clock::Clock;
use crate::plan::StepId;

/// What a step does from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits and needs no place.
    Waits,
    /// It makes calls again.
    GoesOn,
}

/// The run's ear.
pub(super) type Turns = UnboundedReceiver<(StepId, Turn)>;

/// A step's mouth. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Teller(UnboundedSender<(StepId, Turn)>);

/// Both ends.
pub(super) fn turns() -> (Teller, Turns) {
    let (sender, receiver) = unbounded_channel();
    (Teller(sender), receiver)
}

impl Teller {
    pub(super) fn tell(&self, step: &StepId, turn: Turn) {
        // A run that has ended has no places to give.
        let _ = self.0.send((step.clone(), turn));
    }
}

/// A clock that tells while a step sleeps.
#[derive(Debug)]
pub(super) struct StepClock {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) step: StepId,
    pub(super) teller: Teller,
}

#[async_trait]
impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        let _asleep = Asleep::of(self);
        self.clock.sleep(time).await;
    }
}

/// A sleep, which may be cut short.
struct Asleep<'a>(&'a StepClock);

impl<'a> Asleep<'a> {
    fn of(clock: &'a StepClock) -> Self {
        clock.teller.tell(&clock.step, Turn::Waits);
        Self(clock)
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.teller.tell(&self.0.step, Turn::GoesOn);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{StepClock, Turn, turns};
    use crate::clock::{Clock as _, SystemClock};
    use crate::plan::StepId;

    #[tokio::test]
    async fn a_sleep_is_told_at_both_ends_even_when_it_is_cut_short() {
        let (teller, mut heard) = turns();
        let step = StepId::of_target(&"t".parse().unwrap(), "one");
        let clock = StepClock { clock: Arc::new(SystemClock::new()), step: step.clone(), teller };
        clock.sleep(Duration::from_millis(1)).await;
        tokio::time::timeout(Duration::from_millis(1), clock.sleep(Duration::from_secs(60))).await.unwrap_err();
        drop(clock);
        let mut turns = Vec::new();
        while let Some((of, turn)) = heard.recv().await {
            assert_eq!(of, step);
            turns.push(turn);
        }
        assert_eq!(turns, [Turn::Waits, Turn::GoesOn, Turn::Waits, Turn::GoesOn]);
    }
}
