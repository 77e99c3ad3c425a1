//! Glance's answers as it writes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::tags::is_tag;

/// One image as a GET or a listing shows it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Image {
    pub(crate) id: String,
    /// Absent or null for a nameless image.
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) status: Status,
    pub(crate) visibility: String,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) size: Option<u64>,
    #[serde(default)]
    pub(crate) disk_format: Option<String>,
    #[serde(default)]
    pub(crate) container_format: Option<String>,
    /// md5.
    #[serde(default)]
    pub(crate) checksum: Option<String>,
    #[serde(default)]
    pub(crate) os_hash_algo: Option<String>,
    #[serde(default)]
    pub(crate) os_hash_value: Option<String>,
    #[serde(default)]
    pub(crate) os_hidden: bool,
    #[serde(default)]
    pub(crate) protected: bool,
    #[serde(default)]
    pub(crate) min_disk: u64,
    #[serde(default)]
    pub(crate) min_ram: u64,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
    /// The stores that have its data, joined by commas; absent where the cloud has one only.
    #[serde(default)]
    pub(crate) stores: Option<String>,
    /// The import that holds the image; Glance takes it away when that has ended. Since Victoria.
    #[serde(default)]
    pub(crate) os_glance_import_task: Option<String>,
    /// Everything else: our properties, and whatever this version of Glance adds.
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

/// What Glance adds by itself; locations may have credentials in them.
const NOT_PROPERTIES: [&str; 8] =
    ["self", "file", "schema", "direct_url", "locations", "updated_at", "virtual_size", "metadata"];

/// In front of the names of Glance's own properties: how far an import is.
pub(crate) const GLANCE_OWN: &str = "os_glance";

impl Image {
    /// The properties that somebody has set.
    ///
    /// Glance keeps texts. Whatever else stands under the name of one of our tags is shown as JSON, so that it is read as
    /// a broken tag and not as none.
    pub(crate) fn properties(&self) -> BTreeMap<String, String> {
        let glance_s = |name: &str| NOT_PROPERTIES.contains(&name) || name.starts_with(GLANCE_OWN);
        let set = self.other.iter().filter(|(name, _)| !glance_s(name));
        let text = |name: &str, value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            other => is_tag(name).then(|| other.to_string()),
        };
        set.filter_map(|(name, value)| Some((name.clone(), text(name, value)?))).collect()
    }

    /// Whether somebody is sending its data, or the cloud is importing them.
    ///
    /// Data that are staged whole show their size; then nobody is at work before the import is asked for.
    pub(crate) fn is_busy(&self) -> bool {
        match self.status {
            Status::Uploading => self.size.is_none() || self.is_importing(),
            Status::Saving | Status::Importing => true,
            _ => self.is_importing(),
        }
    }

    /// Whether the cloud is importing its data, as far as it shows that.
    pub(crate) fn is_importing(&self) -> bool {
        let held = self.os_glance_import_task.is_some() && self.status != Status::Active;
        held || self.status == Status::Importing
    }

    /// Whether there is such a property.
    pub(crate) fn has(&self, property: &str) -> bool {
        self.other.contains_key(property)
    }
}

/// How far an image is: <https://docs.openstack.org/glance/latest/user/statuses.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Queued,
    Saving,
    Uploading,
    Importing,
    Active,
    Deactivated,
    Killed,
    Deleted,
    PendingDelete,
    #[serde(other)]
    Unknown,
}

