//! Uploading block by block: what is sent, what a rerun sends, and how many snapshots there are in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{Note, Publisher as _, UploadRequest};
use cloud_publish_tests::aws::{Ec2SeedImage, REGION};
use serde_json::json;

use crate::uploads::{DATA, Uploads, index, only_snapshot, requests, snapshots, taken};
use crate::world::World;

/// As many bytes as the blocks of data have.
const ALL: u64 = DATA.len() as u64 * (512 << 10);

#[tokio::test]
async fn exactly_the_blocks_that_are_not_zero_are_sent_once() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let staged = uploads.run(&world).await.unwrap();
    assert_eq!((staged.region.as_str(), staged.sent), (REGION, ALL));
    assert_eq!(taken(&world), uploads.blocks());
    assert_eq!(requests(&world, "PutSnapshotBlock").len(), DATA.len());
    let snapshot = only_snapshot(&world);
    assert_eq!((&snapshot["id"], &snapshot["state"]), (&json!(staged.id), &json!("completed")));
    assert_eq!(snapshot["sharing"], json!([]));
}

#[tokio::test]
async fn the_snapshot_has_all_tags_from_its_start() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let mut image = uploads.request().image.as_ref().clone();
    image.extra_tags.insert("team".to_owned(), "cloud".to_owned());
    let request = UploadRequest { image: image.into(), ..uploads.request() };
    world.target(json!({})).upload(&uploads.context(), &request).await.unwrap();
    let tags = only_snapshot(&world)["tags"].clone();
    assert_eq!(tags["cloud-publish-digest"], json!(uploads.sample.digest));
    assert_eq!(tags["cloud-publish-size"], json!(uploads.sample.disk.virtual_size().to_string()));
    assert_eq!(tags["team"], json!("cloud"));
    assert!(world.writes().iter().all(|entry| entry.operation != "CreateTags"));
}

#[tokio::test]
async fn a_second_upload_finds_the_first_and_writes_nothing() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let first = uploads.run(&world).await.unwrap();
    let writes = world.writes().len();
    let second = uploads.run(&world).await.unwrap();
    assert_eq!((second.id, second.sent), (first.id, 0));
    assert_eq!(world.writes().len(), writes);
}

#[tokio::test]
async fn other_content_under_the_key_is_a_conflict_that_names_the_snapshot() {
    let world = World::start(json!({}));
    let staged = Uploads::new(1).run(&world).await.unwrap();
    let refused = Uploads::new(99).run(&world).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.to_string().contains(&staged.id), "{refused}");
}

#[tokio::test]
async fn a_missing_permission_fails_at_once_and_makes_nothing() {
    let world = World::start(json!({"denied": [{"action": "ebs:StartSnapshot"}]}));
    let refused = Uploads::new(1).run(&world).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    assert_eq!((snapshots(&world).len(), requests(&world, "StartSnapshot").len()), (0, 1));
    world.change(json!({"denied": [{"action": "ebs:PutSnapshotBlock"}]}));
    let refused = Uploads::new(1).run(&world).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    assert!(requests(&world, "PutSnapshotBlock").len() <= DATA.len());
}

#[tokio::test]
async fn a_disk_larger_than_any_volume_is_refused_before_anything_is_asked() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let mut image = uploads.request().image.as_ref().clone();
    image.virtual_size = (65_536 << 30) + 512;
    let request = UploadRequest { image: image.into(), ..uploads.request() };
    let refused = world.target(json!({})).upload(&uploads.context(), &request).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidInput);
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn a_full_quota_of_pending_snapshots_is_named() {
    let world = World::start(json!({"quotas": {"pending_snapshots": 0}}));
    let refused = Uploads::new(1).run(&world).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::QuotaExceeded);
    assert!(snapshots(&world).is_empty());
}

#[tokio::test]
async fn a_tenth_of_all_requests_may_fail_in_any_way() {
    for what in ["throttle", "error500", "error503", "reset", "lost"] {
        let (world, uploads) = (World::start(json!({})), Uploads::new(1));
        world.hurt(json!([{"rate": 0.1, "seed": 7, "what": what}]));
        uploads.run(&world).await.unwrap_or_else(|error| panic!("{what}: {:?}", error.chain()));
        assert_eq!(taken(&world), uploads.blocks(), "{what}");
        assert_eq!(only_snapshot(&world)["state"], json!("completed"), "{what}");
    }
}

