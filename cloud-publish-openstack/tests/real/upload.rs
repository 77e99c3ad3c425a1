//! From a disk to a private image, whatever happened before.

use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{ImageAt, Note, Proof, ProveRequest, ReplicateRequest};
use cloud_publish_core::survey::{Life, Native};
use serde_json::json;

use crate::world::{Witness, World, one, target, two};

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn an_uploaded_image_is_private_and_shows_what_is_expected_and_a_second_upload_sends_nothing() {
    let world = World::new().await;
    let spec = world.spec("1");
    let at = world.image(&spec).await;
    let again = world.upload(&spec).await.unwrap();
    assert_eq!((again.sent, again.id.as_str()), (0, at.id.as_str()));
    let found = world.found(&at.id).await;
    assert_eq!(
        (found.native, found.life(), &found.visibility),
        (Native::Available, Life::Registered, &Visibility::Private)
    );
    assert_eq!(
        (found.tags, found.extra_tags, found.problems),
        (Some(spec.tags.clone()), spec.extra_tags.clone(), vec![])
    );
    for (name, value) in world.target.expect(&spec, &one()).unwrap().attributes {
        assert_eq!(found.attributes.get(&name), Some(&value), "{name}");
    }
    assert_eq!(found.attributes.get("min_disk").map(String::as_str), Some("1"));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_record_left_by_a_killed_run_is_adopted_and_filled() {
    let world = World::of("publisher-admin", 64 << 20).await;
    let spec = world.spec("1");
    let witness = Arc::new(Witness::with_plug());
    let killed = target("publisher-admin", &world.owner);
    let error = killed.upload(&witness.context(), &world.request(&spec)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let left: Vec<_> = world.survey().await.staged;
    assert_eq!(left.len(), 1);
    let staged = world.upload(&spec).await.unwrap();
    assert_eq!((staged.sent, Some(&staged.id)), (spec.file_size, left.first().map(|record| &record.id)));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_deleted_image_is_a_dead_generation_and_the_next_id_is_used() {
    let world = World::new().await;
    let spec = world.spec("1");
    let first = world.upload(&spec).await.unwrap();
    world.foreign.delete(&first.id).await;
    let witness = Arc::new(Witness::default());
    let second = world.target.upload(&witness.context(), &world.request(&spec)).await.unwrap();
    assert_ne!(second.id, first.id);
    assert!(matches!(witness.notes().as_slice(), [Note::DeadGeneration { generation: 0, .. }]));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn two_publishers_at_once_end_with_one_image() {
    let world = World::of("publisher-admin", 16 << 20).await;
    let other = target("publisher-admin", &world.owner);
    let request = world.request(&world.spec("1"));
    let (a, b) = tokio::join!(world.target.upload(&world.context, &request), other.upload(&world.context, &request));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((&a.id, a.sent + b.sent), (&b.id, request.image.file_size));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn an_image_of_ours_under_any_id_is_adopted_and_two_are_a_conflict_that_names_both() {
    let world = World::new().await;
    let spec = world.spec("1");
    let first = world.upload(&spec).await.unwrap();
    world.foreign.delete(&first.id).await;
    let second = world.upload(&spec).await.unwrap();
    // A run that knows of no dead generation begins with the first id again, and must find the second.
    assert_eq!(world.upload(&spec).await.unwrap().id, second.id);
    let mut copy = world.foreign.show(&second.id).await.unwrap();
    copy.as_object_mut().unwrap().retain(|name, _| name.starts_with("cloud-publish") || name == "tags");
    let third = world.foreign.create(&copy).await;
    let error = world.upload(&spec).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    for id in [second.id.as_str(), third.get("id").unwrap().as_str().unwrap()] {
        assert!(error.to_string().contains(id), "{error}");
    }
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn other_content_under_the_same_key_is_a_conflict() {
    let world = World::new().await;
    let mut spec = world.spec("1");
    world.upload(&spec).await.unwrap();
    spec.tags.digest = cloud_publish_core::digest::Digest::from_bytes([1; 32]);
    assert_eq!(world.upload(&spec).await.unwrap_err().kind(), Kind::Conflict);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_name_held_by_another_image_is_refused() {
    let world = World::new().await;
    let spec = world.spec("1");
    let mine = json!({"name": spec.name.as_str(), "cloud-publish-owner": world.owner.as_str()});
    let holder = world.foreign.create(&mine).await;
    let error = world.upload(&spec).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NameTaken);
    assert!(error.to_string().contains(holder.get("id").unwrap().as_str().unwrap()));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_full_quota_is_said_and_leaves_nothing_behind() {
    let world = World::of("smallquota", 9 << 20).await;
    let spec = world.spec("1");
    let witness = Arc::new(Witness::default());
    let error = world.target.upload(&witness.context(), &world.request(&spec)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::QuotaExceeded, "{:?}", error.chain());
    assert!(matches!(witness.notes().as_slice(), [Note::DeadGeneration { generation: 0, .. }]));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn data_of_another_format_is_refused_and_leaves_nothing_behind() {
    let world = World::new().await;
    let mut spec = world.spec("1");
    spec.format = cloud_publish_core::disk::Format::Qcow2;
    let error = world.upload(&spec).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput, "{:?}", error.chain());
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_hash_that_differs_is_corrupt_and_the_image_is_removed() {
    let world = World::new().await;
    let mut spec = world.spec("1");
    spec.file_sha512 = Some("00".repeat(64));
    let error = world.upload(&spec).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn the_cloud_s_own_hash_is_the_proof() {
    let world = World::new().await;
    let spec = world.spec("1");
    let at = world.image(&spec).await;
    let request = ProveRequest { at, file_sha512: spec.file_sha512.clone() };
    let Proof::Hash { algorithm, shown, expected } = world.target.prove(&world.context, &request).await.unwrap() else {
        panic!("Glance shows a hash");
    };
    assert_eq!((algorithm.as_str(), Some(shown)), ("sha512", expected.clone()));
    assert_eq!(expected, spec.file_sha512);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn replicate_finds_what_is_there_and_says_where_it_is_missing() {
    let world = World::new().await;
    let spec = world.spec("1");
    let home: ImageAt = world.image(&spec).await;
    let request = ReplicateRequest { image: Arc::new(spec), home: home.clone(), regions: vec![two(), one()] };
    let found = world.target.replicate(&world.context, &request).await.unwrap();
    let [(first, missing), (second, there)] = found.as_slice() else { panic!("one entry per region") };
    assert_eq!((first, second), (&two(), &one()));
    assert_eq!(missing.as_ref().unwrap_err().kind(), Kind::NotFound);
    assert_eq!(there.as_ref().unwrap().id, home.id);
    world.wipe().await;
}