impl Status {
    /// It will never have data.
    pub(crate) fn is_dead(self) -> bool {
        matches!(self, Self::Killed | Self::Deleted | Self::PendingDelete)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Saving => "saving",
            Self::Uploading => "uploading",
            Self::Importing => "importing",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Killed => "killed",
            Self::Deleted => "deleted",
            Self::PendingDelete => "pending_delete",
            Self::Unknown => "unknown",
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ImagePage {
    pub(super) images: Vec<Image>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MemberPage {
    pub(super) members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) member_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct UsagePage {
    pub(super) usage: BTreeMap<String, Limit>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportInfo {
    #[serde(rename = "import-methods")]
    pub(super) methods: Methods,
}

#[derive(Debug, Deserialize)]
pub(super) struct Methods {
    pub(super) value: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StorePage {
    pub(super) stores: Vec<Store>,
}

/// A store of the cloud.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Store {
    pub(crate) id: String,
    /// `true` as a text, or absent.
    #[serde(default, rename = "read-only")]
    read_only: Option<Value>,
}

impl Store {
    /// Whether it takes no images.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.as_ref().is_some_and(|value| matches!(value.to_string().trim_matches('"'), "true" | "True"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskPage {
    pub(super) tasks: Vec<Task>,
}

/// One import of an image.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Task {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// How much of a quota is used; -1 is "no limit".
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Limit {
    pub(crate) usage: i64,
    pub(crate) limit: i64,
}

impl Limit {
    /// What is left, unless there is no limit.
    pub(crate) fn left(self) -> Option<i64> {
        (self.limit >= 0).then(|| self.limit.saturating_sub(self.usage).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Image, ImagePage, Limit, Status};

    const QUEUED: &str = r#"{"hw_disk_bus": "scsi", "cloud-publish-owner": "debian", "name": null,
        "disk_format": "qcow2", "container_format": "bare", "visibility": "private", "size": null,
        "virtual_size": null, "status": "queued", "checksum": null, "protected": false, "min_ram": 0, "min_disk": 2,
        "owner": "p1", "os_hidden": false, "os_hash_algo": null, "os_hash_value": null, "id": "i1",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "tags": ["cloud-publish"],
        "self": "/v2/images/i1", "file": "/v2/images/i1/file", "schema": "/v2/schemas/image",
        "direct_url": "swift+https://user:canary@store/x", "stores": "fast",
        "locations": [{"url": "swift+https://user:canary@store/x"}]}"#;

    #[test]
    fn a_nameless_record_without_data_is_read() {
        let image: Image = serde_json::from_str(QUEUED).unwrap();
        assert_eq!((image.status, image.name.as_deref(), image.size, image.min_disk), (Status::Queued, None, None, 2));
        let names: Vec<String> = image.properties().into_keys().collect();
        assert_eq!(names, ["cloud-publish-owner", "hw_disk_bus"]);
    }

    #[test]
    fn where_a_store_keeps_its_data_is_never_a_property() {
        let image: Image = serde_json::from_str(QUEUED).unwrap();
        assert!(!format!("{:?}", image.properties()).contains("canary"));
    }

    #[test]
    fn a_tag_of_ours_that_is_no_text_is_not_taken_for_absent() {
        let text = QUEUED.replace(r#""hw_disk_bus": "scsi""#, r#""cloud-publish-published": null, "other": null"#);
        let properties = serde_json::from_str::<Image>(&text).unwrap().properties();
        assert_eq!(properties.get("cloud-publish-published").map(String::as_str), Some("null"));
        assert!(!properties.contains_key("other"));
    }

    #[test]
    fn statuses_of_later_versions_do_not_break_a_listing() {
        let text = QUEUED.replace(r#""queued""#, r#""resting""#);
        let page: ImagePage =
            serde_json::from_str(&format!(r#"{{"images": [{text}], "first": "/v2/images"}}"#)).unwrap();
        assert_eq!(page.images.first().unwrap().status, Status::Unknown);
        assert!(page.next.is_none());
    }

    #[test]
    fn a_record_whose_data_are_staged_whole_waits_for_nobody() {
        let record = |more: &str| serde_json::from_str::<Image>(&QUEUED.replace(r#""size": null"#, more)).unwrap();
        let task = r#""os_glance_import_task": "t1""#;
        assert!(!record(r#""size": null"#).is_busy() && record(&format!(r#""size": null, {task}"#)).is_busy());
        let staged = |more: &str| Image { status: Status::Uploading, ..record(more) };
        assert!(staged(r#""size": null"#).is_busy() && !staged(r#""size": 5"#).is_busy());
        assert!(staged(&format!(r#""size": 5, {task}"#)).is_busy());
        assert!(Image { status: Status::Importing, ..record(r#""size": 5"#) }.is_busy());
    }

    #[test]
    fn a_negative_limit_is_none() {
        assert_eq!(Limit { usage: 5, limit: -1 }.left(), None);
        assert_eq!(Limit { usage: 5, limit: 4 }.left(), Some(0));
    }
}