#[tokio::test]
async fn half_of_all_blocks_may_be_throttled() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    world.hurt(json!([{"operation": "PutSnapshotBlock", "rate": 0.5, "seed": 3, "what": "throttle"}]));
    uploads.run(&world).await.unwrap();
    assert_eq!(taken(&world), uploads.blocks());
    assert!(requests(&world, "PutSnapshotBlock").len() > DATA.len());
}

#[tokio::test]
async fn blocks_that_are_never_taken_fail_the_step_after_a_bounded_number_of_tries() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    world.hurt(json!([{"operation": "PutSnapshotBlock", "what": "throttle"}]));
    let failed = uploads.run(&world).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::Throttled);
    assert!(requests(&world, "PutSnapshotBlock").len() <= DATA.len() * 12);
    world.hurt(json!([]));
    uploads.run(&world).await.unwrap();
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn a_resumed_upload_sends_only_what_was_not_acknowledged() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    world.hurt(json!([{"operation": "PutSnapshotBlock", "after": 4,
        "what": {"refuse": {"status": 403, "code": "AccessDeniedException"}}}]));
    assert_eq!(uploads.run(&world).await.unwrap_err().kind(), Kind::PermissionDenied);
    let acknowledged = uploads.acknowledged();
    assert!((1..=4).contains(&acknowledged.len()), "{acknowledged:?}");
    world.hurt(json!([]));
    let asked = requests(&world, "PutSnapshotBlock").len();
    let staged = uploads.run(&world).await.unwrap();
    let again: BTreeSet<u32> = requests(&world, "PutSnapshotBlock").iter().skip(asked).map(index).collect();
    let missing: BTreeSet<u32> = DATA.into_iter().filter(|block| !acknowledged.contains(block)).collect();
    assert_eq!(again, missing);
    assert_eq!(staged.sent, again.len() as u64 * (512 << 10));
    assert_eq!(taken(&world), uploads.blocks());
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn a_whole_that_ebs_does_not_confirm_is_corrupt_and_removed() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let refuse = json!({"refuse": {"status": 400, "code": "ValidationException"}});
    world.hurt(json!([{"operation": "CompleteSnapshot", "what": refuse}]));
    let failed = uploads.run(&world).await.unwrap_err();
    assert_eq!(failed.kind(), Kind::Corrupt, "{failed}");
    assert!(snapshots(&world).is_empty(), "what arrived wrongly is removed");
    world.hurt(json!([]));
    uploads.run(&world).await.unwrap();
    assert_eq!(taken(&world), uploads.blocks());
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn a_disk_that_changes_while_it_is_sent_leaves_no_snapshot() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    world.hurt(json!([{"operation": "PutSnapshotBlock", "what": {"slow": 300}}]));
    let change = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let file = std::fs::File::options().append(true).open(uploads.path()).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    };
    let (failed, ()) = tokio::join!(uploads.run(&world), change);
    let failed = failed.unwrap_err();
    assert_eq!(failed.kind(), Kind::InvalidInput, "{failed}");
    assert!(snapshots(&world).is_empty());
}

/// How a process ends at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// The request never arrives.
    Before,
    /// It takes effect, and nobody hears the answer.
    After,
}

