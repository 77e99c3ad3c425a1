//! One place's lease while it is held: its heartbeat, the look for a later term, its end.
//!
//! How it is got is the matter of `acquire`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::ledger::paths;
use crate::ledger::record::{Record, latest_term, look};
use crate::ledger::store::Store;
use crate::publisher::Context;

/// A lease that this process holds, until it is released, lost or dropped.
///
/// Dropped without release it stops beating and stays: what it protected may still be at work, so the patience of
/// those who watch decides.
#[derive(Debug)]
pub(super) struct Lease {
    held: Arc<Held>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Held {
    store: Store,
    context: Context,
    place: Place,
    term: u64,
    path: Path,
    heartbeat: Duration,
    /// Released or dropped.
    stop: CancellationToken,
    /// A later term was seen.
    lost: CancellationToken,
    /// Locked over each write, so that none lands behind a later one.
    pulse: Mutex<Pulse>,
}

#[derive(Debug)]
struct Pulse {
    record: Record,
    /// When it was last written, by our own monotonic clock.
    at: Duration,
}

impl Lease {
    /// Keeps a lease that was just created, with a heartbeat from now on.
    pub(super) fn keep(store: Store, record: Record, heartbeat: Duration, context: &Context) -> Result<Self> {
        let stop = CancellationToken::new();
        let held = Arc::new(Held {
            store,
            context: context.clone(),
            place: record.place.clone(),
            term: record.term,
            path: paths::lease(&record.place, record.term)?,
            heartbeat,
            stop: stop.clone(),
            lost: CancellationToken::new(),
            pulse: Mutex::new(Pulse { record, at: context.clock().elapsed() }),
        });
        tokio::spawn(Arc::clone(&held).beat_until_stopped());
        Ok(Self { held, _stop: stop.drop_guard() })
    }

    pub(super) fn term(&self) -> u64 {
        self.held.term
    }

    /// See [`crate::ledger::Leases::confirm`].
    pub(super) async fn confirm(&self) -> Result<()> {
        to_its_end(Arc::clone(&self.held).confirm()).await
    }

    /// See [`crate::ledger::Leases::release`].
    pub(super) async fn release(&self) -> Result<()> {
        to_its_end(Arc::clone(&self.held).release()).await
    }
}

/// Carries `work` through even if the caller stops waiting for it: a write that goes on in the background after its
/// future was dropped could land behind a later one.
async fn to_its_end(work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
    let done = tokio::spawn(work).await;
    done.map_err(|error| Error::new(Kind::Storage, "the keeper of a lease ended early").caused_by(error))?
}

impl Held {
    async fn beat_until_stopped(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.lost.cancelled() => return,
                () = self.context.clock().sleep(self.heartbeat) => {}
            }
            // What fails is tried again at the next beat. If it fails for too long, somebody else takes over, and
            // `confirm` looks for that itself.
            let _ = self.beat().await;
            let _ = self.has_successor().await;
        }
    }

    async fn beat(&self) -> Result<()> {
        let mut pulse = self.pulse.lock().await;
        if self.stop.is_cancelled() || self.lost.is_cancelled() {
            return Ok(());
        }
        pulse.record.beat = pulse.record.beat.saturating_add(1);
        self.store.overwrite(&self.path, pulse.record.encode()?).await?;
        pulse.at = self.context.clock().elapsed();
        Ok(())
    }

    async fn has_successor(&self) -> Result<bool> {
        if !self.lost.is_cancelled() && latest_term(&self.store, &self.place).await?.is_some_and(|it| it > self.term) {
            self.lost.cancel();
        }
        Ok(self.lost.is_cancelled())
    }

    async fn confirm(self: Arc<Self>) -> Result<()> {
        if self.stop.is_cancelled() {
            return Err(Error::new(Kind::LeaseHeld, format!("the lease of {} was given back", self.place)));
        }
        let last_beat = self.pulse.lock().await.at;
        // After a pause of the whole process (a suspended machine) show life first, then look.
        if self.context.clock().elapsed().saturating_sub(last_beat) > self.heartbeat.saturating_mul(2) {
            self.beat().await?;
        }
        if !self.has_successor().await? {
            return Ok(());
        }
        let successor = look(&self.store, &self.place).await.ok().flatten();
        let by = successor.map(|seen| format!(": {}", seen.holder())).unwrap_or_default();
        Err(Error::new(Kind::LeaseHeld, format!("another run has taken over {}{by}", self.place)).hint(
            "this run had shown no sign of life for too long; when the other one is done, run the same command again",
        ))
    }

    async fn release(self: Arc<Self>) -> Result<()> {
        let mut pulse = self.pulse.lock().await;
        self.stop.cancel();
        if self.lost.is_cancelled() || pulse.record.released {
            return Ok(());
        }
        let mut released = pulse.record.clone();
        released.released = true;
        self.store.overwrite(&self.path, released.encode()?).await?;
        pulse.record = released;
        Ok(())
    }
}
