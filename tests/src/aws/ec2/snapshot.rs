//! An EBS snapshot: what state it is in and who may use it. Its content is [`Blocks`].

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::aws::ebs::Blocks;

use super::image::Tags;
use super::lagging::Lagging;
use super::permissions::Grant;

/// How far a snapshot has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// StartSnapshot made it; blocks are still written, and it fails if none is for that long.
    Writing {
        /// Milliseconds without a block after which it is an error.
        timeout: u64,
    },
    /// Nothing is missing but time: completed from then on.
    Completing(Timestamp),
    /// It never will be.
    Failed(String),
}

/// One snapshot in one region.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// `snap-` and 17 hex digits.
    pub(crate) id: String,
    /// The account it belongs to.
    pub(crate) owner: String,
    /// The region it is in.
    pub(crate) region: String,
    /// The description.
    pub(crate) description: String,
    /// GiB.
    pub(crate) size: u64,
    /// Whether it is encrypted.
    pub(crate) encrypted: bool,
    /// When it was started.
    pub(crate) started: Timestamp,
    /// Until then EC2, though not EBS direct, says that it does not exist.
    pub(crate) visible_at: Timestamp,
    /// Pending, completed or failed.
    pub(crate) progress: Progress,
    /// Who may make volumes of it.
    pub(crate) volume: BTreeSet<Grant>,
    /// Its tags.
    pub(crate) tags: Lagging<Tags>,
    /// The snapshot and region that it is a copy of.
    pub(crate) copy_of: Option<(String, String)>,
    /// The first of the snapshots that were started one from another.
    pub(crate) lineage: String,
    /// The snapshot that it was started from.
    pub(crate) parent: Option<String>,
    /// Its content, shared with its copies.
    pub(crate) blocks: Arc<Blocks>,
}

impl Snapshot {
    /// `pending`, `completed` or `error`.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        match &self.progress {
            Progress::Failed(_) => "error",
            Progress::Writing { timeout } if self.blocks.is_abandoned(now, *timeout) => "error",
            Progress::Completing(end) if *end <= now => "completed",
            Progress::Writing { .. } | Progress::Completing(_) => "pending",
        }
    }

    /// Why it is an error, or nothing.
    pub(crate) fn message(&self, now: Timestamp) -> Option<&str> {
        match &self.progress {
            Progress::Failed(reason) => Some(reason),
            Progress::Writing { .. } if self.state(now) == "error" => Some("The snapshot timed out"),
            Progress::Writing { .. } | Progress::Completing(_) => None,
        }
    }

    /// Whether all accounts may use it.
    pub(crate) fn is_public(&self) -> bool {
        self.volume.contains(&Grant::All)
    }

    /// Whether an account may use it. `blocked`: its owner's account shares nothing publicly, whatever was granted.
    pub(crate) fn is_open_to(&self, account: &str, blocked: bool) -> bool {
        let nothing = BTreeSet::new();
        self.owner == account
            || self.volume.iter().any(|grant| !(blocked && *grant == Grant::All) && grant.covers(account, &nothing))
    }
}
