//! How many steps run at once: images being sent per target, other calls per target and region; a throttled region gets
//! fewer. Replication is not counted: it is the cloud's work, and its queue at each destination is the provider's. Nor is
//! a step that only waits, or an image whose last byte is through: the cloud works on them, and others can go on meanwhile.
//! A target's gate is asked about one image after the other, or as many at once as it wants.
//! Who has waited goes on at once, so that for moments there are more.

use std::collections::BTreeMap;

use super::waiting::Turn;
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
    matches!(step.action, Action::Replicate { .. } | Action::Approve { .. })
}

fn sends(step: &Step) -> bool {
    matches!(step.action, Action::Upload)
}

/// What a region's lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Traffic {
    Data,
    Calls,
    Gate,
}

/// The most that a target's configuration allows at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Images being sent, and other steps in a region.
    pub(super) steps: u32,
    /// Images that its gate is asked about.
    pub(super) gates: u32,
}

impl Default for Most {
    fn default() -> Self {
        Self { steps: DEFAULT_CONCURRENCY, gates: 1 }
    }
}

/// The lanes of all targets and their regions.
#[derive(Debug)]
pub(super) struct Limits {
    most: BTreeMap<TargetName, Most>,
    sending: BTreeMap<TargetName, Lane>,
    regions: BTreeMap<(TargetName, Option<Region>, Traffic), Lane>,
    /// Running steps that are counted, and whether each holds a place just now.
    running: BTreeMap<StepId, bool>,
}

impl Limits {
    /// Limits with the most that each target's configuration allows at once.
    pub(super) fn new(most: BTreeMap<TargetName, Most>) -> Self {
        Self { most, sending: BTreeMap::new(), regions: BTreeMap::new(), running: BTreeMap::new() }
    }

    /// The lane of the images being sent, if the step sends one, and the lane of its region.
    fn lanes(&mut self, step: &Step) -> (Option<&mut Lane>, &mut Lane) {
        let Most { steps, gates } = self.most.get(&step.target).copied().unwrap_or_default();
        let (traffic, most) = match step.action {
            Action::Upload => (Traffic::Data, steps),
            Action::Gate { .. } => (Traffic::Gate, gates),
            _ => (Traffic::Calls, steps),
        };
        let sending = sends(step).then(|| self.sending.entry(step.target.clone()).or_insert_with(|| Lane::new(steps)));
        let key = (step.target.clone(), step.region.clone(), traffic);
        (sending, self.regions.entry(key).or_insert_with(|| Lane::new(most)))
    }

    /// Takes a place for a step, if there is one.
    pub(super) fn admit(&mut self, step: &Step) -> bool {
        if is_free_of_limits(step) {
            return true;
        }
        let (sending, region) = self.lanes(step);
        let free = region.is_free() && sending.is_none_or(|lane| lane.is_free());
        if free {
            self.running.insert(step.id.clone(), true);
            self.enter(step);
        }
        free
    }

    /// Takes or gives back the place of a running step for a while. Says nothing of one that has ended.
    pub(super) fn turn(&mut self, step: &Step, turn: Turn) {
        let holds = turn == Turn::GoesOn;
        let changed = self.running.get_mut(&step.id).is_some_and(|held| std::mem::replace(held, holds) != holds);
        match (changed, turn) {
            (false, _) => {}
            (true, Turn::GoesOn) => self.enter(step),
            (true, Turn::Waits) => self.leave(step),
        }
    }

    /// Gives the place back.
    pub(super) fn release(&mut self, step: &Step, throttled: bool) {
        if is_free_of_limits(step) {
            return;
        }
        if self.running.remove(&step.id) == Some(true) {
            self.leave(step);
        }
        let (_, region) = self.lanes(step);
        if throttled {
            region.throttled();
        } else {
            region.succeeded();
        }
    }

