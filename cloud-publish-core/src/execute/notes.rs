//! The executor's end of a verb's [`Context`](crate::publisher::Context): notes go to the ledger, progress to the
//! reporter.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::journal::{Fact, Journal, Receipt};
use super::perform::Job;
use super::waiting::{Teller, Turn};
use crate::clock::Clock;
use crate::error::Result;
use crate::event::{Event, Reporter};
use crate::identity::Place;
use crate::plan::StepId;
use crate::publisher::{Note, Notes, Progress};

/// Keeps one step's notes.
#[derive(Debug)]
pub(super) struct StepNotes {
    step: StepId,
    place: Place,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    known: Mutex<Vec<Note>>,
}

impl StepNotes {
    pub(super) fn new(job: &Job, journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, earlier: Vec<Note>) -> Self {
        Self { step: job.step.id.clone(), place: job.place.clone(), journal, clock, known: Mutex::new(earlier) }
    }
}

#[async_trait]
impl Notes for StepNotes {
    async fn write(&self, note: Note) -> Result<()> {
        let receipt = Receipt {
            place: self.place.clone(),
            step: Some(self.step.clone()),
            at: self.clock.now(),
            fact: Fact::Noted { note: note.clone() },
        };
        self.journal.keep(receipt).await?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        Ok(())
    }

    fn earlier(&self) -> Vec<Note> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Passes one step's progress on, and tells the run when everything is sent: what follows is waiting.
#[derive(Debug)]
pub(super) struct StepProgress {
    step: StepId,
    reporter: Arc<dyn Reporter>,
    teller: Teller,
}

impl StepProgress {
    pub(super) fn new(step: StepId, reporter: Arc<dyn Reporter>, teller: Teller) -> Self {
        Self { step, reporter, teller }
    }
}

impl Progress for StepProgress {
    fn advanced(&self, done: u64, total: u64) {
        if done >= total {
            self.teller.tell(&self.step, Turn::Waits);
        }
        self.reporter.report(&Event::StepProgress { step: self.step.clone(), done, total });
    }

    fn says(&self, message: &str) {
        self.reporter.report(&Event::StepSays { step: self.step.clone(), message: message.to_owned() });
    }
}
