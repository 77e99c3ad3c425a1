//! Images that cannot be deleted by mistake.

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::Deletion;
use cloud_publish_core::survey::Native;
use serde_json::json;

use crate::world::{World, one};

async fn world() -> World {
    World::with(json!({"protected": ["release"]})).await
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_protected_image_lives_through_everything_but_our_own_deletion() {
    let world = world().await;
    let spec = world.spec("1");
    let at = world.image(&spec).await;
    let found = world.found(&at.id).await;
    let expected = world.target.expect(&spec, &one()).unwrap().attributes;
    assert_eq!(
        (expected.get("protected"), expected.get("protected")),
        (found.attributes.get("protected"), Some(&"true".to_owned()))
    );
    assert!(world.foreign.may_not_delete(at.id.as_str()).await);
    world.target.retire(&world.context, &at).await.unwrap();
    assert_eq!(world.found(&at.id).await.native, Native::Retired);
    world.target.restore(&world.context, &at).await.unwrap();
    assert_eq!(world.found(&at.id).await.attributes.get("protected").map(String::as_str), Some("true"));
    assert_eq!(world.target.delete(&world.context, &at).await.unwrap(), Deletion::Gone);
    assert!(world.foreign.show(at.id.as_str()).await.is_none());
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_protected_record_that_did_not_become_the_image_is_removed() {
    // Too large to be wholly in the sockets when the sender dies.
    let world = world().await.with_disk(&vec![7_u8; 64 << 20]);
    let mut spec = world.spec("1");
    spec.file_sha512 = Some("00".repeat(64));
    assert_eq!(world.upload(&spec).await.unwrap_err().kind(), Kind::Corrupt);
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    let witness = std::sync::Arc::new(crate::world::Witness::with_plug());
    world.target.upload(&witness.context(), &world.request(&world.spec("2"))).await.unwrap_err();
    let survey = world.survey().await;
    let [leftover] = survey.staged.as_slice() else { panic!("one leftover: {survey:?}") };
    // Glance may need a moment to see that its client is gone.
    let mut discarded = world.target.discard(&world.context, leftover).await;
    for _ in 0..600 {
        if discarded.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        discarded = world.target.discard(&world.context, leftover).await;
    }
    discarded.unwrap();
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}
