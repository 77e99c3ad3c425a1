//! The manifest as it is written: TOML in the order in which people write it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use toml::value::Datetime;

use super::Wishes;
use super::settle::Common;
use crate::disk::Format;
use crate::error::{Error, Kind, Result};
use crate::manifest::Boot;
use crate::names::{Arch, Class, ReleaseName, Suite, Variant, Version};

/// A release manifest to be.
#[derive(Debug, Serialize)]
pub(super) struct Draft {
    schema: u8,
    name: ReleaseName,
    suite: Suite,
    suite_id: String,
    version: Version,
    class: Class,
    #[serde(serialize_with = "moment")]
    date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_job: Option<String>,
    artifact: Vec<DraftImage>,
}

/// One of its images.
#[derive(Debug, Serialize)]
pub(super) struct DraftImage {
    pub(super) variant: Variant,
    pub(super) arch: Arch,
    pub(super) file: String,
    pub(super) format: Format,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packed: Option<String>,
    pub(super) sha512: String,
    pub(super) size: u64,
    pub(super) boot: Boot,
    pub(super) build_manifest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outside_suite: Option<Vec<String>>,
}

impl Draft {
    pub(super) fn new(common: Common, images: Vec<DraftImage>, wishes: &Wishes) -> Self {
        let Common { name, suite, suite_id, version, class, date } = common;
        let build_job = wishes.build_job.clone();
        Self { schema: 1, name, suite, suite_id, version, class, date, build_job, artifact: images }
    }

    pub(super) fn to_toml(&self) -> Result<String> {
        let failed = |error| Error::new(Kind::Unexpected, "could not write a release manifest").caused_by(error);
        toml::to_string(self).map_err(failed)
    }
}

/// A moment without quotes.
fn moment<S: Serializer>(date: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let moment: Datetime = date.to_string().parse().map_err(serde::ser::Error::custom)?;
    moment.serialize(serializer)
}
