//! A person's word that images may become public, as it lies in the ledger.
//!
//! One small object each, created if absent, under no lease: it changes nothing at a cloud, and can be said while a run
//! is at work.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::execute::Approval;

/// The version of the format written here.
const SCHEMA: u32 = 1;

/// An approval as it is written down.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    schema: u32,
    /// Different in each approval ever written: tells a writer its own object from another's.
    nonce: String,
    #[serde(flatten)]
    pub(super) approval: Approval,
}

impl Record {
    pub(super) fn new(approval: Approval) -> Self {
        Self { schema: SCHEMA, nonce: Uuid::new_v4().simple().to_string(), approval }
    }

    pub(super) fn encode(&self) -> Result<Bytes> {
        let json = serde_json::to_vec_pretty(self).map(Bytes::from);
        json.map_err(|error| Error::new(Kind::Storage, "an approval cannot be written as JSON").caused_by(error))
    }

    /// The approval in these bytes.
    ///
    /// # Errors
    /// What is wrong with it, to follow its path in a sentence. What cannot be read approves nothing.
    pub(super) fn decode(bytes: &[u8]) -> Result<Approval, String> {
        let record: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("is not an approval that can be read: {error}"))?;
        if record.schema > SCHEMA {
            return Err(format!("was written by a newer version of the program (schema {})", record.schema));
        }
        Ok(record.approval)
    }
}
