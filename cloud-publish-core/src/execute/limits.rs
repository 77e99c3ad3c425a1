//! How many steps run at once: images being sent per target, other calls per target and region; a throttled region gets
//! fewer. Replication is not counted: it is the cloud's work, and its queue at each destination is the provider's. Nor is
//! an image whose last byte is through: the cloud works on it, and the next can be sent meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{Region, TargetName};
use crate::plan::{Action, Step, StepId};

/// Images sent at once, and other steps at once in a region, where the configuration names no number.
pub const DEFAULT_CONCURRENCY: u32 = 4;

/// Successes in a row after which a lowered limit rises by one.
const CALM: u32 = 8;

#[derive(Debug)]
struct Lane {
    running: u32,
    allowed: u32,
    most: u32,
    calm: u32,
}

impl Lane {
    fn new(most: u32) -> Self {
        Self { running: 0, allowed: most.max(1), most: most.max(1), calm: 0 }
    }

    fn is_free(&self) -> bool {
        self.running < self.allowed
    }

    fn throttled(&mut self) {
        self.allowed = (self.allowed / 2).max(1);
        self.calm = 0;
    }

    fn succeeded(&mut self) {
        self.calm += 1;
        if self.calm >= CALM && self.allowed < self.most {
            self.allowed += 1;
            self.calm = 0;
        }
    }
}

fn is_free_of_limits(step: &Step) -> bool {
    matches!(step.action, Action::Replicate { .. })
}

fn sends(step: &Step) -> bool {
    matches!(step.action, Action::Upload)
}

/// What a region's lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Traffic {
    Data,
    Calls,
}

/// The lanes of all targets and their regions.
#[derive(Debug)]
pub(super) struct Limits {
    most: BTreeMap<TargetName, u32>,
    sending: BTreeMap<TargetName, Lane>,
    regions: BTreeMap<(TargetName, Option<Region>, Traffic), Lane>,
    /// Uploads that hold a place: those that have not sent everything yet.
    holders: BTreeSet<StepId>,
}

impl Limits {
    /// Limits with the most that each target's configuration allows at once.
    pub(super) fn new(most: BTreeMap<TargetName, u32>) -> Self {
        Self { most, sending: BTreeMap::new(), regions: BTreeMap::new(), holders: BTreeSet::new() }
    }

    /// The lane of the images being sent, if the step sends one, and the lane of its region.
    fn lanes(&mut self, step: &Step) -> (Option<&mut Lane>, &mut Lane) {
        let most = self.most.get(&step.target).copied().unwrap_or(DEFAULT_CONCURRENCY);
        let traffic = if sends(step) { Traffic::Data } else { Traffic::Calls };
        let sending = sends(step).then(|| self.sending.entry(step.target.clone()).or_insert_with(|| Lane::new(most)));
        let key = (step.target.clone(), step.region.clone(), traffic);
        (sending, self.regions.entry(key).or_insert_with(|| Lane::new(most)))
    }

    /// Takes a place for a step, if there is one.
    pub(super) fn admit(&mut self, step: &Step) -> bool {
        if is_free_of_limits(step) {
            return true;
        }
        let (sending, region) = self.lanes(step);
        let free = region.is_free() && sending.as_ref().is_none_or(|lane| lane.is_free());
        if free {
            region.running += 1;
            sending.into_iter().for_each(|lane| lane.running += 1);
        }
        if free && sends(step) {
            self.holders.insert(step.id.clone());
        }
        free
    }

    /// Gives the place of an upload back before its end: everything is sent.
    pub(super) fn sent(&mut self, step: &Step) {
        if self.holders.remove(&step.id) {
            self.leave(step);
        }
    }

    /// Gives the place back.
    pub(super) fn release(&mut self, step: &Step, throttled: bool) {
        if is_free_of_limits(step) {
            return;
        }
        if !sends(step) || self.holders.remove(&step.id) {
            self.leave(step);
        }
        let (_, region) = self.lanes(step);
        if throttled {
            region.throttled();
        } else {
            region.succeeded();
        }
    }

    fn leave(&mut self, step: &Step) {
        let (sending, region) = self.lanes(step);
        sending.into_iter().for_each(|lane| lane.running = lane.running.saturating_sub(1));
        region.running = region.running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Limits;
    use crate::names::Region;
    use crate::plan::{Action, ImageSource, Step, StepId};

    fn step(region: &str) -> Step {
        doing(Action::Upload, region)
    }

    fn doing(action: Action, region: &str) -> Step {
        let target = "t".parse().unwrap();
        Step {
            id: StepId::of_target(&target, region),
            target,
            image: None,
            region: Some(region.parse().unwrap()),
            action,
            after: Vec::new(),
            required: true,
            reason: String::new(),
        }
    }

    #[test]
    fn a_throttled_region_gets_fewer_at_once_and_recovers() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 4)]));
        let one = doing(Action::Register { upload: step("one").id }, "one");
        assert_eq!((0..9).filter(|_| limits.admit(&one)).count(), 4);
        (0..4).for_each(|_| limits.release(&one, true));
        assert_eq!((0..9).filter(|_| limits.admit(&one)).count(), 1);
        limits.release(&one, false);
        for _ in 0..40 {
            limits.admit(&one);
            limits.release(&one, false);
        }
        assert_eq!((0..9).filter(|_| limits.admit(&one)).count(), 4);
    }

    #[test]
    fn regions_share_the_limit_on_what_is_sent_and_nothing_else() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 2)]));
        assert!(limits.admit(&step("one")) && limits.admit(&step("two")));
        assert!(!limits.admit(&step("three")));
        let register = || Action::Register { upload: step("three").id };
        assert!(limits.admit(&doing(register(), "three")) && limits.admit(&doing(register(), "three")));
        assert!(!limits.admit(&doing(register(), "three")));
        let home = ImageSource::Found("i".parse().unwrap());
        let home_region: Region = "one".parse().unwrap();
        let copy = Action::Replicate { home, home_region, regions: Vec::new(), required: Vec::new() };
        assert!((0..99).all(|_| limits.admit(&doing(copy.clone(), "one"))));
    }

    #[test]
    fn an_image_that_is_sent_makes_room_for_the_next_once() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 1)]));
        let [first, second, third] = ["a", "b", "c"].map(|name| {
            let mut step = step("one");
            step.id = StepId::of_target(&step.target, name);
            step
        });
        assert!(limits.admit(&first) && !limits.admit(&second));
        limits.sent(&first);
        limits.sent(&first);
        assert!(limits.admit(&second) && !limits.admit(&third));
        limits.release(&first, false);
        assert!(!limits.admit(&third), "its place was given back before");
        limits.release(&second, false);
        assert!(limits.admit(&third));
    }

    #[test]
    fn who_sends_takes_no_place_from_other_calls_of_the_region() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 1)]));
        assert!(limits.admit(&step("one")));
        assert!(limits.admit(&doing(Action::Register { upload: step("one").id }, "one")));
    }
}
