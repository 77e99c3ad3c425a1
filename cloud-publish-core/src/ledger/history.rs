//! What the receipts say when they are read again: order, notes, tombstones, runs. Pure: no store, no clock.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::execute::{Approval, Fact, Made, Receipt};
use crate::identity::{ImageTags, KeyTag, Place};
use crate::ledger::RunId;
use crate::names::{ImageId, Region};
use crate::plan::{StepId, Subject};
use crate::publisher::Note;

/// A receipt that was read again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recorded {
    /// The run that wrote it.
    pub run: RunId,
    /// Its number within that run, counted from 1; numbers may be missing.
    pub seq: u64,
    /// The term of the place's lease under which it was written.
    pub term: u64,
    /// The receipt.
    pub receipt: Receipt,
}

/// What is left of a deleted image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// The place it was at.
    pub place: Place,
    /// The region it was in.
    pub region: Region,
    /// What it was.
    pub tags: ImageTags,
    /// Under which id.
    pub id: ImageId,
    /// Why it was deleted.
    pub reason: String,
    /// When, by the clock of the machine that did it.
    pub at: Timestamp,
    /// The run that did it.
    pub run: RunId,
}

impl Tombstone {
    /// The key by which the image was known.
    pub fn key(&self) -> KeyTag {
        self.tags.key(&self.place, &self.region)
    }

    /// The tombstone in a receipt, if it is one's.
    pub fn from_recorded(recorded: &Recorded) -> Option<Self> {
        let Receipt { place, at, fact, .. } = &recorded.receipt;
        let Fact::Deleted { tags, region, id, reason } = fact else { return None };
        Some(Self {
            place: place.clone(),
            region: region.clone(),
            tags: tags.clone(),
            id: id.clone(),
            reason: reason.clone(),
            at: *at,
            run: recorded.run,
        })
    }
}

/// The latest run at one place, as far as its receipts tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// Which.
    pub run: RunId,
    /// The version of the program, if the run came as far as to say it.
    pub program: Option<String>,
    /// When it wrote its first receipt here.
    pub first: Timestamp,
    /// When it wrote its last receipt here.
    pub last: Timestamp,
    /// How it ended; `None`: it stopped in the middle, or is still at work.
    pub outcome: Option<String>,
}

/// Everything that the ledger keeps of one release.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// The receipts by place, lease term, run and number; never by clocks.
    pub receipts: Vec<Recorded>,
    /// What lies in the ledger and could not be read, one sentence each: to be shown, never a reason to stop.
    pub problems: Vec<String>,
    /// Those of the problems that may be tombstones: what they forbid is not known.
    pub unreadable_tombstones: Vec<String>,
    /// What people approved, in the order of their names.
    pub approvals: Vec<Approval>,
}

impl History {
    /// Puts receipts, read in any order, into theirs.
    pub(super) fn new(mut receipts: Vec<Recorded>, problems: Vec<String>) -> Self {
        receipts.sort_by(|a, b| order(a).cmp(&order(b)));
        Self { receipts, problems, unreadable_tombstones: Vec::new(), approvals: Vec::new() }
    }

    /// The same with the tombstones, which lie in a folder of their own.
    pub(super) fn with_tombstones(self, tombstones: Self) -> Self {
        let receipts = self.receipts.into_iter().chain(tombstones.receipts).collect();
        let problems = self.problems.into_iter().chain(tombstones.problems.iter().cloned()).collect();
        Self { unreadable_tombstones: tombstones.problems, ..Self::new(receipts, problems) }
    }

    /// The same with the approvals, which lie in a folder of their own, and what is wrong with some.
    pub(super) fn with_approvals(mut self, (approvals, problems): (Vec<Approval>, Vec<String>)) -> Self {
        self.problems.extend(problems);
        Self { approvals, ..self }
    }

    /// What was approved at a place.
    pub fn approved(&self, place: &Place) -> BTreeSet<Subject> {
        let here = self.approvals.iter().filter(|approval| approval.place == *place);
        here.flat_map(|approval| approval.subjects.iter().cloned()).collect()
    }

    /// What passed a gate at a place.
    pub fn passed(&self, place: &Place, gate: &str) -> BTreeSet<Subject> {
        let passed = self.at(place).filter_map(|recorded| match &recorded.receipt.fact {
            Fact::StepDone { result: Made::Passed { gate: own, subject, .. } } if own == gate => Some(subject.clone()),
            _ => None,
        });
        passed.collect()
    }

    /// The last that a step came to at a place, with the time: nothing while it has not begun or is at work.
    pub fn last_end(&self, place: &Place, step: &StepId) -> Option<(&Fact, Timestamp)> {
        let own = self.at(place).filter(|recorded| recorded.receipt.step.as_ref() == Some(step));
        let receipt = &own.last()?.receipt;
        let is_end = matches!(receipt.fact, Fact::StepDone { .. } | Fact::StepFailed { .. } | Fact::StepWaits { .. });
        is_end.then_some((&receipt.fact, receipt.at))
    }

    /// The notes that a step's verbs wrote at a place, oldest first.
    pub fn notes(&self, place: &Place, step: &StepId) -> Vec<Note> {
        let own = self.at(place).filter(|recorded| recorded.receipt.step.as_ref() == Some(step));
        let note = |recorded: &Recorded| match &recorded.receipt.fact {
            Fact::Noted { note } => Some(note.clone()),
            _ => None,
        };
        own.filter_map(note).collect()
    }

    /// The latest tombstone of the image with this key.
    pub fn tombstone(&self, place: &Place, key: &KeyTag) -> Option<Tombstone> {
        self.at(place).filter_map(Tombstone::from_recorded).filter(|tombstone| tombstone.key() == *key).last()
    }

    /// The tombstones of this release, oldest first within a place.
    pub fn tombstones(&self) -> Vec<Tombstone> {
        self.receipts.iter().filter_map(Tombstone::from_recorded).collect()
    }

    /// The places that this release has receipts of.
    pub fn places(&self) -> BTreeSet<&Place> {
        self.receipts.iter().map(|recorded| &recorded.receipt.place).collect()
    }

    /// The run that held a place last.
    pub fn last_run(&self, place: &Place) -> Option<LastRun> {
        let run = self.at(place).last()?.run;
        let own = || self.at(place).filter(|recorded| recorded.run == run).map(|recorded| &recorded.receipt);
        let program = own().find_map(|receipt| match &receipt.fact {
            Fact::RunStarted { program } => Some(program.clone()),
            _ => None,
        });
        let last = own().last()?;
        let outcome = match &last.fact {
            Fact::RunEnded { outcome } => Some(outcome.clone()),
            _ => None,
        };
        Some(LastRun { run, program, first: own().next()?.at, last: last.at, outcome })
    }

    fn at(&self, place: &Place) -> impl Iterator<Item = &Recorded> {
        self.receipts.iter().filter(move |recorded| recorded.receipt.place == *place)
    }
}

fn order(recorded: &Recorded) -> (&Place, u64, RunId, u64) {
    (&recorded.receipt.place, recorded.term, recorded.run, recorded.seq)
}
