//! An image as Glance keeps it, and as it shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};

use super::content::Content;

/// An image.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) id: String,
    /// The request that made it: the order in which images were made.
    pub(super) seq: u64,
    pub(super) name: Option<String>,
    pub(super) status: Status,
    pub(super) visibility: String,
    /// The id of the project.
    pub(super) owner: String,
    pub(super) disk_format: Option<String>,
    pub(super) container_format: Option<String>,
    pub(super) os_hidden: bool,
    pub(super) protected: bool,
    pub(super) min_disk: u64,
    pub(super) min_ram: u64,
    pub(super) tags: BTreeSet<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) properties: BTreeMap<String, String>,
    /// By the id of the project.
    pub(super) members: BTreeMap<String, Member>,
    /// Where its data are.
    pub(super) stores: Vec<String>,
    pub(super) content: Option<Arc<Content>>,
    pub(super) staged: Option<Arc<Content>>,
    /// The upload or import that has the record in its hands.
    pub(super) busy: Option<u64>,
    /// A volume was cloned from it.
    pub(crate) in_use: bool,
}

/// A project that an image is shared with.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// `pending`, `accepted` or `rejected`.
    pub(super) status: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// <https://docs.openstack.org/glance/latest/user/statuses.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Queued,
    Saving,
    Uploading,
    Importing,
    Active,
    Deactivated,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Saving => "saving",
            Self::Uploading => "uploading",
            Self::Importing => "importing",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }

    /// Counts as an upload under way.
    pub(super) fn is_uploading(self) -> bool {
        matches!(self, Self::Saving | Self::Uploading | Self::Importing)
    }
}

impl Image {
    /// Takes data for good.
    pub(super) fn activate(&mut self, content: Arc<Content>, stores: Vec<String>, now: Timestamp) {
        self.status = Status::Active;
        self.content = Some(content);
        self.staged = None;
        self.stores = stores;
        self.busy = None;
        self.updated_at = now;
    }

    /// Is an empty record again.
    pub(super) fn restore(&mut self, now: Timestamp) {
        self.status = Status::Queued;
        self.content = None;
        self.staged = None;
        self.stores.clear();
        self.busy = None;
        self.updated_at = now;
    }

    /// As a GET shows it.
    pub(super) fn describe(&self) -> Value {
        let content = self.content.as_ref();
        let size = content.or(self.staged.as_ref()).map(|content| content.size);
        let mut body: Map<String, Value> =
            self.properties.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let base = [
            ("id", json!(self.id)),
            ("name", json!(self.name)),
            ("status", json!(self.status.name())),
            ("visibility", json!(self.visibility)),
            ("owner", json!(self.owner)),
            ("disk_format", json!(self.disk_format)),
            ("container_format", json!(self.container_format)),
            ("size", json!(size)),
            ("virtual_size", json!(content.map(|content| content.size))),
            ("checksum", json!(content.map(|content| &content.md5))),
            ("os_hash_algo", json!(content.map(|_| "sha512"))),
            ("os_hash_value", json!(content.map(|content| &content.sha512))),
            ("os_hidden", json!(self.os_hidden)),
            ("protected", json!(self.protected)),
            ("min_disk", json!(self.min_disk)),
            ("min_ram", json!(self.min_ram)),
            ("tags", json!(self.tags)),
            ("created_at", json!(time(self.created_at))),
            ("updated_at", json!(time(self.updated_at))),
            ("self", json!(format!("/v2/images/{}", self.id))),
            ("file", json!(format!("/v2/images/{}/file", self.id))),
            ("schema", json!("/v2/schemas/image")),
        ];
        body.extend(base.map(|(name, value)| (name.to_owned(), value)));
        if !self.stores.is_empty() {
            body.insert("stores".to_owned(), json!(self.stores.join(",")));
        }
        Value::Object(body)
    }

    /// Who sees it besides its owner.
    pub(super) fn audience(&self) -> BTreeSet<String> {
        match self.visibility.as_str() {
            "public" | "community" => BTreeSet::from(["all".to_owned()]),
            "shared" => self.members.keys().cloned().collect(),
            _ => BTreeSet::new(),
        }
    }
}

impl Member {
    pub(super) fn describe(&self, image: &str, project: &str) -> Value {
        json!({"member_id": project, "image_id": image, "status": self.status, "created_at": time(self.created_at),
               "updated_at": time(self.updated_at), "schema": "/v2/schemas/member"})
    }
}

/// In whole seconds, as Glance writes times.
pub(super) fn time(time: Timestamp) -> String {
    let whole = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    time.round(whole).unwrap_or(time).to_string()
}
