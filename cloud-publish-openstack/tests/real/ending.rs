//! Hide, retire, restore, delete, discard.

use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Deletion, VisibilityRequest};
use cloud_publish_core::survey::{Life, Native};
use serde_json::json;

use crate::foreign::Foreign;
use crate::world::World;

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_member_hides_retires_restores_and_deletes_and_each_may_be_repeated() {
    let world = World::of("member", 1 << 20).await;
    let at = world.image(&world.spec("1")).await;
    for _ in 0..2 {
        world.target.hide(&world.context, &at).await.unwrap();
        assert_eq!(world.found(&at.id).await.native, Native::Hidden);
    }
    assert!(world.foreign.can_download(at.id.as_str()).await);
    for _ in 0..2 {
        world.target.retire(&world.context, &at).await.unwrap();
        let found = world.found(&at.id).await;
        assert_eq!((found.native, found.life(), found.marks.retired.is_some()), (Native::Retired, Life::Retired, true));
    }
    assert!(!world.foreign.can_download(at.id.as_str()).await);
    for _ in 0..2 {
        world.target.restore(&world.context, &at).await.unwrap();
        assert_eq!(world.found(&at.id).await.native, Native::Available);
    }
    assert!(world.foreign.can_download(at.id.as_str()).await);
    for _ in 0..2 {
        assert_eq!(world.target.delete(&world.context, &at).await.unwrap(), Deletion::Gone);
        assert!(world.foreign.show(at.id.as_str()).await.is_none());
    }
    assert_eq!(world.target.hide(&world.context, &at).await.unwrap_err().kind(), Kind::NotFound);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_retired_public_image_cannot_be_used_by_others() {
    let world = World::new().await;
    let at = world.image(&world.spec("1")).await;
    let request = VisibilityRequest { at: at.clone(), wanted: Visibility::Public, along: Vec::new() };
    world.target.set_visibility(&world.context, &request).await.unwrap();
    let consumer = Foreign::sign_in("consumer", "consumer").await;
    assert!(consumer.can_download(at.id.as_str()).await);
    world.target.retire(&world.context, &at).await.unwrap();
    assert!(!consumer.can_download(at.id.as_str()).await);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_protected_image_is_unprotected_and_deleted() {
    let world = World::new().await;
    let at = world.image(&world.spec("1")).await;
    world.foreign.patch(at.id.as_str(), "protected", json!(true)).await;
    assert_eq!(world.target.delete(&world.context, &at).await.unwrap(), Deletion::Gone);
    assert!(world.foreign.show(at.id.as_str()).await.is_none());
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_leftover_is_discarded_but_never_an_image() {
    let world = World::new().await;
    let at = world.image(&world.spec("1")).await;
    let mut record = world.foreign.show(at.id.as_str()).await.unwrap();
    record.as_object_mut().unwrap().retain(|name, _| name.starts_with("cloud-publish"));
    world.foreign.create(&record).await;
    let mut leftover = world.survey().await.staged.into_iter().next().expect("the survey shows the record");
    let record_id = leftover.id.clone();
    leftover.id = at.id.to_string();
    assert_eq!(world.target.discard(&world.context, &leftover).await.unwrap_err().kind(), Kind::Refused);
    leftover.id = record_id;
    for _ in 0..2 {
        world.target.discard(&world.context, &leftover).await.unwrap();
        assert!(world.foreign.show(&leftover.id).await.is_none());
    }
    assert!(world.foreign.show(at.id.as_str()).await.is_some());
    world.wipe().await;
}
