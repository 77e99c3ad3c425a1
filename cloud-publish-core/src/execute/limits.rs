//! How many steps run at once: per target, and per target and region; a throttled region gets fewer.

use std::collections::BTreeMap;

use crate::names::{Region, TargetName};
use crate::plan::Step;

/// Steps at once where the configuration names no number.
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

/// The lanes of all targets and their regions.
#[derive(Debug)]
pub(super) struct Limits {
    most: BTreeMap<TargetName, u32>,
    targets: BTreeMap<TargetName, Lane>,
    regions: BTreeMap<(TargetName, Option<Region>), Lane>,
}

impl Limits {
    /// Limits with the most that each target's configuration allows at once.
    pub(super) fn new(most: BTreeMap<TargetName, u32>) -> Self {
        Self { most, targets: BTreeMap::new(), regions: BTreeMap::new() }
    }

    fn lanes(&mut self, step: &Step) -> (&mut Lane, &mut Lane) {
        let most = self.most.get(&step.target).copied().unwrap_or(DEFAULT_CONCURRENCY);
        let target = self.targets.entry(step.target.clone()).or_insert_with(|| Lane::new(most));
        let key = (step.target.clone(), step.region.clone());
        let region = self.regions.entry(key).or_insert_with(|| Lane::new(most));
        (target, region)
    }

    /// Takes a place for a step, if there is one.
    pub(super) fn admit(&mut self, step: &Step) -> bool {
        let (target, region) = self.lanes(step);
        let free = target.is_free() && region.is_free();
        if free {
            target.running += 1;
            region.running += 1;
        }
        free
    }

    /// Gives the place back.
    pub(super) fn release(&mut self, step: &Step, throttled: bool) {
        let (target, region) = self.lanes(step);
        target.running = target.running.saturating_sub(1);
        region.running = region.running.saturating_sub(1);
        if throttled {
            region.throttled();
        } else {
            region.succeeded();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Limits;
    use crate::plan::{Action, Step, StepId};

    fn step(region: &str) -> Step {
        let target = "t".parse().unwrap();
        Step {
            id: StepId::of_target(&target, region),
            target,
            image: None,
            region: Some(region.parse().unwrap()),
            action: Action::Upload,
            after: Vec::new(),
            required: true,
            reason: String::new(),
        }
    }

    #[test]
    fn a_throttled_region_gets_fewer_at_once_and_recovers() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 4)]));
        let one = step("one");
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
    fn regions_share_the_limit_of_their_target() {
        let mut limits = Limits::new(BTreeMap::from([("t".parse().unwrap(), 2)]));
        assert!(limits.admit(&step("one")) && limits.admit(&step("two")));
        assert!(!limits.admit(&step("three")));
    }
}
