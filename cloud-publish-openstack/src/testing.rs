//! Values that this crate's tests start from.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloud_publish_core::clock::FastClock;
use cloud_publish_core::digest::Digest;
use cloud_publish_core::disk::Format;
use cloud_publish_core::identity::{ImageTags, Place};
use cloud_publish_core::manifest::{Boot, Visibility};
use cloud_publish_core::names::Class;
use cloud_publish_core::publisher::{Context, ImageSpec};

/// A context on its own, whose pauses take no time to speak of.
pub(crate) fn hurried() -> Context {
    Context::with_clock(Arc::new(FastClock::new("2026-01-01T00:00:00Z".parse().unwrap(), 2000)))
}

pub(crate) fn place() -> Place {
    Place { provider: "openstack".parse().unwrap(), account: "p1".parse().unwrap() }
}

pub(crate) fn tags(release: &str) -> ImageTags {
    ImageTags {
        owner: "debian".parse().unwrap(),
        release: release.parse().unwrap(),
        suite: "bookworm".parse().unwrap(),
        version: "20240101-1614".parse().unwrap(),
        class: Class::Release,
        variant: "genericcloud".parse().unwrap(),
        arch: "amd64".parse().unwrap(),
        rendition: "as-is".parse().unwrap(),
        date: "2024-01-01T00:00:00Z".parse().unwrap(),
        digest: Digest::from_bytes([7; 32]),
    }
}

pub(crate) fn spec() -> ImageSpec {
    ImageSpec {
        tags: tags("bookworm-20240101"),
        name: "debian-12-genericcloud-amd64-20240101-1614".parse().unwrap(),
        family: "debian-12-genericcloud-amd64".to_owned(),
        description: "Debian 12 for clouds".to_owned(),
        suite_id: "12".to_owned(),
        boot: Boot::UefiPreferred,
        format: Format::Qcow2,
        file_size: 300 << 20,
        virtual_size: (2 << 30) + 1,
        file_sha512: Some("ab".repeat(64)),
        given: None,
        build_job: Some("https://ci.example.org/jobs/1".to_owned()),
        extra_tags: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
        properties: BTreeMap::new(),
        visibility: Visibility::Public,
        build_manifest: None,
        outside_suite: None,
    }
}
