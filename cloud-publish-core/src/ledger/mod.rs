//! What was done: durable, append-only receipts, and the leases that keep two runs from one place.
//!
//! The ledger is a sequence of small immutable objects, each created if absent, in any [`ObjectStore`]: a directory
//! ([`local_store`]) or a bucket that several machines share. It owns what lies there and how it is read again. It does
//! not decide what is true: the clouds' tags do. With the ledger lost a run surveys, adopts what exists and continues;
//! only tombstones and dead generations are known to the ledger alone.
//!
//! - **Receipts**: one writer per run ([`RunJournal`]), so no two writers meet on a name. Read again ([`History`]) they
//!   are ordered by place, lease term, run and number, never by clocks. Torn, foreign or newer entries are reported and
//!   passed over.
//! - **Approvals**: one object for each time that a person said yes, naming what was approved. Beside them lies what gates
//!   printed, for people alone.
//! - **Leases**: one per place and term. A term has one winner, because its object is created if absent. The holder
//!   overwrites a heartbeat in it; who sees no change for two minutes by its own clock creates the next term. The old
//!   holder finds that out before its next change ([`Leases::confirm`]), and what it still writes sorts before the new
//!   holder's receipts.

mod acquire;
mod approval;
mod entry;
mod history;
mod holder;
mod journal;
mod lease;
mod leases;
mod local;
mod paths;
mod record;
mod run_id;
mod store;

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

pub use self::acquire::{Claim, WhenHeld};
pub use self::history::{History, LastRun, Recorded, Tombstone};
pub use self::holder::Holder;
pub use self::journal::RunJournal;
pub use self::leases::Leases;
pub use self::local::local_store;
pub use self::run_id::RunId;
pub(crate) use self::store::failure;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};
use crate::execute::Approval;
use crate::identity::Place;
use crate::ledger::entry::{Entry, LONGEST};
use crate::ledger::paths::{APPROVALS, RECEIPTS, TOMBSTONES};
use crate::ledger::store::{Created, Store};
use crate::names::ReleaseName;
use crate::publisher::Context;

/// How many objects are read at once.
const READERS: usize = 16;

/// The ledger in one state store. Cheap to clone.
///
/// Its calls try again a few times, within about two seconds, what fails in passing.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
}

