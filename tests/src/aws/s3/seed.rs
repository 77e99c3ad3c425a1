//! Buckets that are there from the beginning.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Bucket, State};
use crate::aws::settings::Settings;

/// Buckets, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Account (twelve digits) and region of each.
    pub buckets: BTreeMap<String, (String, String)>,
}

impl State {
    /// The beginning.
    pub(crate) fn seeded(settings: &Settings, now: Timestamp) -> Self {
        let mut state = Self::default();
        for (name, (account, region)) in &settings.s3.buckets {
            state.insert_bucket(name, Bucket::new(account, region, now));
        }
        state
    }
}
