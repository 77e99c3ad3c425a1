//! Hiding, retiring, restoring, deleting.

use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Deletion, Note, Publisher as _, TagRequest};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::planted::{Planted, ask, context, find};
use crate::uploads::Uploads;

fn date(image: &Value) -> Option<Timestamp> {
    image["deprecate_at"].as_str().map(|text| text.parse().unwrap())
}

async fn restore(planted: &Planted, keys: Value) -> Result<()> {
    planted.world.target(keys).restore(&context(), &planted.at).await
}

#[tokio::test]
async fn hiding_deprecates_within_minutes_and_only_once() {
    let planted = Planted::new();
    planted.share(json!({}), Visibility::Public).await.unwrap();
    let target = planted.world.target(json!({}));
    for _ in 0..2 {
        target.hide(&context(), &planted.at).await.unwrap();
        let away = date(&planted.image()).unwrap().duration_since(planted.world.fake.world.now());
        assert!(away < SignedDuration::from_mins(4), "{away:?}");
        assert_eq!(planted.image()["sharing"], json!(["all"]), "who has its id goes on using it");
    }
    assert_eq!(planted.changes().iter().filter(|name| *name == "EnableImageDeprecation").count(), 1);
}

#[tokio::test]
async fn restoring_a_public_image_makes_it_private_only_while_its_date_is_moved() {
    let planted = Planted::new();
    planted.share(json!({}), Visibility::Public).await.unwrap();
    planted.world.target(json!({})).hide(&context(), &planted.at).await.unwrap();
    for _ in 0..2 {
        restore(&planted, json!({})).await.unwrap();
        assert_eq!(planted.image()["sharing"], json!(["all"]));
        let away = date(&planted.image()).unwrap().duration_since(planted.world.fake.world.now());
        assert!(away > SignedDuration::from_hours(24 * 700), "AWS's own two years: {away:?}");
    }
    let mut seen: Vec<usize> = Vec::new();
    seen.extend(planted.world.fake.world.exposures().iter().map(|change| change.sharing.len()));
    assert_eq!(seen, [1, 0, 1]);
}

#[tokio::test]
async fn a_private_image_gets_the_configured_date_back_or_none() {
    let planted = Planted::new();
    let target = planted.world.target(json!({}));
    target.hide(&context(), &planted.at).await.unwrap();
    restore(&planted, json!({})).await.unwrap();
    assert_eq!(date(&planted.image()), None);
    target.hide(&context(), &planted.at).await.unwrap();
    restore(&planted, json!({"deprecate_after_days": {"release": 3000}})).await.unwrap();
    assert_eq!(date(&planted.image()), Some("2032-03-19T00:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_date_that_hides_nobody_is_left_alone() {
    let planted = Planted::new();
    let id = planted.at.id.as_str();
    ask(&planted.world, &format!("Action=EnableImageDeprecation&ImageId={id}&DeprecateAt=2031-01-01T00:00:00Z"));
    restore(&planted, json!({"deprecate_after_days": {"release": 3000}})).await.unwrap();
    assert_eq!(date(&planted.image()), Some("2031-01-01T00:00:00Z".parse().unwrap()));
}

/// A restoring that dies while the image is private.
async fn cut_off(planted: &Planted, step: &Uploads) {
    planted.share(json!({}), Visibility::Public).await.unwrap();
    planted.world.target(json!({})).hide(&context(), &planted.at).await.unwrap();
    let denied = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    planted.world.hurt(json!([{"operation": "DisableImageDeprecation", "what": denied}]));
    planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap_err();
    planted.world.hurt(json!([]));
    assert_eq!(planted.image()["sharing"], json!([]));
}

#[tokio::test]
async fn a_restoring_that_died_while_the_image_was_private_is_completed() {
    let (planted, step) = (Planted::new(), Uploads::new(1));
    cut_off(&planted, &step).await;
    assert!(matches!(step.noted().as_slice(), [Note::Acknowledged { .. }]), "{:?}", step.noted());
    planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!(["all"]));
    planted.share(json!({}), Visibility::Private).await.unwrap();
    planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!([]), "an old note opens nothing");
}

