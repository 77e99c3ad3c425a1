//! Proving: what is read back is the content, whatever happens on the way.

use std::time::Duration;

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{ImageAt, Proof, ProveRequest, Publisher as _, RegisterRequest, UploadRequest};
use serde_json::json;

use crate::uploads::{DATA, Uploads, requests};
use crate::world::World;

/// Uploads and registers.
async fn made(world: &World, uploads: &Uploads) -> ProveRequest {
    let staged = uploads.run(world).await.unwrap();
    let request = RegisterRequest { image: uploads.request().image, staged };
    let made = world.target(json!({})).register(&uploads.context(), &request).await.unwrap();
    let at = ImageAt { region: made.region, id: made.id, tags: request.image.tags.clone() };
    ProveRequest { at, file_sha512: None }
}

#[tokio::test]
async fn what_is_read_back_has_the_digest_of_the_content() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let request = made(&world, &uploads).await;
    let proof = world.target(json!({})).prove(&uploads.context(), &request).await.unwrap();
    assert_eq!(proof, Proof::Content { digest: uploads.sample.digest });
    assert_eq!(requests(&world, "GetSnapshotBlock").len(), DATA.len());
}

#[tokio::test]
async fn a_tenth_of_all_requests_may_fail_while_reading() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let request = made(&world, &uploads).await;
    for what in ["throttle", "error500", "reset", "lost"] {
        world.hurt(json!([{"rate": 0.1, "seed": 5, "what": what}]));
        let proof = world.target(json!({})).prove(&uploads.context(), &request).await;
        let proof = proof.unwrap_or_else(|error| panic!("{what}: {:?}", error.chain()));
        assert_eq!(proof, Proof::Content { digest: uploads.sample.digest }, "{what}");
    }
}

#[tokio::test]
async fn tokens_that_expire_on_the_way_are_renewed() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let request = made(&world, &uploads).await;
    world.hurt(json!([{"operation": "GetSnapshotBlock", "nth": 4, "what": {"hang": 200}}]));
    let (target, context) = (world.target(json!({})), uploads.context());
    let expire = async {
        while requests(&world, "GetSnapshotBlock").len() < DATA.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.fake.world.advance(8 * 24 * 3_600_000);
    };
    let (proof, ()) = tokio::join!(target.prove(&context, &request), expire);
    assert_eq!(proof.unwrap(), Proof::Content { digest: uploads.sample.digest });
    let refused = requests(&world, "GetSnapshotBlock").into_iter().filter(|entry| entry.status == Some(400));
    assert_eq!((refused.count(), requests(&world, "ListSnapshotBlocks").len()), (1, 2));
}

#[tokio::test]
async fn other_content_under_the_tags_shows() {
    let (world, uploads, other) = (World::start(json!({})), Uploads::new(1), Uploads::new(2));
    let request = UploadRequest { disk: other.sample.disk.clone(), ..uploads.request() };
    let staged = world.target(json!({})).upload(&uploads.context(), &request).await.unwrap();
    let request = RegisterRequest { image: request.image, staged };
    let made = world.target(json!({})).register(&uploads.context(), &request).await.unwrap();
    let at = ImageAt { region: made.region, id: made.id, tags: request.image.tags.clone() };
    let request = ProveRequest { at, file_sha512: None };
    let proof = world.target(json!({})).prove(&uploads.context(), &request).await.unwrap();
    assert_eq!(proof, Proof::Content { digest: other.sample.digest });
    assert_ne!(proof, Proof::Content { digest: uploads.sample.digest });
}

#[tokio::test]
async fn small_pages_are_read_to_the_end() {
    let (world, uploads) = (World::start(json!({})), Uploads::long());
    let request = made(&world, &uploads).await;
    world.change(json!({"page_size": 1}));
    let proof = world.target(json!({})).prove(&uploads.context(), &request).await.unwrap();
    assert_eq!(proof, Proof::Content { digest: uploads.sample.digest });
    assert!(requests(&world, "ListSnapshotBlocks").len() > 1);
}

#[tokio::test]
async fn a_missing_permission_is_an_error_and_not_a_proof() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let request = made(&world, &uploads).await;
    for action in ["ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"] {
        world.change(json!({"denied": [{"action": action}]}));
        let refused = world.target(json!({})).prove(&uploads.context(), &request).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::PermissionDenied, "{action}");
    }
}
