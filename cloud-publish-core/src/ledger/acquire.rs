//! How leases are got: all of a run's, in one order, waiting with empty hands, taking over from the dead.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::ledger::lease::Lease;
use crate::ledger::paths;
use crate::ledger::record::{Record, Seen, latest_term, look};
use crate::ledger::store::{Created, Store};
use crate::ledger::{Holder, Leases};
use crate::publisher::Context;

/// How many earlier terms a new holder leaves lying: enough to see what happened last.
const KEPT_TERMS: u64 = 2;

/// What to do when another run holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenHeld {
    /// Wait until it is free.
    Wait,
    /// Give up at once.
    Fail,
}

/// Asks for the leases of a run.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Of which places.
    pub places: BTreeSet<Place>,
    /// For whom: [`Holder::this_process`].
    pub holder: Holder,
    /// What to do when one of them is held.
    pub when_held: WhenHeld,
    /// How long a holder may show no sign of life before its lease is taken over.
    pub patience: Duration,
    /// How often a holder shows life; several times within `patience`.
    pub heartbeat: Duration,
    /// How often who waits looks whether it is free.
    pub look_every: Duration,
}

impl Claim {
    /// A claim that waits, with the rhythm that all runs share: life is shown every 20 s, silence lasts 2 minutes.
    pub fn new(places: BTreeSet<Place>, holder: Holder) -> Self {
        Self {
            places,
            holder,
            when_held: WhenHeld::Wait,
            patience: Duration::from_secs(120),
            heartbeat: Duration::from_secs(20),
            look_every: Duration::from_secs(2),
        }
    }

    /// Sets what to do when a lease is held.
    #[must_use]
    pub fn when_held(mut self, when_held: WhenHeld) -> Self {
        self.when_held = when_held;
        self
    }
}

/// One try to get a lease.
enum Try {
    Taken(Lease),
    Held(Seen),
}

/// One try to get all of them.
enum Round {
    Complete(Leases),
    Blocked(Place, Seen),
}

/// Gets the leases of a claim; `on_wait` hears for which place and for whom it waits, once for each holder.
pub(super) async fn acquire(
    store: &Store,
    claim: &Claim,
    context: &Context,
    on_wait: &(dyn Fn(&Place, &str) + Send + Sync),
) -> Result<Leases> {
    let mut seeker = Seeker { store, claim, context, silent: BTreeMap::new() };
    loop {
        match seeker.round().await? {
            Round::Complete(leases) => return Ok(leases),
            Round::Blocked(place, seen) if claim.when_held == WhenHeld::Fail => return Err(held(&place, &seen)),
            Round::Blocked(place, seen) => seeker.wait(place, seen, on_wait).await?,
        }
    }
}

struct Seeker<'a> {
    store: &'a Store,
    claim: &'a Claim,
    context: &'a Context,
    /// The leases that showed no sign of life for as long as our patience lasts.
    silent: BTreeMap<Place, Seen>,
}

impl Seeker<'_> {
    /// Tries each place in byte order of names; gives back what it has when one is held, or on failure.
    async fn round(&self) -> Result<Round> {
        let mut leases = Leases::default();
        for place in &self.claim.places {
            let blocked = match self.try_place(place).await {
                Ok(Try::Taken(lease)) => {
                    leases.insert(place.clone(), lease);
                    continue;
                }
                Ok(Try::Held(seen)) => Ok(seen),
                Err(error) => Err(error),
            };
            let given_back = leases.release().await;
            let seen = blocked?;
            given_back?;
            return Ok(Round::Blocked(place.clone(), seen));
        }
        Ok(Round::Complete(leases))
    }

    async fn try_place(&self, place: &Place) -> Result<Try> {
        loop {
            self.context.check()?;
            let latest = look(self.store, place).await?;
            if let Some(seen) = &latest {
                match self.reason_to_take_over(place, seen) {
                    None => return Ok(Try::Held(seen.clone())),
                    Some(Reason::Released) => {}
                    Some(Reason::Dead(why)) => {
                        self.context.progress().says(&format!("taking over {place} from {}: {why}", seen.holder()));
                    }
                }
            }
            let term = latest.map_or(0, |seen| seen.term).saturating_add(1);
            let record = Record::new(place, term, &self.claim.holder);
            let path = paths::lease(place, term)?;
            if self.store.create(&path, &record.encode()?).await? == Created::Taken {
                continue;
            }
            // Who was slow may have created a term that had been there before and was cleared away since.
            if latest_term(self.store, place).await?.is_some_and(|latest| latest > term) {
                self.store.remove(&path).await?;
                continue;
            }
            self.clear_away(place, term).await;
            return Lease::keep(self.store.clone(), record, self.claim.heartbeat, self.context).map(Try::Taken);
        }
    }

    fn reason_to_take_over(&self, place: &Place, seen: &Seen) -> Option<Reason> {
        if self.silent.get(place).is_some_and(|silent| seen.is_unchanged_since(silent)) {
            let patience = self.claim.patience.as_secs();
            return Some(Reason::Dead(format!("it has shown no sign of life for {patience} s")));
        }
        let record = seen.record.as_ref()?;
        if record.released {
            return Some(Reason::Released);
        }
        let dead = record.holder.is_dead_beside(&self.claim.holder);
        dead.then(|| Reason::Dead("that process is no more".into()))
    }

    /// Waits until a place can be had, or its holder has been silent for too long.
    async fn wait(
        &mut self,
        place: Place,
        mut last: Seen,
        on_wait: &(dyn Fn(&Place, &str) + Send + Sync),
    ) -> Result<()> {
        on_wait(&place, &last.holder());
        let clock = self.context.clock();
        let mut since = clock.elapsed();
        loop {
            self.context.sleep(self.claim.look_every).await?;
            let Some(seen) = look(self.store, &place).await? else { return Ok(()) };
            if self.reason_to_take_over(&place, &seen).is_some() {
                return Ok(());
            }
            if !seen.is_unchanged_since(&last) {
                if seen.term != last.term {
                    on_wait(&place, &seen.holder());
                }
                (last, since) = (seen, clock.elapsed());
            } else if clock.elapsed().saturating_sub(since) >= self.claim.patience {
                self.silent.insert(place, seen);
                return Ok(());
            }
        }
    }

    /// Removes old terms. Whatever fails here is the next holder's to do.
    async fn clear_away(&self, place: &Place, own: u64) {
        let Ok(folder) = paths::leases(place) else { return };
        for object in self.store.list(&folder).await.unwrap_or_default() {
            if paths::parse_term(&object.location).is_some_and(|term| term.saturating_add(KEPT_TERMS) < own) {
                let _ = self.store.remove(&object.location).await;
            }
        }
    }
}

/// Why a lease may be taken though there is one.
enum Reason {
    Released,
    /// Its holder is dead, in these words.
    Dead(String),
}

fn held(place: &Place, seen: &Seen) -> Error {
    Error::new(Kind::LeaseHeld, format!("another run is at work at {place}: {}", seen.holder()))
        .hint("run the same command later, or without `--no-wait`: then it waits for that run to end")
}