/// Uploads until the `number`-th request of that world, and no further. Says whether it came that far.
async fn killed_at(world: &World, uploads: &Uploads, number: usize, killed: Killed) -> bool {
    let hour = 3_600_000;
    let what = if killed == Killed::Before { json!({"hang": hour}) } else { json!({"stall": hour}) };
    world.hurt(json!([{"after": number - 1, "what": what}]));
    let reached = async {
        while world.asked().len() < number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The request is in the log before it takes effect.
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let reached = tokio::select! {
        done = uploads.run(world) => done.map(|_| false).unwrap(),
        () = reached => true,
    };
    world.hurt(json!([]));
    reached
}

/// Kills an upload at every request, and runs it again with and without its notes.
async fn ends_with_one_snapshot_wherever_it_is_killed(killed: Killed) {
    let mut number = 1;
    loop {
        for forgets in [false, true] {
            let (world, uploads) = (World::start(json!({})), Uploads::new(1));
            if !killed_at(&world, &uploads, number, killed).await {
                assert!(number > DATA.len() + 4, "an upload of {number} requests");
                return;
            }
            if forgets {
                uploads.forget();
            }
            uploads.run(&world).await.unwrap_or_else(|error| panic!("{number}: {:?}", error.chain()));
            assert_eq!(only_snapshot(&world)["state"], json!("completed"), "{killed:?} {number}");
            assert_eq!(taken(&world), uploads.blocks(), "{killed:?} {number}");
        }
        number += 1;
    }
}

#[tokio::test]
async fn killed_before_any_request_a_rerun_ends_with_one_snapshot() {
    ends_with_one_snapshot_wherever_it_is_killed(Killed::Before).await;
}

#[tokio::test]
async fn killed_after_any_request_a_rerun_ends_with_one_snapshot() {
    ends_with_one_snapshot_wherever_it_is_killed(Killed::After).await;
}

#[tokio::test]
async fn a_snapshot_that_was_deleted_makes_its_generation_dead() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let first = uploads.run(&world).await.unwrap();
    let staged = crate::uploads::found(&uploads, &first);
    world.target(json!({})).discard(&uploads.context(), &staged).await.unwrap();
    assert!(snapshots(&world).is_empty());
    uploads.forget();
    let second = uploads.run(&world).await.unwrap();
    assert_ne!(first.id, second.id);
    assert!(
        matches!(uploads.noted().first(), Some(Note::DeadGeneration { generation: 0, .. })),
        "{:?}",
        uploads.noted()
    );
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn an_abandoned_snapshot_that_aws_gave_up_is_replaced_and_removed() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    world.hurt(json!([{"operation": "CompleteSnapshot", "what": {"refuse": {"status": 403, "code": "AccessDeniedException"}}}]));
    uploads.run(&world).await.unwrap_err();
    world.hurt(json!([]));
    world.fake.world.advance(25 * 3_600_000);
    assert_eq!(only_snapshot(&world)["state"], json!("error"));
    let staged = uploads.run(&world).await.unwrap();
    let snapshot = only_snapshot(&world);
    assert_eq!((&snapshot["id"], &snapshot["state"]), (&json!(staged.id), &json!("completed")));
}

#[tokio::test]
async fn two_publishers_at_once_end_with_one_snapshot() {
    for slow in [0, 20] {
        let (world, uploads, others) = (World::start(json!({})), Uploads::new(1), Uploads::new(1));
        world.hurt(json!([{"operation": "PutSnapshotBlock", "rate": 0.5, "what": {"slow": slow}}]));
        let (one, other) = tokio::join!(uploads.run(&world), others.run(&world));
        assert_eq!(one.unwrap().id, other.unwrap().id);
        assert_eq!(taken(&world), uploads.blocks());
        assert_eq!(only_snapshot(&world)["state"], json!("completed"));
    }
}

#[tokio::test]
async fn a_publisher_with_other_extra_tags_adopts_the_same_snapshot() {
    let (world, uploads, others) = (World::start(json!({})), Uploads::new(1), Uploads::new(1));
    let mut image = uploads.request().image.as_ref().clone();
    image.extra_tags.insert("team".to_owned(), "cloud".to_owned());
    let request = UploadRequest { image: image.into(), ..uploads.request() };
    let (target, context) = (world.target(json!({})), uploads.context());
    let (one, other) = tokio::join!(target.upload(&context, &request), others.run(&world));
    assert_eq!(one.unwrap().id, other.unwrap().id);
    assert_eq!(only_snapshot(&world)["state"], json!("completed"));
}

#[tokio::test]
async fn of_two_snapshots_the_one_that_an_image_was_made_of_is_taken() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let first = uploads.run(&world).await.unwrap();
    let tags = serde_json::from_value(only_snapshot(&world)["tags"].clone()).unwrap();
    world.fake.world.plant(&Ec2SeedImage { name: "made by hand".to_owned(), tags, size: 1, ..Ec2SeedImage::default() });
    let staged = uploads.run(&world).await.unwrap();
    let made_of = world.fake.world.dump()["ec2"]["images"][0]["snapshots"][0].clone();
    assert_eq!(made_of, json!(staged.id));
    assert_ne!(staged.id, first.id);
    assert_eq!(staged.sent, 0);
}