#[tokio::test]
async fn what_was_withdrawn_after_that_stays_private() {
    let (planted, step) = (Planted::new(), Uploads::new(1));
    cut_off(&planted, &step).await;
    let marks = Marks { withdrawn: Some(Timestamp::UNIX_EPOCH), ..Marks::default() };
    let request = TagRequest { at: planted.at.clone(), marks: marks.into(), extra: None };
    planted.world.target(json!({})).tag(&context(), &request).await.unwrap();
    planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!([]));
    let request = TagRequest { marks: Marks::default().into(), ..request };
    planted.world.target(json!({})).tag(&context(), &request).await.unwrap();
    planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!([]), "the note is closed: without the mark it opens nothing either");
}

#[tokio::test]
async fn what_was_disabled_after_that_stays_private() {
    let (planted, step) = (Planted::new(), Uploads::new(1));
    cut_off(&planted, &step).await;
    ask(&planted.world, &format!("Action=DisableImage&ImageId={}", planted.at.id));
    for _ in 0..2 {
        planted.world.target(json!({})).restore(&step.context(), &planted.at).await.unwrap();
        assert_eq!(
            (planted.image()["state"].clone(), planted.image()["sharing"].clone()),
            (json!("available"), json!([]))
        );
    }
}

#[tokio::test]
async fn retiring_marks_first_then_takes_the_snapshot_back_and_disables() {
    let planted = Planted::new();
    let keys = json!({"snapshots": "as-image"});
    planted.share(keys.clone(), Visibility::Public).await.unwrap();
    let before = planted.changes().len();
    let target = planted.world.target(keys);
    target.retire(&context(), &planted.at).await.unwrap();
    let mark = planted.image()["tags"]["cloud-publish-retired"].clone();
    target.retire(&context(), &planted.at).await.unwrap();
    assert_eq!(planted.changes()[before..], ["CreateTags", "ModifySnapshotAttribute", "DisableImage"]);
    assert_eq!(planted.image()["tags"]["cloud-publish-retired"], mark);
    assert_eq!(planted.image()["state"], json!("disabled"));
    assert_eq!((planted.image()["sharing"].clone(), planted.snapshot()["sharing"].clone()), (json!([]), json!([])));
}

#[tokio::test]
async fn an_image_whose_snapshot_is_still_shared_does_not_look_retired() {
    let planted = Planted::new();
    let keys = json!({"snapshots": "as-image"});
    planted.share(keys.clone(), Visibility::Public).await.unwrap();
    let denied = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    planted.world.hurt(json!([{"operation": "ModifySnapshotAttribute", "what": denied}]));
    let target = planted.world.target(keys);
    target.retire(&context(), &planted.at).await.unwrap_err();
    assert_eq!(planted.image()["state"], json!("available"));
    planted.world.hurt(json!([]));
    target.retire(&context(), &planted.at).await.unwrap();
    assert_eq!(
        (planted.image()["state"].clone(), planted.snapshot()["sharing"].clone()),
        (json!("disabled"), json!([]))
    );
}

#[tokio::test]
async fn a_snapshot_without_our_tags_keeps_no_image_in_use() {
    let planted = Planted::new();
    let (id, snapshot) = (planted.at.id.as_str(), planted.snapshot()["id"].as_str().unwrap().to_owned());
    planted.share(json!({"snapshots": "as-image"}), Visibility::Public).await.unwrap();
    ask(&planted.world, &format!("Action=DeleteTags&ResourceId.1={snapshot}&Tag.1.Key=cloud-publish-release"));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let refused = planted.share(json!({}), Visibility::Private).await.unwrap_err();
    assert_eq!((refused.kind(), &planted.image()["sharing"]), (Kind::Refused, &json!([])), "{id}");
    planted.world.target(json!({})).retire(&context(), &planted.at).await.unwrap();
    assert_eq!(planted.image()["state"], json!("disabled"));
    assert_eq!(planted.snapshot()["sharing"], json!(["all"]), "it is not ours to change");
}

