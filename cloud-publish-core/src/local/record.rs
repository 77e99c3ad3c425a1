//! What is remembered of an image beside its files: marks, hidden or not, a tombstone. One small file per key.
//!
//! Losing these files loses no image: identity stands in the build manifests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files;
use super::layout::Layout;
use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, KeyTag, Marks};
use crate::names::ImageId;

/// The record of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    schema: u32,
    /// Its id.
    pub(super) id: ImageId,
    /// Who it is.
    pub(super) tags: ImageTags,
    /// The tags that come and go.
    #[serde(default)]
    pub(super) marks: Marks,
    /// Further tags, where they were changed after the build manifest was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extra: Option<BTreeMap<String, String>>,
    /// Left out of pages and `latest`.
    #[serde(default)]
    pub(super) hidden: bool,
    /// When it was deleted: its tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted: Option<Timestamp>,
}

impl Record {
    /// The record of an image that nobody has marked yet.
    pub(super) fn new(id: ImageId, tags: ImageTags) -> Self {
        Self { schema: 1, id, tags, marks: Marks::default(), extra: None, hidden: false, deleted: None }
    }

    /// Reads the record of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`Kind::Storage`] when it cannot be understood.
    pub(super) fn read(layout: &Layout, key: &KeyTag) -> Result<Option<Self>> {
        let path = layout.state().join(format!("{key}.json"));
        let Some(bytes) = files::read_small(&path)? else { return Ok(None) };
        let broken = |message: &'static str| {
            Error::new(Kind::Storage, message).with("path", path.display()).hint(
                "move the file away: identity is read from the build manifests again, marks are taken from the \
                 directories",
            )
        };
        let record: Self =
            serde_json::from_slice(&bytes).map_err(|error| broken("an image's record is broken").caused_by(error))?;
        if record.schema != 1 || layout.key(&record.tags) != *key {
            return Err(broken("an image's record belongs to something else"));
        }
        Ok(Some(record))
    }

    /// Writes the record in one step; equal ones are not written again.
    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        let path = layout.state().join(format!("{}.json", layout.key(&self.tags)));
        let failed = |error| Error::new(Kind::Unexpected, "could not write an image's record").caused_by(error);
        let mut bytes = serde_json::to_vec_pretty(self).map_err(failed)?;
        bytes.push(b'\n');
        files::write(&layout.tmp(), &path, &bytes)
    }
}
