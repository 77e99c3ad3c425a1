//! Tags: exactly the wanted marks and extra tags, nobody else's touched.

use std::collections::BTreeMap;

use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::publisher::{Marking, Publisher as _, TagRequest};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::planted::{Planted, ask, context};

async fn tag(planted: &Planted, marks: Marking, extra: Option<&[(&str, &str)]>) -> Result<()> {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let request = TagRequest { at: planted.at.clone(), marks, extra: extra.map(map) };
    planted.world.target(json!({})).tag(&context(), &request).await
}

/// The tags that are not part of the identity.
fn others(object: &Value) -> BTreeMap<String, String> {
    let all: BTreeMap<String, String> = serde_json::from_value(object["tags"].clone()).unwrap();
    let marks = ["published", "retired", "withdrawn"].map(|name| format!("cloud-publish-{name}"));
    all.into_iter().filter(|(name, _)| !name.starts_with("cloud-publish-") || marks.contains(name)).collect()
}

fn published(at: i64) -> Marks {
    Marks { published: Some(Timestamp::from_second(at).unwrap()), ..Marks::default() }
}

#[tokio::test]
async fn extra_tags_become_exactly_those_wanted_on_image_and_snapshot() {
    let planted = Planted::new();
    let id = planted.at.id.as_str();
    ask(&planted.world, &format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key=theirs&Tag.1.Value=stays"));
    let walk: [&[(&str, &str)]; 3] = [&[("colour", "red"), ("size", "xl")], &[("colour", "blue")], &[]];
    for wanted in walk {
        for _ in 0..2 {
            tag(&planted, Marking::Keep, Some(wanted)).await.unwrap();
        }
        let mut expected: BTreeMap<String, String> =
            wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(others(&planted.snapshot()), expected);
        expected.insert("theirs".to_owned(), "stays".to_owned());
        assert_eq!(others(&planted.image()), expected);
    }
}

#[tokio::test]
async fn marks_are_the_last_write_and_on_the_image_alone() {
    let planted = Planted::new();
    tag(&planted, published(0).into(), Some(&[("colour", "red")])).await.unwrap();
    assert_eq!(planted.image()["tags"]["cloud-publish-published"], json!("1970-01-01T00:00:00Z"));
    assert_eq!(planted.snapshot()["tags"]["cloud-publish-published"], Value::Null);
    let last = planted.world.writes().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.params["ResourceId.1"].as_str()), ("CreateTags", planted.at.id.as_str()));
    tag(&planted, Marks::default().into(), None).await.unwrap();
    assert_eq!(others(&planted.image()), BTreeMap::from([("colour".to_owned(), "red".to_owned())]));
}

#[tokio::test]
async fn a_repeated_publication_keeps_its_time() {
    let planted = Planted::new();
    for second in [0, 60] {
        tag(&planted, Marking::Publish(Timestamp::from_second(second).unwrap()), None).await.unwrap();
    }
    assert_eq!(planted.image()["tags"]["cloud-publish-published"], json!("1970-01-01T00:00:00Z"));
    assert_eq!(planted.changes(), ["CreateTags"]);
}

#[tokio::test]
async fn marks_that_cannot_be_read_are_left_alone() {
    let planted = Planted::new();
    let id = planted.at.id.as_str();
    let mark = "Tag.1.Key=cloud-publish-published&Tag.1.Value=yesterday";
    ask(&planted.world, &format!("Action=CreateTags&ResourceId.1={id}&{mark}"));
    let before = planted.changes().len();
    // EC2 shows tags late.
    let refused = loop {
        match tag(&planted, Marking::Keep, Some(&[("a", "b")])).await {
            Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.kind(), Kind::Refused);
    assert_eq!(planted.image()["tags"]["cloud-publish-published"], json!("yesterday"));
    assert!(planted.changes().len() <= before + 2);
}

#[tokio::test]
async fn a_lost_reply_ends_the_same() {
    let planted = Planted::new();
    planted.world.hurt(json!([{"operation": "CreateTags", "what": "lost", "nth": 1}]));
    tag(&planted, published(0).into(), Some(&[("colour", "red")])).await.unwrap();
    assert_eq!(others(&planted.image()).len(), 2);
    assert_eq!(others(&planted.snapshot()).len(), 1);
}
