//! What users look things up in: one row per image and region, derived from surveys and never the truth itself.
//!
//! Owns the shape of rows and how rows of one place replace those of an earlier run. It can be rebuilt at any time: the
//! clouds' tags say everything but the tombstones, which the ledger keeps.

mod files;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::files::{read, write, write_receipts};
use crate::digest::Digest;
use crate::identity::Place;
use crate::names::{
    Account, Arch, Class, ImageId, Owner, Provider, Region, ReleaseName, Rendition, Suite, TargetName, Variant, Version,
};
use crate::publisher::TargetInfo;
use crate::survey::{FoundImage, Life, Survey};

/// One image in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Who publishes.
    pub owner: Owner,
    /// The release.
    pub release: ReleaseName,
    /// Its series.
    pub suite: Suite,
    /// Its version.
    pub version: Version,
    /// Its class.
    pub class: Class,
    /// The artifact's variant.
    pub variant: Variant,
    /// The artifact's architecture.
    pub arch: Arch,
    /// What was made of the artifact.
    pub rendition: Rendition,
    /// The kind of cloud.
    pub provider: Provider,
    /// The target's name in the configuration that wrote the row.
    pub target: TargetName,
    /// Whose place at the cloud.
    pub account: Account,
    /// Where.
    pub region: Region,
    /// The cloud's id.
    pub id: ImageId,
    /// The name it is registered under.
    pub name: String,
    /// Where in its life it is.
    pub state: Life,
    /// The content digest.
    pub digest: Digest,
    /// The release's own date; absent in rows that were written before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Pages about it, by what they are for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
}

impl Row {
    /// The row of an image found at a target; `None` when its tags cannot be believed.
    pub fn of(info: &TargetInfo, found: &FoundImage) -> Option<Self> {
        let tags = found.tags.as_ref()?;
        Some(Self {
            owner: tags.owner.clone(),
            release: tags.release.clone(),
            suite: tags.suite.clone(),
            version: tags.version.clone(),
            class: tags.class,
            variant: tags.variant.clone(),
            arch: tags.arch.clone(),
            rendition: tags.rendition.clone(),
            provider: info.place.provider.clone(),
            target: info.target.clone(),
            account: info.place.account.clone(),
            region: found.region.clone(),
            id: found.id.clone(),
            name: found.name.clone(),
            state: found.life(),
            digest: tags.digest,
            date: Some(tags.date),
            published_at: found.marks.published,
            links: found.links.clone(),
        })
    }

    fn place(&self) -> Place {
        Place { provider: self.provider.clone(), account: self.account.clone() }
    }

    fn is_at(&self, other: &Self) -> bool {
        (&self.region, &self.id, &self.release) == (&other.region, &other.id, &other.release)
    }

    fn order(&self) -> impl Ord + use<> {
        (
            (self.suite.clone(), self.class, self.release.clone()),
            (self.variant.clone(), self.arch.clone(), self.rendition.clone()),
            (self.provider.clone(), self.account.clone(), self.region.clone(), self.id.clone()),
        )
    }
}

/// All rows, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The format of this document: 1.
    pub schema: u32,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self { schema: 1, rows: Vec::new() }
    }
}

/// For which rows a survey speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All of its place: nobody else changed anything there since.
    Place,
    /// Those of one release; others are only added where they are missing.
    Release(&'a ReleaseName),
}

impl Catalogue {
    /// Takes over what a survey of one owner shows: the rows in its scope, of regions that it covers, are replaced. Rows
    /// of other places and of deleted images stay.
    pub fn take(&mut self, info: &TargetInfo, survey: &Survey, scope: Scope<'_>) {
        let in_scope = |row: &Row| match scope {
            Scope::Place => true,
            Scope::Release(release) => row.release == *release,
        };
        let is_replaced = |row: &Row| {
            row.place() == info.place && row.state != Life::Deleted && survey.covers(&row.region) && in_scope(row)
        };
        self.rows.retain(|row| !is_replaced(row));
        let fresh = survey.images.iter().filter(|found| survey.covers(&found.region));
        for row in fresh.filter_map(|found| Row::of(info, found)) {
            if !self.rows.iter().any(|known| known.place() == row.place() && known.is_at(&row)) {
                self.rows.push(row);
            }
        }
        self.rows.sort_by_cached_key(Row::order);
    }
}

#[cfg(test)]
mod tests;
