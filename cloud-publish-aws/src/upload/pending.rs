//! The snapshot that blocks are sent to, and what to do when it does not take them.
//!
//! EBS refuses blocks of a snapshot that somebody else has completed, and still shows that one as pending for a while;
//! another publisher of the same image may do so at any moment, since both have the same token and so the same snapshot.

use std::time::Duration;

use aws_sdk_ec2::types::Snapshot;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Note, Staged};

use super::Upload;
use crate::discard;
use crate::ebs::{Nature, Trouble};
use crate::snapshot::{by_id, confirm, gone, id_of, is_completed, is_dead, wait_completed};

/// How long a snapshot that takes no blocks may stay pending.
const SETTLING: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(5), deadline: Duration::from_secs(120) };

/// How long a snapshot that listings show may be unknown to EBS.
const LISTED: Duration = Duration::from_secs(10);

/// A snapshot that blocks can be sent to.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: String,
    /// Whose token has made it, if this run has started it.
    pub(super) generation: Option<u32>,
    /// Until when, by the context's monotonic clock, it may not exist yet.
    pub(super) missing_until: Duration,
}

/// What became of a snapshot that takes no blocks.
enum Fate {
    Completed,
    Dead(Box<Snapshot>),
    Gone,
}

impl Upload<'_> {
    /// One that listings show.
    pub(super) fn found(&self, snapshot: &Snapshot) -> Pending {
        let missing_until = self.context.clock().elapsed().saturating_add(LISTED);
        Pending { id: id_of(snapshot).to_owned(), generation: None, missing_until }
    }

    /// Brings a pending snapshot to its end; `None` means: look again.
    pub(super) async fn carry_on(&mut self, pending: &Pending) -> Result<Option<Staged>> {
        let whole = match self.send(pending).await {
            Ok(whole) => whole,
            Err(trouble) => return self.stopped(pending, trouble).await,
        };
        if let Err(trouble) = self.complete(pending, &whole).await {
            return self.stopped(pending, trouble).await;
        }
        self.context.progress().says(&format!("waiting until AWS has completed snapshot {}", pending.id));
        match wait_completed(self.here, self.context, &pending.id).await {
            Ok(snapshot) => self.adopt(&snapshot, whole.sent).map(Some),
            Err(lost) if matches!(lost.kind(), Kind::NotFound | Kind::Unexpected) => {
                let trouble = Trouble { error: lost, nature: Nature::Missing };
                self.stopped(pending, trouble).await
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out why a snapshot takes nothing more. `None`: something has changed, look again.
    async fn stopped(&mut self, pending: &Pending, trouble: Trouble) -> Result<Option<Staged>> {
        if !matches!(trouble.nature, Nature::Missing | Nature::Refused) {
            return Err(trouble.error);
        }
        tracing::debug!(snapshot = pending.id, error = %trouble.error, "the snapshot takes nothing more");
        match self.fate(pending).await {
            Ok(Fate::Completed) => {}
            Ok(Fate::Gone) => self.lost(pending, "was deleted").await?,
            Ok(Fate::Dead(snapshot)) => {
                self.lost(pending, snapshot.state_message().unwrap_or("was given up by AWS")).await?;
                confirm(self.here, &snapshot, &self.request.image.tags)?;
                discard::delete(self.here, self.context, &pending.id).await?;
            }
            Err(late) if late.kind() == Kind::TimedOut => return Err(trouble.error.with("snapshot", &pending.id)),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn fate(&self, pending: &Pending) -> Result<Fate> {
        let what = format!("settling snapshot {}", pending.id);
        poll_until(self.context, &what, SETTLING, || async {
            Ok(match by_id(self.here, self.context, &pending.id).await? {
                None => (self.context.clock().elapsed() >= pending.missing_until).then_some(Fate::Gone),
                Some(found) if is_completed(&found) => Some(Fate::Completed),
                Some(found) if is_dead(&found) => Some(Fate::Dead(Box::new(found))),
                Some(_) => None,
            })
        })
        .await
    }

    /// A snapshot is of no use any more. What another run has started is nobody's generation here: the next look finds
    /// another snapshot, or starts one.
    async fn lost(&mut self, pending: &Pending, reason: &str) -> Result<()> {
        let Some(generation) = pending.generation else { return Ok(()) };
        self.bury(generation, format!("snapshot {} {reason}", pending.id)).await
    }

    /// Notes that a generation is dead, and goes on to the next.
    pub(super) async fn bury(&mut self, generation: u32, reason: String) -> Result<()> {
        tracing::debug!(generation, reason, "a dead generation");
        self.context.note(Note::DeadGeneration { generation, reason }).await?;
        self.generation = generation.saturating_add(1);
        Ok(())
    }

    /// The snapshot as EC2 shows it, which may be later than EBS knows it.
    async fn appeared(&self, pending: &Pending) -> Result<Snapshot> {
        poll_until(self.context, &format!("showing snapshot {}", pending.id), SETTLING, || async {
            match by_id(self.here, self.context, &pending.id).await? {
                None if self.context.clock().elapsed() >= pending.missing_until => Err(gone(&pending.id)),
                found => Ok(found),
            }
        })
        .await
    }

    /// Removes a snapshot that has got wrong blocks, if it is still pending and ours.
    pub(super) async fn remove(&mut self, pending: &Pending, why: Error) -> Error {
        let removed = async {
            let snapshot = self.appeared(pending).await?;
            confirm(self.here, &snapshot, &self.request.image.tags)?;
            if is_completed(&snapshot) {
                return Err(Error::new(Kind::Conflict, "somebody has completed it meanwhile"));
            }
            self.lost(pending, &format!("is removed: {}", why.message())).await?;
            discard::delete(self.here, self.context, &pending.id).await
        };
        match removed.await {
            Ok(()) => why,
            Err(left) => why.with("left behind", format!("snapshot {} ({left})", pending.id)),
        }
    }
}