    fn enter(&mut self, step: &Step) {
        let (sending, region) = self.lanes(step);
        sending.into_iter().for_each(|lane| lane.running += 1);
        region.running += 1;
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

    use super::{Limits, Most, Turn};
    use crate::digest::Digest;
    use crate::identity::Place;
    use crate::names::Region;
    use crate::plan::{Action, ImageSource, Step, StepId, Subject};

    fn limits(steps: u32) -> Limits {
        Limits::new(BTreeMap::from([("t".parse().unwrap(), Most { steps, gates: 2 })]))
    }

    fn step(name: &str, action: Action, region: &str) -> Step {
        let target = "t".parse().unwrap();
        Step {
            id: StepId::of_target(&target, name),
            target,
            image: None,
            region: Some(region.parse().unwrap()),
            action,
            after: Vec::new(),
            required: true,
            reason: String::new(),
        }
    }

    fn upload(name: &str, region: &str) -> Step {
        step(name, Action::Upload, region)
    }

    fn call(name: &str, region: &str) -> Step {
        step(name, Action::Register { upload: upload("u", region).id }, region)
    }

    /// Admits as many of these as possible.
    fn admitted<'s>(limits: &mut Limits, steps: &'s [Step]) -> Vec<&'s Step> {
        steps.iter().filter(|step| limits.admit(step)).collect()
    }

    fn calls(region: &str) -> Vec<Step> {
        (0..9).map(|number| call(&number.to_string(), region)).collect()
    }

    #[test]
    fn a_throttled_region_gets_fewer_at_once_and_recovers() {
        let (mut limits, calls) = (limits(4), calls("one"));
        let first = admitted(&mut limits, &calls);
        assert_eq!(first.len(), 4);
        first.into_iter().for_each(|step| limits.release(step, true));
        let one = admitted(&mut limits, &calls);
        assert_eq!(one.len(), 1);
        limits.release(one[0], false);
        for _ in 0..40 {
            limits.admit(&calls[0]);
            limits.release(&calls[0], false);
        }
        assert_eq!(admitted(&mut limits, &calls).len(), 4);
    }

    #[test]
    fn regions_share_the_limit_on_what_is_sent_and_nothing_else() {
        let mut limits = limits(2);
        assert!(limits.admit(&upload("a", "one")) && limits.admit(&upload("b", "two")));
        assert!(!limits.admit(&upload("c", "three")));
        assert_eq!(admitted(&mut limits, &calls("three")).len(), 2);
        let home = ImageSource::Found("i".parse().unwrap());
        let home_region: Region = "one".parse().unwrap();
        let copy = Action::Replicate { home, home_region, regions: Vec::new(), required: Vec::new() };
        assert!((0..99).all(|_| limits.admit(&step("copy", copy.clone(), "one"))));
    }

    #[test]
    fn who_sends_takes_no_place_from_other_calls_of_the_region() {
        let mut limits = limits(1);
        assert!(limits.admit(&upload("a", "one")) && limits.admit(&call("b", "one")));
        assert!(!limits.admit(&upload("c", "one")) && !limits.admit(&call("d", "one")));
    }

    #[test]
    fn who_waits_makes_room_for_one_other() {
        let mut limits = limits(1);
        let [first, second, third] = ["a", "b", "c"].map(|name| upload(name, "one"));
        assert!(limits.admit(&first) && !limits.admit(&second));
        limits.turn(&first, Turn::Waits);
        limits.turn(&first, Turn::Waits);
        assert!(limits.admit(&second) && !limits.admit(&third));
        limits.release(&first, false);
        assert!(!limits.admit(&third), "its place was given back before");
        limits.release(&second, false);
        assert!(limits.admit(&third));
    }

    #[test]
    fn who_goes_on_is_counted_again_until_it_ends() {
        let mut limits = limits(1);
        let [first, second, third] = ["a", "b", "c"].map(|name| call(name, "one"));
        assert!(limits.admit(&first));
        limits.turn(&first, Turn::Waits);
        assert!(limits.admit(&second));
        limits.turn(&first, Turn::GoesOn);
        limits.release(&second, false);
        assert!(!limits.admit(&third), "the first makes calls again");
        limits.release(&first, false);
        limits.turn(&first, Turn::GoesOn);
        assert!(limits.admit(&third), "what an ended step said late is not heard");
    }

    #[test]
    fn a_gate_is_asked_about_as_many_images_as_it_wants_and_takes_no_place_from_others() {
        let mut limits = limits(1);
        let place = Place { provider: "memory".parse().unwrap(), account: "a".parse().unwrap() };
        let key = crate::plan::tests::tags("r1", "2024-01-01").key(&place, &"one".parse().unwrap());
        let subject = Subject { key, digest: Digest::from_bytes([1; 32]) };
        let action = Action::Gate { gate: "g".into(), subject, images: Vec::new() };
        let gates = ["a", "b", "c"].map(|name| Step { region: None, ..step(name, action.clone(), "one") });
        assert_eq!(admitted(&mut limits, &gates).len(), 2);
        assert!(limits.admit(&call("d", "one")) && limits.admit(&upload("e", "one")));
        limits.release(&gates[0], false);
        assert!(limits.admit(&gates[2]));
    }
}
