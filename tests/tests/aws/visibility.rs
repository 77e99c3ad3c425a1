//! Sharing: exactly the wanted parties, nobody public before its time.

use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{ImageAt, Publisher as _, VisibilityRequest};
use serde_json::json;

use crate::planted::{Planted, ask, context};

const FRIEND: &str = "222222222222";
const ORGANISATION: &str = "arn:aws:organizations::111111111111:organization/o-abcdefghij";
const UNIT: &str = "arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-ab12-abcd1234";

fn shared(parties: &[&str]) -> Visibility {
    Visibility::SharedWith(parties.iter().map(|party| (*party).to_owned()).collect())
}

#[tokio::test]
async fn who_may_use_it_is_exactly_who_is_wanted() {
    let planted = Planted::new();
    let walk = [
        (shared(&[FRIEND, ORGANISATION]), json!([FRIEND, ORGANISATION])),
        (shared(&[FRIEND, UNIT]), json!([FRIEND, UNIT])),
        (Visibility::Public, json!(["all"])),
        (shared(&["333333333333"]), json!(["333333333333"])),
        (Visibility::Private, json!([])),
    ];
    for (wanted, expected) in walk {
        planted.share(json!({}), wanted.clone()).await.unwrap();
        assert_eq!(planted.image()["sharing"], expected);
        assert_eq!(planted.snapshot()["sharing"], json!([]), "the snapshot is a setting of its own");
        let before = planted.changes().len();
        planted.share(json!({}), wanted).await.unwrap();
        assert_eq!(planted.changes().len(), before, "a repetition changes nothing");
    }
}

#[tokio::test]
async fn a_snapshot_is_shared_before_its_image_and_for_as_long() {
    let planted = Planted::new();
    let keys = json!({"snapshots": "as-image"});
    planted.share(keys.clone(), Visibility::Public).await.unwrap();
    planted.share(keys.clone(), shared(&[FRIEND, ORGANISATION])).await.unwrap();
    assert_eq!(planted.snapshot()["sharing"], json!([FRIEND]), "organisations cannot have a snapshot");
    planted.share(keys, Visibility::Private).await.unwrap();
    let (mut image, mut snapshot) = (Vec::new(), Vec::new());
    for change in planted.world.fake.world.exposures() {
        let names: Vec<String> = change.sharing.into_iter().filter(|name| !name.starts_with("arn:")).collect();
        if change.kind == "image" {
            image = names;
        } else {
            snapshot = names;
        }
        assert!(image.iter().all(|name| snapshot.contains(name)), "image {image:?}, snapshot {snapshot:?}");
    }
    assert!(image.is_empty() && snapshot.is_empty());
}

#[tokio::test]
async fn what_somebody_gave_the_snapshot_by_hand_is_taken_back() {
    let planted = Planted::new();
    let id = planted.snapshot()["id"].as_str().unwrap().to_owned();
    ask(
        &planted.world,
        &format!("Action=ModifySnapshotAttribute&SnapshotId={id}&CreateVolumePermission.Add.1.Group=all"),
    );
    planted.share(json!({}), Visibility::Public).await.unwrap();
    assert_eq!(planted.snapshot()["sharing"], json!([]));
}

#[tokio::test]
async fn block_public_access_is_named_with_the_command_that_ends_it() {
    let planted = Planted::with(json!({}), json!({"block_public_access": [{"images": true}]}));
    let refused = planted.share(json!({}), Visibility::Public).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    assert!(refused.advice().unwrap().contains("aws ec2 disable-image-block-public-access"), "{refused:?}");
    assert_eq!(planted.image()["sharing"], json!([]));
    assert!(!planted.changes().contains(&"DisableImageBlockPublicAccess".to_owned()));
}

#[tokio::test]
async fn block_public_access_is_switched_off_where_the_configuration_says_so() {
    let blocks = json!([{"images": true, "snapshots": "block-new-sharing"}]);
    let planted = Planted::with(json!({}), json!({"block_public_access": blocks}));
    let keys = json!({"manage_block_public_access": true, "snapshots": "as-image"});
    planted.share(keys, Visibility::Public).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!(["all"]));
    assert_eq!(planted.snapshot()["sharing"], json!(["all"]));
}

#[tokio::test]
async fn sharing_with_accounts_is_not_kept_by_block_public_access() {
    let planted = Planted::with(json!({}), json!({"block_public_access": [{"images": true}]}));
    planted.share(json!({}), shared(&[FRIEND])).await.unwrap();
    assert_eq!(planted.image()["sharing"], json!([FRIEND]));
}

#[tokio::test]
async fn one_public_image_too_many_is_a_quota_with_its_name() {
    let planted = Planted::with(json!({}), json!({"quotas": {"public_images": 0}}));
    let refused = planted.share(json!({}), Visibility::Public).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::QuotaExceeded);
    assert!(refused.advice().unwrap().contains("L-0E3CBAB9"), "{refused:?}");
}

#[tokio::test]
async fn refusals_come_before_any_change() {
    let planted = Planted::new();
    for (wanted, kind) in [(Visibility::Community, Kind::Unsupported), (shared(&["somebody"]), Kind::InvalidInput)] {
        assert_eq!(planted.share(json!({}), wanted).await.unwrap_err().kind(), kind);
    }
    let tags = cloud_publish_core::identity::ImageTags { version: "2".parse().unwrap(), ..planted.at.tags.clone() };
    let request =
        VisibilityRequest { at: ImageAt { tags, ..planted.at.clone() }, wanted: Visibility::Public, along: Vec::new() };
    let refused = planted.world.target(json!({})).set_visibility(&context(), &request).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert!(planted.changes().is_empty());
}

#[tokio::test]
async fn a_missing_permission_fails_at_once() {
    let planted = Planted::with(json!({}), json!({"denied": [{"action": "ec2:ModifyImageAttribute"}]}));
    let refused = planted.share(json!({}), Visibility::Public).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    assert!(refused.advice().unwrap().contains("ModifyImageAttribute"), "{refused:?}");
}

#[tokio::test]
async fn lost_replies_and_throttling_end_the_same() {
    for what in [json!("lost"), json!("throttle"), json!("reset"), json!("error500")] {
        let planted = Planted::new();
        planted.world.hurt(json!([{"what": what, "rate": 0.3, "seed": 5, "times": 6}]));
        let keys = json!({"snapshots": "as-image"});
        let mut tries = 0;
        while let Err(error) = planted.share(keys.clone(), Visibility::Public).await {
            assert_ne!(error.retry(), cloud_publish_core::error::Retry::Never, "{what}: {:?}", error.chain());
            tries += 1;
            assert!(tries < 8, "{what}: {:?}", error.chain());
        }
        assert_eq!(
            (planted.image()["sharing"].clone(), planted.snapshot()["sharing"].clone()),
            (json!(["all"]), json!(["all"]))
        );
    }
}