#[tokio::test]
async fn a_retired_image_cannot_be_shared_until_it_is_restored() {
    let planted = Planted::new();
    planted.world.target(json!({})).retire(&context(), &planted.at).await.unwrap();
    let refused = planted.share(json!({}), Visibility::Public).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    planted.share(json!({}), Visibility::Private).await.unwrap();
    for _ in 0..2 {
        restore(&planted, json!({})).await.unwrap();
        assert_eq!(planted.image()["state"], json!("available"));
        assert_eq!(planted.image()["sharing"], json!([]), "sharing is another verb's");
    }
    planted.share(json!({}), Visibility::Public).await.unwrap();
    assert!(planted.image()["tags"]["cloud-publish-retired"].is_string(), "the mark is taken off last, by `tag`");
}

#[tokio::test]
async fn deleting_takes_protection_image_and_snapshot_away() {
    let planted = Planted::new();
    let id = planted.at.id.as_str();
    ask(&planted.world, &format!("Action=EnableImageDeregistrationProtection&ImageId={id}"));
    for _ in 0..2 {
        let gone = planted.world.target(json!({})).delete(&context(), &planted.at).await.unwrap();
        assert_eq!(gone, Deletion::Gone);
        assert_eq!((planted.image(), planted.snapshot()), (Value::Null, Value::Null));
    }
}

#[tokio::test]
async fn a_protection_that_goes_on_for_a_day_keeps_the_image_until_then() {
    let planted = Planted::new();
    let id = planted.at.id.as_str();
    ask(&planted.world, &format!("Action=EnableImageDeregistrationProtection&ImageId={id}&WithCooldown=true"));
    let target = planted.world.target(json!({}));
    for _ in 0..2 {
        assert_eq!(target.delete(&context(), &planted.at).await.unwrap(), Deletion::StillInUse);
    }
    planted.world.fake.world.advance(25 * 3600 * 1000);
    assert_eq!(target.delete(&context(), &planted.at).await.unwrap(), Deletion::Gone);
}

#[tokio::test]
async fn a_snapshot_that_another_image_uses_stays() {
    let planted = Planted::new();
    let snapshot = planted.snapshot()["id"].as_str().unwrap().to_owned();
    let device = format!("BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}");
    let root = "Name=another&Architecture=x86_64&RootDeviceName=/dev/xvda&VirtualizationType=hvm";
    ask(&planted.world, &format!("Action=RegisterImage&{root}&{device}"));
    let gone = planted.world.target(json!({})).delete(&context(), &planted.at).await.unwrap();
    assert_eq!((gone, planted.image()), (Deletion::Gone, Value::Null));
    assert_eq!(find(&planted.world, "snapshots", &snapshot)["state"], json!("completed"));
}

#[tokio::test]
async fn a_snapshot_that_aws_left_is_removed_and_a_foreign_one_is_not() {
    let planted = Planted::new();
    planted.world.hurt(json!([{"operation": "DeregisterImage", "what": "lost", "nth": 1}]));
    let gone = planted.world.target(json!({})).delete(&context(), &planted.at).await.unwrap();
    assert_eq!((gone, planted.snapshot()), (Deletion::Gone, Value::Null));

    let planted = Planted::new();
    let snapshot = planted.snapshot()["id"].as_str().unwrap().to_owned();
    ask(
        &planted.world,
        &format!("Action=CreateTags&ResourceId.1={snapshot}&Tag.1.Key=cloud-publish-release&Tag.1.Value=other"),
    );
    std::thread::sleep(std::time::Duration::from_millis(100));
    planted.world.target(json!({})).delete(&context(), &planted.at).await.unwrap();
    assert_eq!(planted.image(), Value::Null);
    assert_eq!(find(&planted.world, "snapshots", &snapshot)["state"], json!("completed"));
}
