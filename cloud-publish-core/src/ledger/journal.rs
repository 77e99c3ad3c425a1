//! A run that writes receipts: execution's [`Journal`] on top of the store.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::execute::{Approval, Fact, Journal, Receipt};
use crate::identity::Place;
use crate::ledger::entry::{Entry, SCHEMA};
use crate::ledger::paths::{self, RECEIPTS, TOMBSTONES};
use crate::ledger::store::{Created, Store};
use crate::ledger::{Leases, RunId, approvals};
use crate::names::ReleaseName;
use crate::plan::{StepId, Subject};

/// The one writer of a run's receipts for one release.
///
/// Many tasks may keep receipts at once: each gets a number of its own. A receipt whose writing failed or was cancelled
/// may be there or not, and its number is not used again.
#[derive(Debug)]
pub struct RunJournal {
    store: Store,
    release: ReleaseName,
    run: RunId,
    leases: Leases,
    next: AtomicU64,
}

impl RunJournal {
    pub(super) fn new(store: Store, release: ReleaseName, run: RunId, leases: Leases) -> Self {
        Self { store, release, run, leases, next: AtomicU64::new(1) }
    }

    /// The run that it writes for.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// The leases under which it writes.
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Gives the leases back: the last thing a run does. Repeating it does no harm.
    ///
    /// # Errors
    /// As [`Leases::release`].
    pub async fn release(&self) -> Result<()> {
        self.leases.release().await
    }
}

#[async_trait]
impl Journal for RunJournal {
    async fn keep(&self, receipt: Receipt) -> Result<()> {
        let Some(term) = self.leases.term(&receipt.place) else {
            let message = format!("this run holds no lease of {}: nothing may be recorded there", receipt.place);
            return Err(Error::new(Kind::Storage, message));
        };
        let root = if matches!(receipt.fact, Fact::Deleted { .. }) { TOMBSTONES } else { RECEIPTS };
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        let path = paths::entry(root, &self.release, self.run, seq)?;
        let nonce = Uuid::new_v4().simple().to_string();
        let entry = Entry { schema: SCHEMA, run: self.run, seq, term, nonce, receipt };
        match self.store.create(&path, &entry.encode()?).await? {
            Created::Ours => Ok(()),
            Created::Taken => Err(Error::new(Kind::Storage, "another writer's object lies where a receipt belongs")
                .with("object", path)
                .hint("nobody else may write into this run's folder; run the same command again: it takes a new one")),
        }
    }

    async fn confirm(&self, place: &Place) -> Result<()> {
        self.leases.confirm(place).await
    }

    async fn attach(&self, step: &StepId, text: Bytes) -> Result<String> {
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        let path = paths::output(&self.release, (self.run, seq), step)?;
        self.store.overwrite(&path, text).await?;
        Ok(path.to_string())
    }

    async fn approval(&self, place: &Place, subject: &Subject) -> Result<Option<Approval>> {
        let (approvals, _) = approvals(&self.store, &self.release).await?;
        Ok(approvals.into_iter().rfind(|one| one.place == *place && one.subjects.contains(subject)))
    }
}
