//! Which step may begin: the plan's DAG and how far it is. Pure: no call, no clock.

use std::collections::{BTreeMap, BTreeSet};

use super::journal::Made;
use crate::event::Trouble;
use crate::plan::{Action, Step, StepId};

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It is done.
    Done(Made),
    /// It failed for good.
    Failed(Trouble),
    /// Something outside has to happen first.
    Waiting(Trouble),
    /// It was not begun.
    Skipped(String),
}

/// The steps of a plan and how far each is. Counts what each step still waits for, so that the end of one touches only
/// those that wait for it: a plan has thousands of steps, in regions times images.
#[derive(Debug)]
pub(super) struct Board<'p> {
    steps: &'p [Step],
    /// Where each step is in the plan.
    places: BTreeMap<&'p StepId, usize>,
    /// How many steps each still waits for.
    waits: Vec<usize>,
    /// Which steps wait for each.
    waiters: Vec<Vec<usize>>,
    /// What waits for nothing any more and was not begun, in the plan's order.
    open: BTreeSet<usize>,
    /// What cannot begin any more, and why.
    doomed: BTreeMap<usize, String>,
    ended: BTreeMap<StepId, Ended>,
}

impl<'p> Board<'p> {
    pub(super) fn new(steps: &'p [Step]) -> Self {
        let places: BTreeMap<&StepId, usize> = steps.iter().enumerate().map(|(at, step)| (&step.id, at)).collect();
        let mut waiters = vec![Vec::new(); steps.len()];
        for (at, step) in steps.iter().enumerate() {
            for id in &step.after {
                if let Some(waiters) = places.get(id).and_then(|place| waiters.get_mut(*place)) {
                    waiters.push(at);
                }
            }
        }
        let waits: Vec<usize> = steps.iter().map(|step| step.after.len()).collect();
        let open = waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(at, _)| at).collect();
        Self { steps, places, waits, waiters, open, doomed: BTreeMap::new(), ended: BTreeMap::new() }
    }

    /// Settles barriers and steps that can no longer begin, and returns those that may begin now.
    ///
    /// `settled` hears of every step that was skipped.
    pub(super) fn ready(&mut self, mut settled: impl FnMut(&Step, &Ended)) -> Vec<&'p Step> {
        // Steps come after those they wait for, so what an end settles further comes later in the plan.
        while let Some((at, end)) = self.next_settled() {
            let Some(step) = self.steps.get(at) else { continue };
            settled(step, &end);
            self.ended_at(at, step, end);
        }
        self.open.iter().filter_map(|at| self.steps.get(*at)).collect()
    }

    /// The first step that ends by itself: one that can no longer begin, or a barrier that waits for nothing.
    fn next_settled(&mut self) -> Option<(usize, Ended)> {
        if let Some((at, reason)) = self.doomed.pop_first() {
            return Some((at, Ended::Skipped(reason)));
        }
        let is_barrier = |at: &&usize| self.steps.get(**at).is_some_and(|step| matches!(step.action, Action::Barrier));
        let barrier = self.open.iter().find(is_barrier).copied()?;
        Some((barrier, Ended::Done(Made::Change)))
    }

    pub(super) fn begin(&mut self, step: &Step) {
        if let Some(at) = self.places.get(&step.id) {
            self.open.remove(at);
        }
    }

    pub(super) fn end(&mut self, id: &StepId, end: Ended) {
        match self.places.get(id).copied().and_then(|at| Some((at, self.steps.get(at)?))) {
            Some((at, step)) => self.ended_at(at, step, end),
            None => drop(self.ended.insert(id.clone(), end)),
        }
    }

    /// Tells those that wait for a step of its end.
    fn ended_at(&mut self, at: usize, step: &Step, end: Ended) {
        self.open.remove(&at);
        self.doomed.remove(&at);
        let why = match &end {
            Ended::Done(_) => None,
            Ended::Failed(_) => Some(format!("{} failed", step.id)),
            Ended::Waiting(_) => Some(format!("{} waits", step.id)),
            Ended::Skipped(_) => Some(format!("{} was not done", step.id)),
        };
        self.ended.insert(step.id.clone(), end);
        for waiter in self.waiters.get_mut(at).map(std::mem::take).unwrap_or_default() {
            let Some(waits) = self.waits.get_mut(waiter) else { continue };
            *waits = waits.saturating_sub(1);
            let Some(waiting) = self.steps.get(waiter).filter(|waiting| !self.ended.contains_key(&waiting.id)) else {
                continue;
            };
            match &why {
                Some(why) if step.required || !waiting.action.needs_only_required() => {
                    let is_barrier = matches!(waiting.action, Action::Barrier);
                    let reason = if is_barrier { format!("stays private: {why}") } else { why.clone() };
                    self.open.remove(&waiter);
                    self.doomed.entry(waiter).or_insert(reason);
                }
                _ if *waits == 0 && !self.doomed.contains_key(&waiter) => drop(self.open.insert(waiter)),
                _ => {}
            }
        }
    }

    /// A step of the plan.
    pub(super) fn step(&self, id: &StepId) -> Option<&'p Step> {
        self.places.get(id).and_then(|at| self.steps.get(*at))
    }

    pub(super) fn has_ended(&self, id: &StepId) -> bool {
        self.ended.contains_key(id)
    }

    pub(super) fn made(&self, id: &StepId) -> Option<&Made> {
        match self.ended.get(id) {
            Some(Ended::Done(made)) => Some(made),
            _ => None,
        }
    }

    /// Ends everything that was not begun, for one reason.
    pub(super) fn close(&mut self, reason: &str) {
        for step in self.steps {
            self.ended.entry(step.id.clone()).or_insert_with(|| Ended::Skipped(reason.to_owned()));
        }
    }

    pub(super) fn into_ended(self) -> BTreeMap<StepId, Ended> {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Ended};
    use crate::error::Kind;
    use crate::event::Trouble;
    use crate::execute::Made;
    use crate::plan::{Action, Step, StepId};

    fn id(name: &str) -> StepId {
        StepId::of_target(&"t".parse().unwrap(), name)
    }

    fn step(name: &str, action: Action, after: &[&str], required: bool) -> Step {
        Step {
            id: id(name),
            target: "t".parse().unwrap(),
            image: None,
            region: None,
            action,
            after: after.iter().map(|name| id(name)).collect(),
            required,
            reason: String::new(),
        }
    }

    fn plan() -> Vec<Step> {
        vec![
            step("one", Action::Upload, &[], true),
            step("two", Action::Upload, &[], false),
            step("barrier", Action::Barrier, &["one", "two"], true),
            step("publish-one", Action::Upload, &["barrier", "one"], true),
            step("publish-two", Action::Upload, &["barrier", "two"], false),
        ]
    }

    fn names(ready: &[&Step]) -> Vec<String> {
        ready.iter().map(|step| step.id.to_string()).collect()
    }

    fn failed() -> Ended {
        Ended::Failed(Trouble { kind: Kind::Unavailable, error: vec![], hint: None })
    }

    #[test]
    fn nothing_passes_the_barrier_before_all_have_ended() {
        let steps = plan();
        let mut board = Board::new(&steps);
        assert_eq!(names(&board.ready(|_, _| {})), ["t/one", "t/two"]);
        board.begin(&steps[0]);
        board.begin(&steps[1]);
        board.end(&id("one"), Ended::Done(Made::Change));
        assert!(board.ready(|_, _| {}).is_empty());
        board.end(&id("two"), Ended::Done(Made::Change));
        assert_eq!(names(&board.ready(|_, _| {})), ["t/publish-one", "t/publish-two"]);
    }

    #[test]
    fn a_failed_best_effort_region_holds_nobody_back() {
        let steps = plan();
        let mut board = Board::new(&steps);
        board.end(&id("one"), Ended::Done(Made::Change));
        board.end(&id("two"), failed());
        assert_eq!(names(&board.ready(|_, _| {})), ["t/publish-one"]);
        assert!(matches!(board.into_ended().get(&id("publish-two")), Some(Ended::Skipped(_))));
    }

    #[test]
    fn a_failed_required_region_keeps_everything_private() {
        let steps = plan();
        let mut board = Board::new(&steps);
        board.end(&id("one"), failed());
        board.end(&id("two"), Ended::Done(Made::Change));
        let mut skipped = Vec::new();
        assert!(board.ready(|step, _| skipped.push(step.id.to_string())).is_empty());
        assert_eq!(skipped, ["t/barrier", "t/publish-one", "t/publish-two"]);
    }

    fn gated() -> Vec<Step> {
        let place = crate::identity::Place { provider: "memory".parse().unwrap(), account: "a".parse().unwrap() };
        let tags = crate::plan::tests::tags("r1", "2024-01-01");
        let subject = crate::plan::Subject { key: tags.key(&place, &"one".parse().unwrap()), digest: tags.digest };
        let gate = Action::Gate { gate: "g".into(), subject: subject.clone(), images: Vec::new() };
        vec![
            step("one", Action::Upload, &[], true),
            step("two", Action::Upload, &[], false),
            step("gate", gate, &["one", "two"], true),
            step("approve", Action::Approve { subject }, &["gate"], true),
            step("barrier", Action::Barrier, &["one", "two", "gate", "approve"], true),
            step("publish-one", Action::Upload, &["barrier", "one"], true),
        ]
    }

    #[test]
    fn a_gate_waits_for_the_end_of_a_best_effort_region_and_not_for_its_success() {
        let steps = gated();
        let mut board = Board::new(&steps);
        steps[..2].iter().for_each(|step| board.begin(step));
        board.end(&id("one"), Ended::Done(Made::Change));
        assert!(board.ready(|_, _| {}).is_empty());
        board.end(&id("two"), failed());
        assert_eq!(names(&board.ready(|_, _| {})), ["t/gate"]);
    }

    #[test]
    fn behind_a_gate_that_says_not_yet_nothing_begins_and_everything_says_why() {
        let steps = gated();
        let mut board = Board::new(&steps);
        steps[..2].iter().for_each(|step| board.end(&step.id, Ended::Done(Made::Change)));
        board.end(&id("gate"), Ended::Waiting(Trouble { kind: Kind::Waiting, error: vec![], hint: None }));
        let mut skipped = Vec::new();
        assert!(board.ready(|step, end| skipped.push((step.id.to_string(), end.clone()))).is_empty());
        let because = |reason: &str| Ended::Skipped(reason.to_owned());
        assert_eq!(skipped[0], ("t/approve".to_owned(), because("t/gate waits")));
        assert_eq!(skipped[1], ("t/barrier".to_owned(), because("stays private: t/gate waits")));
        assert_eq!(skipped.len(), 3);
    }
}
