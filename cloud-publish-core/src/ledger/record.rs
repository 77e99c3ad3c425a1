//! A lease as it lies in the store, and the look for the latest term of a place.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::ledger::Holder;
use crate::ledger::paths;
use crate::ledger::store::Store;

/// The version of the format written here.
const SCHEMA: u32 = 1;

/// A lease as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    schema: u32,
    pub(super) place: Place,
    pub(super) term: u64,
    /// Different in each lease ever taken.
    nonce: String,
    pub(super) holder: Holder,
    /// Counts the heartbeats: who watches sees it change.
    pub(super) beat: u64,
    /// Given back: the next one need not wait.
    pub(super) released: bool,
}

impl Record {
    /// A lease at its first moment.
    pub(super) fn new(place: &Place, term: u64, holder: &Holder) -> Self {
        let nonce = Uuid::new_v4().simple().to_string();
        Self { schema: SCHEMA, place: place.clone(), term, nonce, holder: holder.clone(), beat: 0, released: false }
    }

    pub(super) fn encode(&self) -> Result<Bytes> {
        let json = serde_json::to_vec(self).map(Bytes::from);
        json.map_err(|error| Error::new(Kind::Storage, "a lease cannot be written as JSON").caused_by(error))
    }

    /// The record in these bytes; `None` when they are torn, foreign or of a newer schema.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|record: &Self| record.schema <= SCHEMA)
    }
}

/// The latest lease of a place, as it was seen once.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) term: u64,
    bytes: Bytes,
    pub(super) record: Option<Box<Record>>,
}

impl Seen {
    /// Whether nothing has happened between two looks.
    pub(super) fn is_unchanged_since(&self, earlier: &Self) -> bool {
        self.term == earlier.term && self.bytes == earlier.bytes
    }

    /// Who holds it, for people.
    pub(super) fn holder(&self) -> String {
        self.record
            .as_ref()
            .map_or_else(|| "somebody whose lease cannot be read".into(), |record| record.holder.to_string())
    }
}

/// Looks for the latest lease of a place.
pub(super) async fn look(store: &Store, place: &Place) -> Result<Option<Seen>> {
    loop {
        let Some(term) = latest_term(store, place).await? else { return Ok(None) };
        // Terms are cleared away only when there are later ones: not there any more means look again.
        if let Some(bytes) = store.read(&paths::lease(place, term)?).await? {
            let record = Record::decode(&bytes).map(Box::new);
            return Ok(Some(Seen { term, bytes, record }));
        }
    }
}

/// The number of the latest lease of a place.
pub(super) async fn latest_term(store: &Store, place: &Place) -> Result<Option<u64>> {
    let found = store.list(&paths::leases(place)?).await?;
    Ok(found.iter().filter_map(|object| paths::parse_term(&object.location)).max())
}
