//! What execution writes down, and the trait by which it does: implemented by the ledger.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Trouble;
use crate::identity::{ImageTags, Place};
use crate::names::{ImageId, Region};
use crate::plan::{StepId, Subject};
use crate::publisher::{Listing, Note, Registered, Staged};

use crate::error::Result;

/// What a step has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "made")]
pub enum Made {
    /// A change of something that was there.
    Change,
    /// The tag `published`.
    Mark {
        /// The time that it says.
        published: Timestamp,
    },
    /// Staged bytes.
    Staged {
        /// What and where.
        staged: Staged,
    },
    /// Images, one per region.
    Images {
        /// Their ids and regions.
        images: Vec<Registered>,
        /// Regions that the same call could not reach.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<(Region, Trouble)>,
    },
    /// A gate's word that an image may become public.
    Passed {
        /// Which gate.
        gate: String,
        /// What it judged.
        subject: Subject,
        /// Where in the state its output is, if there was any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// A person's word, found.
    Approved {
        /// Whose.
        by: String,
        /// When it was given.
        at: Timestamp,
    },
    /// A marketplace's answer.
    Listing {
        /// How far it is.
        listing: Listing,
    },
}

/// What happened, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum Fact {
    /// A run took up its work at this place.
    RunStarted {
        /// Version of the program.
        program: String,
    },
    /// A step is about to call the cloud.
    StepStarted {
        /// Counted from 1.
        attempt: u32,
    },
    /// A verb's own note.
    Noted {
        /// What it said.
        note: Note,
    },
    /// A step succeeded.
    StepDone {
        /// What it made.
        result: Made,
    },
    /// A step failed; it may be tried again.
    StepFailed {
        /// Why.
        trouble: Trouble,
    },
    /// A step has to wait for something outside.
    StepWaits {
        /// For what.
        trouble: Trouble,
    },
    /// An image is gone: its tombstone.
    Deleted {
        /// What it was.
        tags: ImageTags,
        /// Where.
        region: Region,
        /// Under which id.
        id: ImageId,
        /// Why.
        reason: String,
    },
    /// A run is done with this place.
    RunEnded {
        /// In a word: complete, waiting, incomplete, cancelled.
        outcome: String,
    },
}

/// One thing to be kept, before it gets its place in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The place it happened at.
    pub place: Place,
    /// The step, if it is one step's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// When, by this machine's clock: for people, never for ordering.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub fact: Fact,
}

/// A person's word that images may become public at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The place.
    pub place: Place,
    /// What was approved: another content under the same key is not.
    pub subjects: BTreeSet<Subject>,
    /// Who approved.
    pub by: String,
    /// On which machine.
    pub host: String,
    /// When, by that machine's clock: for people.
    pub at: Timestamp,
}

/// Keeps receipts durably, and knows whether this run may still act.
#[async_trait]
pub trait Journal: Send + Sync + Debug {
    /// Keeps a receipt; when this returns it survives a crash.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`]: the caller must not go on as if it had been written.
    async fn keep(&self, receipt: Receipt) -> Result<()>;

    /// Makes sure that this run still holds the lease of a place: called before each step that changes something.
    ///
    /// # Errors
    /// [`crate::error::Kind::LeaseHeld`] when another run has taken it over.
    async fn confirm(&self, place: &Place) -> Result<()>;

    /// Keeps what a step printed; returns the name of the object in the state.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`].
    async fn attach(&self, step: &StepId, text: Bytes) -> Result<String>;

    /// The latest approval of something at a place.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when the store cannot be read.
    async fn approval(&self, place: &Place, subject: &Subject) -> Result<Option<Approval>>;
}
