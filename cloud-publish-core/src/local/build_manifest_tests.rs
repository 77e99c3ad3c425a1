use std::collections::BTreeMap;
use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::super::layout::{Folder, Layout};
use super::super::upload_item::Filed;
use super::BuildManifest;
use crate::digest::Digest;
use crate::identity::ImageTags;
use crate::import::debian::{self, Seen, Wishes, digest_text};
use crate::manifest::Release;
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
        build_job: Some("https://ci.example.org/jobs/1".into()),
        outside_suite: Some(vec!["a=1".into(), "b:amd64=2~x".into()]),
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
    assert_eq!(upload.build_job(), filed.build_job.as_deref());
    assert_eq!(upload.outside_suite(), filed.outside_suite);
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

/// Anything that JSON can say and that another program may have written.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Fields that no program of today knows.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    btree_map("x-[a-z]{1,8}", anything(), 0..4).prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #[test]
    fn an_imported_build_is_published_with_all_that_its_manifest_said(
        labels in btree_map("x/[a-z]{1,8}", ".{0,20}", 0..4),
        packages in vec(("[a-z0-9.+-]{1,12}(:amd64)?", "[0-9][0-9a-z.:~+-]{0,12}"), 0..6),
        more in vec(unknown(), 4),
        further in vec(anything(), 0..3),
        is_bare in any::<bool>(),
    ) {
        let mut build = json!({
            "apiVersion": "cloud.debian.org/v1alpha1", "kind": "Build",
            "data": {
                "info": {"arch": "amd64", "release": "bookworm", "release_id": "12", "type": "official",
                         "vendor": "generic", "version": "20240101-1614"},
                "packages": packages.iter().map(|(name, version)| json!({"name": name, "version": version}))
                    .collect::<Vec<_>>(),
            },
            "metadata": {"annotations": {"cloud.debian.org/digest": digest_text(&[1; 64])}, "labels": labels},
        });
        for (place, more) in ["", "/data", "/data/info", "/metadata"].into_iter().zip(more) {
            build.pointer_mut(place).unwrap().as_object_mut().unwrap().extend(more);
        }
        let items: Vec<Value> = std::iter::once(build.clone()).chain(further).collect();
        let given = if is_bare { build } else { json!({"kind": "List", "x": [1], "items": items}) };

        let mut folder = debian::Folder::default();
        folder.images.insert("image.tar".into(), Seen { size: 1 << 20, boot: None });
        folder.json.insert("image.build.json".into(), given.to_string().into_bytes());
        folder.sums = Some(format!("{}  image.tar\n", "01".repeat(64)).into_bytes());
        let wishes = Wishes { class: Some(Class::Release), ..Wishes::default() };
        let text = debian::import(&folder, &wishes).unwrap().text.replace("packed = \"tar\"\n", "");
        let release = Release::parse(Path::new("made.toml"), &text).unwrap();
        let named = release.artifacts[0].build_manifest.as_ref().unwrap().to_str().unwrap().to_owned();

        let mut manifest = BuildManifest::parse(&folder.json[&named]).unwrap();
        manifest.retain(|_| false);
        let filed = filed();
        manifest.put(&layout(), &Folder::of(&filed.tags).unwrap(), &filed);
        let written: Value = serde_json::from_slice(&manifest.to_bytes().unwrap()).unwrap();
        let kept = written["items"].as_array().unwrap();
        let wanted = if is_bare { vec![given.clone()] } else { items };
        prop_assert_eq!(kept.len(), wanted.len() + 1);
        prop_assert_eq!(&kept[..wanted.len()], &wanted[..]);
        prop_assert!(is_bare || written["x"] == given["x"]);
    }
}
