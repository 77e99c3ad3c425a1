//! One entry of the ledger as bytes: a receipt in its envelope.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::execute::Receipt;
use crate::ledger::RunId;

/// The version of the format written here.
pub(super) const SCHEMA: u32 = 1;

/// The longest entry: far more than a verb's note needs, little enough to read a ledger with foreign files in it.
pub(super) const LONGEST: u64 = 4 * 1024 * 1024;

/// A receipt with its place in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) schema: u32,
    pub(super) run: RunId,
    pub(super) seq: u64,
    /// The term of the lease under which it was written.
    pub(super) term: u64,
    /// Different in each entry ever written: tells a writer its own object from another's.
    pub(super) nonce: String,
    pub(super) receipt: Receipt,
}

#[derive(Deserialize)]
struct Version {
    schema: u32,
}

impl Entry {
    pub(super) fn encode(&self) -> Result<Bytes> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Error::new(Kind::Storage, "a receipt cannot be written as JSON").caused_by(error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST) {
            Ok(bytes.into())
        } else {
            Err(Error::new(Kind::Storage, format!("a receipt is longer than {LONGEST} bytes")).with("run", self.run))
        }
    }

    /// Reads an entry. Fields that are not known are left aside; a newer schema is not guessed at.
    ///
    /// # Errors
    /// What is wrong with it, to follow its path in a sentence.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("is empty".into());
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() {
                format!("is torn: {error}")
            } else {
                format!("is not an entry of this ledger: {error}")
            }
        })?;
        if version.schema > SCHEMA {
            return Err(format!("was written by a newer version of the program (schema {})", version.schema));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("cannot be understood: {error}"))
    }
}
