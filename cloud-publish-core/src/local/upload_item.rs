//! The `Upload` item of Debian's build manifests: what says of a published file who it is.
//!
//! Labels, annotations and data are those of Debian's own tools; our identity tags stand among the annotations, where
//! readers of the digest annotation pass them by.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::layout::{Folder, Layout, format_of, is_plain};
use crate::digest::hex;
use crate::identity::{ImageTags, TAG_PREFIX, TagTrouble};
use crate::import::debian::{DIGEST, digest_text, sha512_of};

/// Debian's name for "a file of the download tree", whoever publishes it.
/// <https://salsa.debian.org/cloud-team/debian-cloud-images>
const PROVIDER: &str = "cloud.debian.org";
const DESCRIPTION: &str = "cloud-publish-description";
const EXTRA: &str = "cloud-publish-extra-";
const BUILD_JOB: &str = "cloud-publish-build-job";
/// `name=version`, separated by blanks; an empty text says that every package is in the suite.
const OUTSIDE_SUITE: &str = "cloud-publish-outside-suite";

/// What is known of a file that gets an item.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    /// Who it is.
    pub(super) tags: ImageTags,
    /// Its name.
    pub(super) file: String,
    /// sha512 of its bytes.
    pub(super) sha512: [u8; 64],
    /// A sentence for people.
    pub(super) description: String,
    /// Further tags.
    pub(super) extra: BTreeMap<String, String>,
    /// The address of the build's log.
    pub(super) build_job: Option<String>,
    /// Packages that the suite does not have, as `name=version`; `None` when nobody compared.
    pub(super) outside_suite: Option<Vec<String>>,
}

/// One item as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    /// The file's path under the tree's top.
    pub(super) reference: String,
    annotations: BTreeMap<String, String>,
}

impl Upload {
    /// Reads an item that is an upload to a download tree.
    pub(super) fn read(item: &Value) -> Option<Self> {
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
        if text("/kind") != Some("Upload") || text("/data/provider") != Some(PROVIDER) {
            return None;
        }
        let annotations = item.pointer("/metadata/annotations").and_then(Value::as_object);
        let texts = annotations.into_iter().flatten();
        let texts = texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some(Self { reference: text("/data/ref")?.to_owned(), annotations: texts.collect() })
    }

    /// Whether it carries anything of ours.
    pub(super) fn is_tagged(&self) -> bool {
        self.annotations.contains_key(&format!("{TAG_PREFIX}key"))
            || self.annotations.contains_key(&format!("{TAG_PREFIX}owner"))
    }

    /// The file's name, if it is a file of `folder`.
    pub(super) fn file_in(&self, folder: &Folder) -> Option<&str> {
        let file = self.reference.strip_prefix(&folder.relative())?.strip_prefix('/')?;
        is_plain(file).then_some(file)
    }

    /// The annotations.
    pub(super) fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Who the file is.
    pub(super) fn tags(&self, layout: &Layout) -> Result<ImageTags, TagTrouble> {
        ImageTags::from_map(&self.annotations, &layout.place, &layout.region)
    }

    /// Whether its tags name one image, but not one of this directory: it was published elsewhere and moved here.
    pub(super) fn is_of_another_place(&self, layout: &Layout) -> bool {
        self.tags(layout).is_err() && ImageTags::of_any_place(&self.annotations).is_ok()
    }

    /// sha512 of the file, 128 hex digits.
    pub(super) fn sha512(&self) -> Option<String> {
        sha512_of(self.annotations.get(DIGEST)?).map(|bytes| hex(&bytes))
    }

    /// The sentence for people.
    pub(super) fn description(&self) -> &str {
        self.annotations.get(DESCRIPTION).map_or("", String::as_str)
    }

    /// The address of the build's log.
    pub(super) fn build_job(&self) -> Option<&str> {
        self.annotations.get(BUILD_JOB).map(String::as_str)
    }

    /// Packages that the suite does not have, as `name=version`; `None` when nobody compared.
    pub(super) fn outside_suite(&self) -> Option<Vec<String>> {
        let text = self.annotations.get(OUTSIDE_SUITE)?;
        Some(text.split_whitespace().map(ToOwned::to_owned).collect())
    }

    /// The further tags.
    pub(super) fn extra(&self) -> BTreeMap<String, String> {
        let own = self.annotations.iter().filter_map(|(name, value)| Some((name.strip_prefix(EXTRA)?, value)));
        own.map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }
}

/// Writes the item of a file: the build's labels and annotations, then the file's own.
pub(super) fn item(layout: &Layout, folder: &Folder, filed: &Filed, build: Option<&Value>) -> Value {
    let of_build = |pointer: &str| build.and_then(|build| build.pointer(pointer)).and_then(Value::as_object).cloned();
    let mut labels = of_build("/metadata/labels").unwrap_or_else(|| labels(&filed.tags));
    labels.insert("upload.cloud.debian.org/type".into(), json!(filed.tags.class.as_str()));
    labels.insert("upload.cloud.debian.org/image-format".into(), json!(format_word(&filed.file)));
    let mut annotations = of_build("/metadata/annotations").unwrap_or_default();
    annotations.extend(filed.extra.iter().map(|(name, value)| (format!("{EXTRA}{name}"), json!(value))));
    let identity = filed.tags.to_map(&layout.place, &layout.region);
    annotations.extend(identity.into_iter().map(|(name, value)| (name, json!(value))));
    annotations.insert(DIGEST.into(), json!(digest_text(&filed.sha512)));
    if !filed.description.is_empty() {
        annotations.insert(DESCRIPTION.into(), json!(filed.description));
    }
    annotations.extend(filed.build_job.iter().map(|url| (BUILD_JOB.to_owned(), json!(url))));
    annotations.extend(filed.outside_suite.iter().map(|names| (OUTSIDE_SUITE.to_owned(), json!(names.join(" ")))));
    json!({
        "apiVersion": "cloud.debian.org/v1alpha1",
        "kind": "Upload",
        "metadata": {
            "annotations": annotations,
            "labels": labels,
            "uid": filed.tags.uuid(&layout.place, &layout.region, 0).to_string(),
        },
        "data": { "provider": PROVIDER, "ref": format!("{}/{}", folder.relative(), filed.file) },
    })
}

/// The labels that a build would have, where there is no build manifest.
fn labels(tags: &ImageTags) -> Map<String, Value> {
    let labels = [
        ("cloud.debian.org/vendor", tags.variant.as_str()),
        ("cloud.debian.org/version", tags.version.as_str()),
        ("debian.org/arch", tags.arch.as_str()),
        ("debian.org/dist", tags.owner.as_str()),
        ("debian.org/release", tags.suite.as_str()),
    ];
    labels.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// Debian knows `raw`, `qcow2` and `internal`, which is its word for a disk in a tar archive: whatever is packed is that
/// here. A fixed VHD is called by its own name.
fn format_word(file: &str) -> &'static str {
    match format_of(file) {
        Some((format, None)) => format.as_str(),
        Some((_, Some(_))) | None => "internal",
    }
}