impl Ledger {
    /// A ledger in `store`, below `ledger/`, `tombstone/`, `approval/`, `gate/` and `lease/`; nothing is written yet.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self::with_clock(store, Arc::new(SystemClock::new()))
    }

    /// The same, pausing between tries by a clock of the caller's.
    pub fn with_clock(store: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store: Store::new(store, clock) }
    }

    /// Reads everything that is kept of a release.
    ///
    /// # Behaviour
    /// Writes nothing, needs no lease. What cannot be understood is in [`History::problems`].
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when the store cannot be read.
    pub async fn history(&self, release: &ReleaseName) -> Result<History> {
        let receipts = self.store.list(&paths::release(RECEIPTS, release)?).await?;
        let tombstones = self.read(self.store.list(&paths::release(TOMBSTONES, release)?).await?).await?;
        let approvals = approvals(&self.store, release).await?;
        Ok(self.read(receipts).await?.with_tombstones(tombstones).with_approvals(approvals))
    }

    /// Writes an approval down; needs no lease, for it changes nothing at a cloud.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`].
    pub async fn approve(&self, release: &ReleaseName, run: RunId, approval: Approval) -> Result<()> {
        let path = paths::approval(release, run)?;
        match self.store.create(&path, &approval::Record::new(approval).encode()?).await? {
            Created::Ours => Ok(()),
            Created::Taken => Err(Error::new(Kind::Storage, "another writer's object lies where an approval belongs")
                .with("object", path)
                .hint("run the same command again: it takes another name")),
        }
    }

    /// Reads the tombstones of all releases, by place, lease term, run and number.
    ///
    /// # Behaviour
    /// Writes nothing, needs no lease, and reads no other receipts. What cannot be understood is passed over here; the
    /// [`Ledger::history`] of its release reports it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when the store cannot be read.
    pub async fn tombstones(&self) -> Result<Vec<Tombstone>> {
        let objects = self.store.list(&paths::folder(TOMBSTONES)?).await?;
        Ok(self.read(objects).await?.tombstones())
    }

    /// Gets the leases of all places of a claim.
    ///
    /// # Behaviour
    /// Takes them in byte order of names, so that two runs cannot wait for each other in a circle, and gives back what
    /// it holds before it waits. A lease is taken over at once when it was released, or when its holder ran on this
    /// machine and is no more; otherwise after the claim's patience without a sign of life. `on_wait` hears for which
    /// place and for whom it waits; a takeover is said through the context's progress.
    ///
    /// # Errors
    /// [`crate::error::Kind::LeaseHeld`] under [`WhenHeld::Fail`], [`crate::error::Kind::Cancelled`],
    /// [`crate::error::Kind::Storage`]; what was taken by then is given back.
    pub async fn acquire(
        &self,
        claim: &Claim,
        context: &Context,
        on_wait: &(dyn Fn(&Place, &str) + Send + Sync),
    ) -> Result<Leases> {
        acquire::acquire(&self.store, claim, context, on_wait).await
    }

    /// Whether nobody is at work at a place: the term of its last lease, 0 before the first; `None` while it is held.
    ///
    /// # Behaviour
    /// Writes nothing. What was seen at a place after this look is still true if the next lease has the next term.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`].
    pub async fn quiet(&self, place: &Place, here: &Holder) -> Result<Option<u64>> {
        let Some(seen) = record::look(&self.store, place).await? else { return Ok(Some(0)) };
        let ended = |record: &record::Record| record.released || record.holder.is_dead_beside(here);
        Ok(seen.record.as_deref().is_some_and(ended).then_some(seen.term))
    }

    /// Begins a run's receipts for one release under its leases; the first receipt is the first thing written.
    ///
    /// `run` must be new: [`RunId::generate`], the one in the leases' [`Holder`].
    pub fn begin(&self, release: ReleaseName, run: RunId, leases: Leases) -> RunJournal {
        RunJournal::new(self.store.clone(), release, run, leases)
    }

    async fn read(&self, objects: Vec<ObjectMeta>) -> Result<History> {
        let read: Vec<Result<Recorded, String>> = stream::iter(objects)
            .map(|object| async move { self.read_one(&object.location, object.size).await })
            .buffered(READERS)
            .try_collect()
            .await?;
        let (mut receipts, mut problems) = (Vec::new(), Vec::new());
        for one in read {
            match one {
                Ok(recorded) => receipts.push(recorded),
                Err(problem) => problems.push(problem),
            }
        }
        Ok(History::new(receipts, problems))
    }

    /// Reads one object: a receipt, or a sentence about what is wrong with it.
    async fn read_one(&self, path: &Path, size: u64) -> Result<Result<Recorded, String>> {
        let problem = |what: &str| Ok(Err(format!("`{path}` {what}")));
        let Some((run, seq)) = paths::parse_entry(path) else { return problem("does not belong to the ledger") };
        if size > LONGEST {
            return problem("is too long for a receipt");
        }
        let Some(bytes) = self.store.read(path).await? else { return problem("was removed while it was read") };
        match Entry::decode(&bytes) {
            Ok(entry) if (entry.run, entry.seq) == (run, seq) => {
                Ok(Ok(Recorded { run, seq, term: entry.term, receipt: entry.receipt }))
            }
            Ok(entry) => problem(&format!("is a copy of entry {} of run {}", entry.seq, entry.run)),
            Err(what) => problem(&what),
        }
    }
}

/// The approvals of a release in the order of their names, and a sentence about each that cannot be read.
async fn approvals(store: &Store, release: &ReleaseName) -> Result<(Vec<Approval>, Vec<String>)> {
    let (mut approvals, mut problems) = (Vec::new(), Vec::new());
    for object in store.list(&paths::release(APPROVALS, release)?).await? {
        let path = &object.location;
        if object.size > LONGEST {
            problems.push(format!("`{path}` is too long for an approval"));
            continue;
        }
        match store.read(path).await?.map(|bytes| approval::Record::decode(&bytes)) {
            Some(Ok(approval)) => approvals.push(approval),
            Some(Err(what)) => problems.push(format!("`{path}` {what}")),
            None => problems.push(format!("`{path}` was removed while it was read")),
        }
    }
    Ok((approvals, problems))
}

#[cfg(test)]
mod lease_tests;
#[cfg(test)]
mod receipt_tests;
#[cfg(test)]
mod testing;
