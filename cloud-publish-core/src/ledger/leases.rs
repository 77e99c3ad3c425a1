//! The leases that a run holds.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::ledger::lease::Lease;

/// The leases of a run's places. Got by [`crate::ledger::Ledger::acquire`]; the default holds none.
///
/// Each shows life by a task of its own until it is released, lost or dropped. Dropped without release it stays until
/// somebody else's patience ends, or, after the end of this process, until anybody on this machine asks for it.
#[derive(Debug, Default)]
pub struct Leases {
    held: BTreeMap<Place, Lease>,
}

impl Leases {
    pub(super) fn insert(&mut self, place: Place, lease: Lease) {
        self.held.insert(place, lease);
    }

    /// The places.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.held.keys()
    }

    /// The term of a place's lease: each holder's is higher than the one before.
    pub fn term(&self, place: &Place) -> Option<u64> {
        self.held.get(place).map(Lease::term)
    }

    /// Makes sure that this run still holds the lease of a place.
    ///
    /// # Behaviour
    /// Always looks for a later term; writes a heartbeat first when the last one is overdue.
    ///
    /// # Errors
    /// [`Kind::LeaseHeld`] naming the run that has taken it over, also when it was given back or never held;
    /// [`Kind::Storage`] when the store cannot be read.
    pub async fn confirm(&self, place: &Place) -> Result<()> {
        match self.held.get(place) {
            Some(lease) => lease.confirm().await,
            None => Err(Error::new(Kind::LeaseHeld, format!("this run holds no lease of {place}"))),
        }
    }

    /// Gives all of them back, so that the next run need not wait.
    ///
    /// # Behaviour
    /// Tries each, also after a failure; repeated it does what is left to do. A lease that was lost is left alone.
    ///
    /// # Errors
    /// The first failure, [`Kind::Storage`]: nothing is lost by it but the next run's time.
    pub async fn release(&self) -> Result<()> {
        let mut outcome = Ok(());
        for lease in self.held.values() {
            outcome = outcome.and(lease.release().await);
        }
        outcome
    }
}
