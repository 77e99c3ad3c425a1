//! What a verb is given besides its request: cancellation, time, progress, and a place for durable notes.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};

/// Hears how far a verb has come. Called often: it must be quick and must not block.
pub trait Progress: Send + Sync + Debug {
    /// `done` of `total` bytes (or other units) are through. Once all are, the run may begin to send another image.
    fn advanced(&self, done: u64, total: u64);

    /// A sentence for people: what is being waited for.
    fn says(&self, message: &str);
}

/// What a verb writes down durably while it works, for the run that comes after a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "note")]
pub enum Note {
    /// A create under this generation's token or id yielded a deleted or failed object: never use it again.
    DeadGeneration {
        /// Counted from 0.
        generation: u32,
        /// What the cloud said.
        reason: String,
    },
    /// Something acknowledged by the cloud: a multipart id, blocks of a snapshot. Its shape is the provider's own.
    Acknowledged {
        /// The provider's own data; no secret, no signed URL.
        value: serde_json::Value,
    },
}

/// Keeps a step's notes. Implemented by the executor on top of the ledger.
#[async_trait]
pub trait Notes: Send + Sync + Debug {
    /// Writes a note; when this returns the note survives a crash.
    async fn write(&self, note: Note) -> Result<()>;

    /// The notes of this step's earlier tries and runs, oldest first.
    fn earlier(&self) -> Vec<Note>;
}

/// Passed to every verb. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    cancellation: CancellationToken,
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Progress>,
    notes: Arc<dyn Notes>,
}

impl Context {
    /// A context made of its parts.
    pub fn new(
        cancellation: CancellationToken,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        notes: Arc<dyn Notes>,
    ) -> Self {
        Self { cancellation, clock, progress, notes }
    }

    /// A context on its own: the machine's clock, no progress, notes that nobody keeps.
    pub fn detached() -> Self {
        Self::with_clock(Arc::new(SystemClock::new()))
    }

    /// A context for calls outside a step: it can be cancelled, and has no progress and nobody to keep notes.
    pub fn detached_from(cancellation: CancellationToken, clock: Arc<dyn Clock>) -> Self {
        Self::new(cancellation, clock, Arc::new(Nobody), Arc::new(Nobody))
    }

    /// A context on its own with a clock of the caller's.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::new(CancellationToken::new(), clock, Arc::new(Nobody), Arc::new(Nobody))
    }

    /// The same with somebody who hears how far a verb has come.
    pub fn with_progress(&self, progress: Arc<dyn Progress>) -> Self {
        Self { progress, ..self.clone() }
    }

    /// The token whose cancellation stops the verb at its next await.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Where progress goes.
    pub fn progress(&self) -> &Arc<dyn Progress> {
        &self.progress
    }

    /// Fails once the run is asked to stop.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.cancellation.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Waits, unless the run is asked to stop first.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub async fn sleep(&self, time: Duration) -> Result<()> {
        self.or_cancelled(self.clock.sleep(time)).await
    }

    /// Runs `work`, dropping it when the run is asked to stop.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub async fn or_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancellation.cancelled() => Err(cancelled()),
            done = work => Ok(done),
        }
    }

    /// Writes a durable note.
    ///
    /// # Errors
    /// [`Kind::Storage`] when the ledger cannot be written: the verb must stop, not go on unrecorded.
    pub async fn note(&self, note: Note) -> Result<()> {
        self.notes.write(note).await
    }

    /// The notes of this step's earlier tries and runs, oldest first.
    pub fn earlier_notes(&self) -> Vec<Note> {
        self.notes.earlier()
    }

    /// The first generation that no note calls dead.
    pub fn first_generation(&self) -> u32 {
        let dead = |note: Note| match note {
            Note::DeadGeneration { generation, .. } => Some(generation.saturating_add(1)),
            Note::Acknowledged { .. } => None,
        };
        self.earlier_notes().into_iter().filter_map(dead).max().unwrap_or(0)
    }
}

fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "stopped on request")
}

#[derive(Debug)]
struct Nobody;

impl Progress for Nobody {
    fn advanced(&self, _done: u64, _total: u64) {}
    fn says(&self, _message: &str) {}
}

#[async_trait]
impl Notes for Nobody {
    async fn write(&self, _note: Note) -> Result<()> {
        Ok(())
    }

    fn earlier(&self) -> Vec<Note> {
        Vec::new()
    }
}
