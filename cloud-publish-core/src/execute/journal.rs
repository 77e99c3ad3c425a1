//! What execution writes down, and the trait by which it does: implemented by the ledger.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Trouble;
use crate::identity::{ImageTags, Place};
use crate::names::{ImageId, Region};
use crate::plan::StepId;
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
    /// A marketplace's answer.
    Listing {
        /// How far it is.
        listing: Listing,
    },
}

/// What happened, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
#[expect(clippy::large_enum_variant, reason = "facts are few, and each is written and dropped at once")]
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
        /// In a word: complete, incomplete, cancelled.
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
}
