//! Which blocks of a pending snapshot EBS has acknowledged, kept in the step's notes: EBS lists the blocks of completed
//! snapshots only, <https://docs.aws.amazon.com/ebs/latest/APIReference/API_ListSnapshotBlocks.html>.
//!
//! The indexes are enough. A snapshot's tags name the content, so block 7 of it has only one right value, and what was
//! acknowledged wrongly is found when the whole is completed: the aggregate is made from the disk, not from notes.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, Note};
use serde::{Deserialize, Serialize};

use super::ranges::Ranges;

/// Blocks between two notes: 64 MiB.
const EVERY: usize = 128;

/// The longest time between two notes while blocks are acknowledged.
const AT_LEAST: Duration = Duration::from_secs(5);

/// A note's own shape: what has been acknowledged since the one before.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Acknowledgement {
    snapshot: String,
    /// The first index and the one after the last, of each run.
    blocks: Ranges,
}

/// What is acknowledged of one snapshot.
#[derive(Debug)]
pub(super) struct Acknowledged {
    snapshot: String,
    earlier: Ranges,
    /// Not noted yet.
    recent: Ranges,
    count: usize,
    noted: Duration,
}

impl Acknowledged {
    /// What the notes of earlier tries say of this snapshot.
    pub(super) fn recall(context: &Context, snapshot: &str) -> Self {
        let mut earlier = Ranges::default();
        for note in context.earlier_notes() {
            let Note::Acknowledged { value } = note else { continue };
            // A note of another shape is that of another way to upload.
            let Ok(known) = serde_json::from_value::<Acknowledgement>(value) else { continue };
            if known.snapshot == snapshot {
                earlier.extend(&known.blocks);
            }
        }
        let noted = context.clock().elapsed();
        Self { snapshot: snapshot.to_owned(), earlier, recent: Ranges::default(), count: 0, noted }
    }

    /// Whether an earlier try has sent this block.
    pub(super) fn contains(&self, index: u32) -> bool {
        self.earlier.contains(index)
    }

    /// Remembers a block, and writes a note where one is due.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn add(&mut self, context: &Context, index: u32) -> Result<()> {
        self.recent.insert(index);
        self.count = self.count.saturating_add(1);
        let waited = context.clock().elapsed().saturating_sub(self.noted);
        if self.count >= EVERY || waited >= AT_LEAST { self.note(context).await } else { Ok(()) }
    }

    /// Writes down what is not noted yet.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn note(&mut self, context: &Context) -> Result<()> {
        self.noted = context.clock().elapsed();
        if self.count == 0 {
            return Ok(());
        }
        let blocks = std::mem::take(&mut self.recent);
        self.count = 0;
        let known = Acknowledgement { snapshot: self.snapshot.clone(), blocks };
        let value = serde_json::to_value(known).map_err(|error| {
            Error::new(Kind::Unexpected, "what is acknowledged cannot be written down").caused_by(error)
        })?;
        context.note(Note::Acknowledged { value }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use cloud_publish_core::clock::SystemClock;
    use cloud_publish_core::error::Result;
    use cloud_publish_core::publisher::{Context, Note, Notes, Progress};

    use super::{Acknowledged, EVERY};

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<Note>>);

    #[async_trait]
    impl Notes for Kept {
        async fn write(&self, note: Note) -> Result<()> {
            self.0.lock().unwrap().push(note);
            Ok(())
        }

        fn earlier(&self) -> Vec<Note> {
            self.0.lock().unwrap().clone()
        }
    }

    #[derive(Debug)]
    struct Quiet;

    impl Progress for Quiet {
        fn advanced(&self, _done: u64, _total: u64) {}
        fn says(&self, _message: &str) {}
    }

    fn context(notes: &Arc<Kept>) -> Context {
        let never = Context::detached().cancellation().clone();
        Context::new(never, Arc::new(SystemClock::new()), Arc::new(Quiet), notes.clone())
    }

    #[tokio::test]
    async fn what_was_noted_is_recalled_for_its_snapshot_alone() {
        let notes = Arc::new(Kept::default());
        let context = context(&notes);
        notes.0.lock().unwrap().push(Note::Acknowledged { value: serde_json::json!({"upload_id": "another way"}) });
        let mut acknowledged = Acknowledged::recall(&context, "snap-1");
        for index in [4, 5, 9] {
            acknowledged.add(&context, index).await.unwrap();
        }
        acknowledged.note(&context).await.unwrap();
        let again = Acknowledged::recall(&context, "snap-1");
        assert_eq!([3, 4, 5, 6, 9].map(|index| again.contains(index)), [false, true, true, false, true]);
        assert!(!Acknowledged::recall(&context, "snap-2").contains(4));
    }

    #[tokio::test]
    async fn there_is_one_note_per_sixty_four_mebibytes() {
        let notes = Arc::new(Kept::default());
        let context = context(&notes);
        let mut acknowledged = Acknowledged::recall(&context, "snap-1");
        for index in 0..u32::try_from(EVERY * 3).unwrap() {
            acknowledged.add(&context, index * 2).await.unwrap();
        }
        acknowledged.note(&context).await.unwrap();
        assert_eq!(notes.earlier().len(), 3);
    }
}
