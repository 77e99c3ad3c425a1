//! Discarding: only what is ours, used by nothing and sent by nobody.

use cloud_publish_core::error::Kind;
use cloud_publish_core::names::ReleaseName;
use cloud_publish_core::publisher::{Publisher as _, RegisterRequest};
use cloud_publish_core::survey::FoundStaged;
use serde_json::json;

use crate::uploads::{Uploads, found, only_snapshot, requests, snapshots};
use crate::world::World;

#[tokio::test]
async fn a_leftover_is_removed_and_gone_already_is_success() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let staged = found(&uploads, &uploads.run(&world).await.unwrap());
    for _ in 0..2 {
        world.target(json!({})).discard(&uploads.context(), &staged).await.unwrap();
        assert!(snapshots(&world).is_empty());
    }
}

#[tokio::test]
async fn a_snapshot_that_an_image_uses_is_refused() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let (target, context) = (world.target(json!({})), uploads.context());
    let staged = uploads.run(&world).await.unwrap();
    let request = RegisterRequest { image: uploads.request().image, staged: staged.clone() };
    target.register(&context, &request).await.unwrap();
    let refused = target.discard(&context, &found(&uploads, &staged)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert!(refused.message().contains("ami-"), "{refused}");
    assert!(requests(&world, "DeleteSnapshot").is_empty());
}

#[tokio::test]
async fn other_tags_than_those_found_are_refused() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let staged = found(&uploads, &uploads.run(&world).await.unwrap());
    let mut other = staged.clone();
    other.tags.as_mut().unwrap().release = ReleaseName::new("bookworm-20240202").unwrap();
    for wrong in [other, FoundStaged { tags: None, ..staged }] {
        let refused = world.target(json!({})).discard(&uploads.context(), &wrong).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Refused);
    }
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn a_snapshot_that_somebody_may_be_sending_is_refused_and_an_old_one_is_not() {
    let (world, uploads) = (World::start(json!({"delays": {"snapshot_visible": 0}})), Uploads::new(1));
    let denied = json!({"refuse": {"status": 403, "code": "AccessDeniedException"}});
    world.hurt(json!([{"operation": "CompleteSnapshot", "what": denied}]));
    uploads.run(&world).await.unwrap_err();
    world.hurt(json!([]));
    let id = only_snapshot(&world)["id"].as_str().unwrap().to_owned();
    let staged = cloud_publish_core::publisher::Staged { region: uploads.request().region, id, sent: 0 };
    let target = world.target(json!({}));
    let refused = target.discard(&uploads.context(), &found(&uploads, &staged)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    target.discard(&uploads.context_in(7 * 3600), &found(&uploads, &staged)).await.unwrap();
    assert!(snapshots(&world).is_empty());
}
