//! Which step may begin: the plan's DAG and how far it is. Pure: no call, no clock.

use std::collections::BTreeMap;

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
    /// It was not begun.
    Skipped(String),
}

/// The steps of a plan and how far each is.
#[derive(Debug)]
pub(super) struct Board<'p> {
    steps: &'p [Step],
    running: Vec<StepId>,
    ended: BTreeMap<StepId, Ended>,
}

/// What the dependencies of a step say about it.
enum Verdict {
    Wait,
    Begin,
    Skip(String),
}

impl<'p> Board<'p> {
    pub(super) fn new(steps: &'p [Step]) -> Self {
        Self { steps, running: Vec::new(), ended: BTreeMap::new() }
    }

    /// Settles barriers and steps that can no longer begin, and returns those that may begin now.
    ///
    /// `settled` hears of every step that was skipped.
    pub(super) fn ready(&mut self, mut settled: impl FnMut(&Step, &Ended)) -> Vec<&'p Step> {
        let mut ready = Vec::new();
        // Steps come after those they wait for, so one pass settles whole chains.
        for step in self.steps {
            if self.ended.contains_key(&step.id) || self.running.contains(&step.id) {
                continue;
            }
            let end = match (self.verdict(step), &step.action) {
                (Verdict::Wait, _) => continue,
                (Verdict::Begin, Action::Barrier) => Ended::Done(Made::Change),
                (Verdict::Begin, _) => {
                    ready.push(step);
                    continue;
                }
                (Verdict::Skip(reason), _) => Ended::Skipped(reason),
            };
            settled(step, &end);
            self.ended.insert(step.id.clone(), end);
        }
        ready
    }

    fn verdict(&self, step: &Step) -> Verdict {
        let barrier = matches!(step.action, Action::Barrier);
        let mut waiting = false;
        for id in &step.after {
            match self.ended.get(id) {
                None => waiting = true,
                Some(Ended::Done(_)) => {}
                Some(_) if barrier && !self.is_required(id) => {}
                Some(Ended::Failed(_)) => return Self::settle_early(barrier, format!("{id} failed")),
                Some(Ended::Skipped(_)) => return Self::settle_early(barrier, format!("{id} was not done")),
            }
        }
        if waiting { Verdict::Wait } else { Verdict::Begin }
    }

    fn settle_early(barrier: bool, why: String) -> Verdict {
        Verdict::Skip(if barrier { format!("stays private: {why}") } else { why })
    }

    fn is_required(&self, id: &StepId) -> bool {
        self.steps.iter().any(|step| step.id == *id && step.required)
    }

    pub(super) fn begin(&mut self, step: &Step) {
        self.running.push(step.id.clone());
    }

    pub(super) fn end(&mut self, id: &StepId, end: Ended) {
        self.running.retain(|running| running != id);
        self.ended.insert(id.clone(), end);
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
}
