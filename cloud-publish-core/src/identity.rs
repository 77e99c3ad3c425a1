//! Who an image is: its key, its digest, and the tags that carry both at every cloud.
//!
//! Owns the rules by which a rerun, another machine or a cleanup recognises our objects. How tags are written at one
//! cloud (labels, metadata) is the provider's matter; it starts from [`ImageTags::to_map`] and ends in
//! [`ImageTags::from_map`].

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::digest::{Digest, hex};
use crate::error::{Error, Kind, Result};
use crate::names::{Account, Arch, Class, Owner, Provider, Region, ReleaseName, Rendition, Suite, Variant, Version};

/// The prefix of every tag of ours.
pub const TAG_PREFIX: &str = "cloud-publish-";

/// Whose place at which kind of cloud: what a target is, whatever the configuration calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The kind of cloud.
    pub provider: Provider,
    /// The account, project or subscription there.
    pub account: Account,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.account)
    }
}

/// The 32 hex digits by which the tag `key` names one image in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyTag(String);

impl KeyTag {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for KeyTag {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an image was made from and for: every tag except the region-bound key and the three that come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageTags {
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
    /// What was made from the artifact for this target.
    pub rendition: Rendition,
    /// The release's own date.
    pub date: Timestamp,
    /// The content digest.
    pub digest: Digest,
}

impl ImageTags {
    /// The tag `key`: the first 32 hex digits of sha256 over the key's fields joined by NUL.
    pub fn key(&self, place: &Place, region: &Region) -> KeyTag {
        let fields = [
            self.owner.as_str(),
            self.release.as_str(),
            self.variant.as_str(),
            self.arch.as_str(),
            self.rendition.as_str(),
            place.provider.as_str(),
            place.account.as_str(),
            region.as_str(),
        ];
        let mut digits = hex(&Sha256::digest(fields.join("\0")));
        digits.truncate(32);
        KeyTag(digits)
    }

    /// The idempotency token of the `generation`-th try to create this image: 64 hex digits of
    /// H(key, digest, generation).
    pub fn token(&self, place: &Place, region: &Region, generation: u32) -> String {
        let text = format!("{}\0{}\0{generation}", self.key(place, region), self.digest);
        hex(&Sha256::digest(text))
    }

    /// The id of the `generation`-th try, for clouds that let the client choose a UUID.
    pub fn uuid(&self, place: &Place, region: &Region, generation: u32) -> Uuid {
        let text = format!("{}\0{}\0{generation}", self.key(place, region), self.digest);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
    }

    /// All tags of an image in `region`, with their prefix.
    pub fn to_map(&self, place: &Place, region: &Region) -> BTreeMap<String, String> {
        let key = self.key(place, region);
        let fields: [(&str, String); 11] = [
            ("owner", self.owner.to_string()),
            ("release", self.release.to_string()),
            ("suite", self.suite.to_string()),
            ("version", self.version.to_string()),
            ("class", self.class.to_string()),
            ("variant", self.variant.to_string()),
            ("arch", self.arch.to_string()),
            ("rendition", self.rendition.to_string()),
            ("date", self.date.to_string()),
            ("digest", self.digest.to_string()),
            ("key", key.to_string()),
        ];
        fields.into_iter().map(|(name, value)| (format!("{TAG_PREFIX}{name}"), value)).collect()
    }

    /// Reads the tags of an image found in `region`, ignoring tags of others.
    ///
    /// # Errors
    /// [`TagTrouble`]: which tags are missing or contradict each other. Such an image is never changed or deleted.
    pub fn from_map(tags: &BTreeMap<String, String>, place: &Place, region: &Region) -> Result<Self, TagTrouble> {
        let own = Self::of_any_place(tags)?;
        if tags.get(&format!("{TAG_PREFIX}key")).is_none_or(|key| own.key(place, region).as_str() != key) {
            return Err(TagTrouble {
                problems: vec![format!("tag {TAG_PREFIX}key does not belong to the other tags")],
            });
        }
        Ok(own)
    }

    /// Reads the tags of an image without looking whether their key belongs to one place: never enough to change it.
    ///
    /// # Errors
    /// [`TagTrouble`]: which tags are missing or cannot be read.
    pub fn of_any_place(tags: &BTreeMap<String, String>) -> Result<Self, TagTrouble> {
        let mut problems = Vec::new();
        let mut field = |name: &str| -> String {
            let value = tags.get(&format!("{TAG_PREFIX}{name}"));
            if value.is_none() {
                problems.push(format!("tag {TAG_PREFIX}{name} is missing"));
            }
            value.cloned().unwrap_or_default()
        };
        let names =
            ["owner", "release", "suite", "version", "class", "variant", "arch", "rendition", "date", "digest", "key"];
        let [owner, release, suite, version, class, variant, arch, rendition, date, digest, _key] =
            names.map(&mut field);
        if !problems.is_empty() {
            return Err(TagTrouble { problems });
        }
        let parsed = || -> Result<Self> {
            Ok(Self {
                owner: owner.parse()?,
                release: release.parse()?,
                suite: suite.parse()?,
                version: version.parse()?,
                class: class.parse()?,
                variant: variant.parse()?,
                arch: arch.parse()?,
                rendition: rendition.parse()?,
                date: date.parse().map_err(|e| Error::new(Kind::InvalidInput, "the date is no time").caused_by(e))?,
                digest: digest.parse()?,
            })
        };
        parsed().map_err(|error| TagTrouble { problems: error.chain() })
    }

    /// The line this image belongs to, within its target and region.
    pub fn line(&self) -> Line {
        Line { suite: self.suite.clone(), variant: self.variant.clone(), arch: self.arch.clone(), class: self.class }
    }
}

/// Why an object's tags cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct TagTrouble {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// The sequence of releases that supersede each other, within one target and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Line {
    /// The series.
    pub suite: Suite,
    /// The variant.
    pub variant: Variant,
    /// The architecture.
    pub arch: Arch,
    /// The class.
    pub class: Class,
}

/// The three tags that come and go: when an image was published, retired, withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The last write of a publication; without it the image counts as not yet published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Written before the retiring call, removed by `restore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Timestamp>,
    /// Written before a withdrawal, removed by `restore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

impl Marks {
    /// The tags of the marks that are set, with their prefix.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let fields = [("published", self.published), ("retired", self.retired), ("withdrawn", self.withdrawn)];
        let set = fields.into_iter().filter_map(|(name, time)| Some((name, time?)));
        set.map(|(name, time)| (format!("{TAG_PREFIX}{name}"), time.to_string())).collect()
    }

    /// Reads the marks; a time that cannot be read is a problem, not an absent mark.
    ///
    /// # Errors
    /// [`TagTrouble`] naming the unreadable ones.
    pub fn from_map(tags: &BTreeMap<String, String>) -> Result<Self, TagTrouble> {
        let mut problems = Vec::new();
        let mut time = |name: &str| -> Option<Timestamp> {
            let value = tags.get(&format!("{TAG_PREFIX}{name}"))?;
            value.parse().map_err(|_| problems.push(format!("tag {TAG_PREFIX}{name} is no time: `{value}`"))).ok()
        };
        let marks = Self { published: time("published"), retired: time("retired"), withdrawn: time("withdrawn") };
        if problems.is_empty() { Ok(marks) } else { Err(TagTrouble { problems }) }
    }
}

/// Whether tags claim that an object belongs to `owner`: enough to look closer, never enough to change it.
pub fn claims_owner(tags: &BTreeMap<String, String>, owner: &Owner) -> bool {
    tags.get(&format!("{TAG_PREFIX}owner")).is_some_and(|value| value == owner.as_str())
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
