use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::super::layout::{Folder, Layout};
use super::super::upload_item::Filed;
use super::BuildManifest;
use crate::digest::Digest;
use crate::identity::ImageTags;
use crate::names::Class;

fn layout() -> Layout {
    Layout::new(Path::new("/nonexistent/public")).unwrap()
}

fn filed() -> Filed {
    Filed {
        tags: ImageTags {
            owner: "debian".parse().unwrap(),
            release: "bookworm-20240101".parse().unwrap(),
            suite: "bookworm".parse().unwrap(),
            version: "20240101-1614".parse().unwrap(),
            class: Class::Release,
            variant: "generic".parse().unwrap(),
            arch: "amd64".parse().unwrap(),
            rendition: "as-is".parse().unwrap(),
            date: "2024-01-01T00:00:00Z".parse().unwrap(),
            digest: Digest::from_bytes([7; 32]),
        },
        file: "debian-12-generic-amd64-20240101-1614.qcow2".into(),
        sha512: [1; 64],
        description: "Debian 12".into(),
        extra: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
    }
}

fn build() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "List",
        "unknown": {"kept": [1, 2]},
        "items": [
            {"kind": "Build", "apiVersion": "cloud.debian.org/v1alpha1", "data": {"info": {"arch": "amd64"}},
             "metadata": {"labels": {"debian.org/arch": "amd64", "build.cloud.debian.org/type": "official"},
                          "uid": "1"}},
            {"kind": "Upload", "data": {"provider": "ec2.us-east-1.amazonaws.com", "ref": "ami-1"}, "metadata": {}},
        ],
    })
}

#[test]
fn the_upload_has_debian_s_labels_digest_and_ref_and_everything_else_is_kept() {
    let (layout, filed) = (layout(), filed());
    let folder = Folder::of(&filed.tags).unwrap();
    let mut manifest = BuildManifest::parse(build().to_string().as_bytes()).unwrap();
    manifest.put(&layout, &folder, &filed);
    let written: Value = serde_json::from_slice(&manifest.to_bytes().unwrap()).unwrap();
    assert_eq!(written["unknown"], build()["unknown"]);
    assert_eq!(written["items"][0], build()["items"][0]);
    assert_eq!(written["items"][1], build()["items"][1]);
    let upload = &written["items"][2];
    assert_eq!(
        upload["data"],
        json!({"provider": "cloud.debian.org",
               "ref": "bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.qcow2"})
    );
    assert_eq!(
        upload["metadata"]["labels"],
        json!({"debian.org/arch": "amd64", "build.cloud.debian.org/type": "official",
               "upload.cloud.debian.org/image-format": "qcow2", "upload.cloud.debian.org/type": "release"})
    );
    let digest = upload["metadata"]["annotations"]["cloud.debian.org/digest"].as_str().unwrap();
    assert_eq!(digest, format!("sha512:{}AQ", "AQEB".repeat(21)));
}

#[test]
fn what_was_written_is_read_back() {
    let (layout, filed) = (layout(), filed());
    let folder = Folder::of(&filed.tags).unwrap();
    let mut manifest = BuildManifest::empty();
    manifest.put(&layout, &folder, &filed);
    let again = BuildManifest::parse(&manifest.to_bytes().unwrap()).unwrap();
    let upload = again.uploads().next().unwrap();
    assert_eq!(upload.tags(&layout).unwrap(), filed.tags);
    assert_eq!(upload.file_in(&folder), Some(filed.file.as_str()));
    assert_eq!(upload.sha512().unwrap(), "01".repeat(64));
    assert_eq!(upload.description(), "Debian 12");
    assert_eq!(upload.extra(), filed.extra);
}

#[test]
fn adding_twice_changes_nothing_and_removing_leaves_the_others() {
    let (layout, filed) = (layout(), filed());
    let folder = Folder::of(&filed.tags).unwrap();
    let mut manifest = BuildManifest::parse(build().to_string().as_bytes()).unwrap();
    let before = manifest.to_bytes().unwrap();
    manifest.put(&layout, &folder, &filed);
    let once = manifest.to_bytes().unwrap();
    manifest.put(&layout, &folder, &filed);
    assert_eq!(manifest.to_bytes().unwrap(), once);
    manifest.retain(|_| false);
    assert_eq!(manifest.to_bytes().unwrap(), before);
}

#[test]
fn a_single_build_becomes_a_list_and_other_texts_are_refused() {
    let single = BuildManifest::parse(br#"{"kind": "Build", "metadata": {}}"#).unwrap();
    assert!(String::from_utf8(single.to_bytes().unwrap()).unwrap().contains("\"kind\": \"List\""));
    for bad in ["", "[]", "{}", r#"{"kind": "List"}"#, r#"{"kind": "List", "items": {}}"#] {
        assert!(BuildManifest::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
