//! How many copies run into one region at a time.
//!
//! AWS limits the snapshot copies under way into each destination, for the whole account and in a number that it does not
//! show: <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html>. So a region starts with the
//! documented twenty, shrinks to what was accepted when one is refused, and grows again by one for each that ends well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloud_publish_core::names::Region;
use tokio::sync::Notify;

/// <https://docs.aws.amazon.com/general/latest/gr/ebs-service.html>: concurrent snapshot copies per destination region.
const MOST: u32 = 20;

/// The queues of one account, by destination.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<BTreeMap<Region, Arc<Queue>>>);

impl Queues {
    pub(super) fn of(&self, region: &Region) -> Arc<Queue> {
        lock(&self.0).entry(region.clone()).or_default().clone()
    }
}

/// The copies into one region.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    most: u32,
    running: u32,
    /// Those of `running` that AWS has taken.
    accepted: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self { state: Mutex::new(State { most: MOST, running: 0, accepted: 0 }), freed: Notify::new() }
    }
}

impl Queue {
    /// Waits for a place.
    pub(super) async fn place(&self) -> Place<'_> {
        loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // From here on no place that becomes free is missed.
            freed.as_mut().enable();
            if let Some(place) = self.try_place() {
                return place;
            }
            freed.await;
        }
    }

    /// A place, if one is free.
    pub(super) fn try_place(&self) -> Option<Place<'_>> {
        let mut state = lock(&self.state);
        if state.running >= state.most {
            return None;
        }
        state.running = state.running.saturating_add(1);
        Some(Place { queue: self, accepted: false })
    }
}

/// Gives its place back when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    queue: &'a Queue,
    accepted: bool,
}

impl Place<'_> {
    /// AWS has taken the copy.
    pub(super) fn accepted(&mut self) {
        let mut state = lock(&self.queue.state);
        state.accepted = state.accepted.saturating_add(1);
        self.accepted = true;
    }

    /// The copy has ended: the next may be one more.
    pub(super) fn ended(self) {
        let mut state = lock(&self.queue.state);
        state.most = state.most.saturating_add(1).min(MOST);
    }

    /// AWS takes no more than it has.
    pub(super) fn refused(self) {
        let mut state = lock(&self.queue.state);
        state.most = state.accepted.clamp(1, state.most);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.state);
        state.running = state.running.saturating_sub(1);
        if self.accepted {
            state.accepted = state.accepted.saturating_sub(1);
        }
        drop(state);
        self.queue.freed.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MOST, Place, Queue};

    fn fill(queue: &Queue) -> Vec<Place<'_>> {
        std::iter::from_fn(|| queue.try_place()).collect()
    }

    #[test]
    fn a_region_starts_with_twenty_places() {
        let queue = Queue::default();
        assert_eq!(fill(&queue).len(), MOST as usize);
        assert_eq!(fill(&queue).len(), MOST as usize, "places come back");
    }

    #[test]
    fn a_refusal_leaves_as_many_places_as_were_taken_and_an_end_adds_one() {
        let queue = Queue::default();
        let mut places = fill(&queue);
        for place in &mut places[..5] {
            place.accepted();
        }
        for place in places.split_off(5) {
            place.refused();
        }
        assert!(queue.try_place().is_none(), "five run");
        places.pop().unwrap().ended();
        assert_eq!(fill(&queue).len(), 2, "the one that ended and one more");
    }

    #[test]
    fn one_place_is_always_left() {
        let queue = Queue::default();
        queue.try_place().unwrap().refused();
        assert_eq!(fill(&queue).len(), 1);
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let queue = Queue::default();
        let mut places = fill(&queue);
        let waits = async { drop(queue.place().await) };
        let frees = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            places.pop();
        };
        let both = async { tokio::join!(waits, frees) };
        tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
    }

    #[tokio::test]
    async fn who_stops_waiting_takes_no_place() {
        let queue = Queue::default();
        let places = fill(&queue);
        tokio::time::timeout(Duration::from_millis(10), queue.place()).await.unwrap_err();
        drop(places);
        assert_eq!(fill(&queue).len(), MOST as usize);
    }
}
