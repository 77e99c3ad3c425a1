//! What the cloud remembers of its past: every request, and who could use which image when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Kind;
use crate::manifest::Visibility;
use crate::names::{Account, ImageId, Region};

/// The verb of [`crate::publisher::Publisher`] on whose behalf a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the verb of the same name")]
pub enum Verb {
    Info,
    Preflight,
    Survey,
    Usage,
    Upload,
    Register,
    Replicate,
    SetVisibility,
    Tag,
    Point,
    ListInMarketplace,
    Hide,
    Retire,
    Restore,
    Delete,
    Discard,
    Prove,
}

impl Verb {
    /// The name of the trait's function.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Preflight => "preflight",
            Self::Survey => "survey",
            Self::Usage => "usage",
            Self::Upload => "upload",
            Self::Register => "register",
            Self::Replicate => "replicate",
            Self::SetVisibility => "set_visibility",
            Self::Tag => "tag",
            Self::Point => "point",
            Self::ListInMarketplace => "list_in_marketplace",
            Self::Hide => "hide",
            Self::Retire => "retire",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::Discard => "discard",
            Self::Prove => "prove",
        }
    }
}

/// One request that reached the cloud. A verb makes several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Counted from 1 over the cloud's whole life.
    pub number: u64,
    /// When it arrived, by the cloud's clock.
    pub at: Timestamp,
    /// Which publisher sent it: counted from 1 in the order of their making.
    pub client: u64,
    /// On behalf of which verb.
    pub verb: Verb,
    /// What it asks: `look`, `create image`, ...
    pub call: &'static str,
    /// Where; `None`: the account as a whole, or several regions at once.
    pub region: Option<Region>,
    /// Whether it asks for a change.
    pub changes: bool,
    /// Whether the cloud did what was asked, whatever the caller was told.
    pub took_effect: bool,
    /// What the caller was told, if it was told a failure.
    pub failed: Option<Kind>,
}

/// A time during which others than the owner could use an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Whose image.
    pub account: Account,
    /// Where.
    pub region: Region,
    /// Which.
    pub id: ImageId,
    /// Its name.
    pub name: String,
    /// Who could use it: never [`Visibility::Private`].
    pub to: Visibility,
    /// It could be used by id only, nobody was led to it: a replica that is visible the moment it exists.
    pub by_id_only: bool,
    /// Since when.
    pub since: Timestamp,
    /// The number of the request that did it.
    pub since_request: u64,
    /// Until when; `None`: still.
    pub until: Option<Timestamp>,
}
