//! `upload = "s3-import"`: staged once, resumed by part, the task found again, nothing left in the bucket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cloud_publish_aws::Aws;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{
    ImageAt, Note, Proof, ProveRequest, Publisher as _, RegisterRequest, Staged, SurveyRequest,
};
use cloud_publish_core::survey::FoundStaged;
use serde_json::{Value, json};

use crate::planted::ask;
use crate::uploads::{Uploads, only_snapshot, requests, snapshots};
use crate::world::World;

const BUCKET: &str = "debian-images";

fn world(settings: Value) -> World {
    let mut all = json!({"s3": {"buckets": {BUCKET: ["111111111111", "us-east-1"]}}});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    World::start(all)
}

fn target(world: &World) -> Aws {
    world.target(json!({"upload": "s3-import", "import": {"bucket": BUCKET, "prefix": "staging/"}}))
}

async fn run(world: &World, uploads: &Uploads) -> Result<Staged> {
    target(world).upload(&uploads.context(), &uploads.request()).await
}

fn bucket(world: &World) -> Value {
    world.fake.world.dump()["s3"][BUCKET].clone()
}

fn is_empty(world: &World) -> bool {
    let bucket = bucket(world);
    bucket["objects"] == json!({}) && bucket["uploads"] == json!([])
}

fn tasks(world: &World) -> Vec<Value> {
    world.fake.world.dump()["import"].as_array().unwrap().clone()
}

async fn survey(world: &World, uploads: &Uploads) -> Vec<FoundStaged> {
    let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
    target(world).survey(&uploads.context(), &request).await.unwrap().staged
}

fn denied(operation: &str) -> Value {
    json!([{"operation": operation, "what": {"refuse": {"status": 403, "code": "AccessDenied"}}}])
}

#[tokio::test]
async fn a_bucket_that_may_not_be_read_names_the_permissions() {
    let (world, uploads) = (world(json!({})), Uploads::new(1));
    world.hurt(denied("HeadObject"));
    let refused = run(&world, &uploads).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied, "{refused}");
    assert!(refused.advice().unwrap().contains("s3:GetObject"), "{refused:?}");
    assert!(requests(&world, "CreateMultipartUpload").is_empty(), "nothing is sent before");
}

#[tokio::test]
async fn what_is_imported_reads_back_and_the_bucket_is_empty_again() {
    let (world, uploads) = (world(json!({})), Uploads::long());
    let staged = run(&world, &uploads).await.unwrap();
    assert_eq!(staged.sent, uploads.sample.disk.virtual_size(), "zeros are sent, too");
    assert!(is_empty(&world), "{}", bucket(&world));
    let (target, context) = (target(&world), uploads.context());
    let image = uploads.request().image;
    let request = RegisterRequest { image: image.clone(), staged };
    let made = target.register(&context, &request).await.unwrap();
    let at = ImageAt { region: made.region, id: made.id, tags: image.tags.clone() };
    let proof = target.prove(&context, &ProveRequest { at, file_sha512: None }).await.unwrap();
    assert_eq!(proof, Proof::Content { digest: uploads.sample.digest });
}

#[tokio::test]
async fn the_snapshot_has_the_tags_of_one_written_block_by_block() {
    let uploads = Uploads::new(1);
    let (imported, direct) = (world(json!({})), World::start(json!({})));
    run(&imported, &uploads).await.unwrap();
    uploads.run(&direct).await.unwrap();
    let (imported, direct) = (only_snapshot(&imported), only_snapshot(&direct));
    for same in ["tags", "content", "size_gib", "sharing"] {
        assert_eq!(imported[same], direct[same], "{same}");
    }
}

#[tokio::test]
async fn a_second_upload_finds_the_first_and_writes_nothing() {
    let (world, uploads) = (world(json!({})), Uploads::new(1));
    let first = run(&world, &uploads).await.unwrap();
    let before = world.writes().len();
    uploads.forget();
    let second = run(&world, &uploads).await.unwrap();
    assert_eq!(second, Staged { sent: 0, ..first });
    assert_eq!(world.writes().len(), before);
}

#[tokio::test]
async fn a_resumed_upload_sends_only_the_missing_parts() {
    let (world, uploads) = (world(json!({})), Uploads::long());
    world.hurt(json!([{"operation": "UploadPart", "after": 1, "what": {"hang": 3_600_000}}]));
    let one_part = async {
        while bucket(&world)["uploads"][0]["parts"] != json!(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = run(&world, &uploads) => panic!("a part is missing: {done:?}"),
        () = one_part => {}
    }
    world.hurt(json!([]));
    uploads.forget();
    let staged = run(&world, &uploads).await.unwrap();
    assert!(staged.sent < uploads.sample.disk.virtual_size(), "{} bytes sent again", staged.sent);
    assert_eq!(requests(&world, "CreateMultipartUpload").len(), 1);
    assert!(is_empty(&world));
}

#[tokio::test]
async fn who_may_not_list_uploads_goes_on_with_the_one_that_was_noted() {
    let (world, uploads) = (world(json!({})), Uploads::long());
    let listing = denied("ListMultipartUploads")[0].clone();
    world.hurt(json!([listing, denied("CompleteMultipartUpload")[0]]));
    run(&world, &uploads).await.unwrap_err();
    world.hurt(json!([listing]));
    let staged = run(&world, &uploads).await.unwrap();
    assert_eq!((staged.sent, requests(&world, "CreateMultipartUpload").len()), (0, 1));
}

#[tokio::test]
async fn a_task_at_work_is_adopted_by_a_run_that_knows_nothing() {
    let (world, uploads) = (world(json!({"delays": {"import": 2500}})), Uploads::new(1));
    let killed = async {
        while tasks(&world).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = run(&world, &uploads) => panic!("it should still be importing: {done:?}"),
        () = killed => {}
    }
    uploads.forget();
    let found = survey(&world, &uploads).await;
    let busy: Vec<&FoundStaged> = found.iter().filter(|one| one.id.starts_with("import-snap-")).collect();
    assert!(matches!(busy.as_slice(), [one] if one.busy), "{found:?}");
    let refused = target(&world).discard(&uploads.context(), busy[0]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    run(&world, &uploads).await.unwrap();
    assert_eq!((requests(&world, "ImportSnapshot").len(), snapshots(&world).len()), (1, 1));
    assert!(is_empty(&world));
}

#[tokio::test]
async fn a_cancelled_task_is_told_and_the_next_run_starts_another() {
    let (world, uploads) = (world(json!({"delays": {"import": 3_600_000}})), Uploads::new(1));
    let cancel = async {
        while tasks(&world).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let id = tasks(&world)[0]["id"].as_str().unwrap().to_owned();
        ask(&world, &format!("Action=CancelImportTask&ImportTaskId={id}&CancelReason=ClientError:%20tired"));
    };
    let (ended, ()) = futures::join!(run(&world, &uploads), cancel);
    let told = ended.unwrap_err();
    assert!(told.message().contains("ClientError: tired"), "{told}");
    assert!(matches!(uploads.noted().last(), Some(Note::DeadGeneration { generation: 0, .. })));
    world.change(json!({"delays": {"import": 100}}));
    uploads.forget();
    run(&world, &uploads).await.unwrap();
    assert_eq!((tasks(&world).len(), snapshots(&world).len()), (2, 1));
    assert_eq!(requests(&world, "UploadPart").len(), 1, "what was staged is used again");
    assert!(is_empty(&world));
}

#[tokio::test]
async fn a_snapshot_that_was_deleted_makes_its_generation_dead() {
    let (world, uploads) = (world(json!({})), Uploads::new(1));
    let first = run(&world, &uploads).await.unwrap();
    ask(&world, &format!("Action=DeleteSnapshot&SnapshotId={}", first.id));
    uploads.forget();
    let second = run(&world, &uploads).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(only_snapshot(&world)["id"], json!(second.id));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// Before the request takes effect.
    Before,
    /// Before its answer arrives.
    After,
}

/// Kills an upload at its n-th request; says whether it got so far.
async fn killed_at(world: &World, uploads: &Uploads, number: usize, killed: Killed) -> bool {
    let hour = 3_600_000;
    let what = if killed == Killed::Before { json!({"hang": hour}) } else { json!({"stall": hour}) };
    world.hurt(json!([{"after": number - 1, "what": what}]));
    let reached = async {
        while world.asked().len() < number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The request is in the log before it takes effect.
        tokio::time::sleep(Duration::from_millis(30)).await;
    };
    let reached = tokio::select! {
        done = run(world, uploads) => done.map(|_| false).unwrap(),
        () = reached => true,
    };
    world.hurt(json!([]));
    reached
}

async fn ends_the_same_wherever_it_is_killed(killed: Killed) {
    let mut number = 1;
    loop {
        for forgets in [false, true] {
            let (world, uploads) =
                (world(json!({"delays": {"import": 20, "snapshot_completion": 10}})), Uploads::new(1));
            if !killed_at(&world, &uploads, number, killed).await {
                assert!(number > 12, "an import of {number} requests");
                return;
            }
            if forgets {
                uploads.forget();
            }
            run(&world, &uploads).await.unwrap_or_else(|error| panic!("{killed:?} {number}: {:?}", error.chain()));
            assert_eq!(only_snapshot(&world)["state"], json!("completed"), "{killed:?} {number}");
            assert_eq!(tasks(&world).len(), 1, "{killed:?} {number}");
            assert!(is_empty(&world), "{killed:?} {number}: {}", bucket(&world));
        }
        number += 1;
    }
}

#[tokio::test]
async fn killed_before_any_request_a_rerun_ends_the_same() {
    ends_the_same_wherever_it_is_killed(Killed::Before).await;
}

#[tokio::test]
async fn killed_after_any_request_a_rerun_ends_the_same() {
    ends_the_same_wherever_it_is_killed(Killed::After).await;
}

#[tokio::test]
async fn two_publishers_at_once_end_with_one_snapshot_and_an_empty_bucket() {
    let (world, here, there) = (world(json!({})), Uploads::long(), Uploads::long());
    let (one, two) = futures::join!(run(&world, &here), run(&world, &there));
    let ids: Vec<String> = [one, two].into_iter().filter_map(|ended| ended.ok().map(|staged| staged.id)).collect();
    assert!(!ids.is_empty());
    let again = run(&world, &here).await.unwrap();
    assert!(ids.iter().all(|id| *id == again.id));
    assert_eq!((snapshots(&world).len(), tasks(&world).len()), (1, 1));
    assert!(is_empty(&world), "{}", bucket(&world));
}

#[tokio::test]
async fn a_tenth_of_all_requests_may_fail_in_any_way() {
    for (what, seed) in [(json!("throttle"), 1), (json!("reset"), 2), (json!("error500"), 3), (json!("lost"), 4)] {
        let (world, uploads) = (world(json!({})), Uploads::long());
        world.hurt(json!([{"rate": 0.1, "seed": seed, "what": what}]));
        let mut tries = 0;
        while let Err(error) = run(&world, &uploads).await {
            assert_ne!(error.retry(), cloud_publish_core::error::Retry::Never, "{what}: {:?}", error.chain());
            tries += 1;
            assert!(tries < 8, "{what}: {:?}", error.chain());
        }
        assert_eq!(only_snapshot(&world)["state"], json!("completed"), "{what}");
        assert!(is_empty(&world), "{what}");
    }
}

#[tokio::test]
async fn a_role_that_cannot_read_is_named_and_what_was_staged_is_listed_and_removed() {
    let (world, uploads) = (world(json!({})), Uploads::new(1));
    let keys = json!({"upload": "s3-import", "import": {"bucket": BUCKET, "role": "nobody"}});
    let refused = world.target(keys).upload(&uploads.context(), &uploads.request()).await.unwrap_err();
    assert_eq!(refused.context("role"), Some("nobody"));
    assert!(refused.advice().unwrap().contains("vmie.amazonaws.com"), "{refused:?}");
    let keys = json!({"upload": "s3-import", "import": {"bucket": BUCKET}});
    let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
    let found = world.target(keys).survey(&uploads.context(), &request).await.unwrap().staged;
    let [staged] = found.try_into().unwrap_or_else(|all| panic!("one object, not {all:?}"));
    assert!(staged.id.starts_with("s3://debian-images/cloud-publish/debian/"), "{}", staged.id);
    assert_eq!(staged.tags.as_ref(), Some(&uploads.request().image.tags));
    let wrong = FoundStaged { tags: None, ..staged.clone() };
    assert_eq!(discard(&world, &uploads, &wrong).await.unwrap_err().kind(), Kind::Refused);
    for _ in 0..2 {
        discard(&world, &uploads, &staged).await.unwrap();
        assert!(is_empty(&world));
    }
}

async fn discard(world: &World, uploads: &Uploads, staged: &FoundStaged) -> Result<()> {
    target(world).discard(&uploads.context(), staged).await
}

#[tokio::test]
async fn an_unfinished_upload_is_listed_and_removed_once_nobody_adds_to_it() {
    let (world, uploads) = (world(json!({})), Uploads::long());
    world.hurt(denied("CompleteMultipartUpload"));
    run(&world, &uploads).await.unwrap_err();
    world.hurt(json!([]));
    let [staged] = survey(&world, &uploads).await.try_into().unwrap();
    assert!(staged.busy && staged.id.contains("?uploadId="), "{staged:?}");
    assert_eq!(discard(&world, &uploads, &staged).await.unwrap_err().kind(), Kind::Refused);
    let later = uploads.context_in(2 * 3600);
    for _ in 0..2 {
        target(&world).discard(&later, &staged).await.unwrap();
        assert!(is_empty(&world));
    }
}

#[tokio::test]
async fn a_snapshot_that_never_got_its_tags_is_listed_and_removed() {
    let (world, uploads) = (world(json!({})), Uploads::new(1));
    world.hurt(denied("CreateTags"));
    run(&world, &uploads).await.unwrap_err();
    world.hurt(json!([]));
    let found = survey(&world, &uploads).await;
    let task = found.iter().find(|one| one.id.starts_with("import-snap-")).unwrap();
    assert_eq!((task.busy, task.tags.as_ref()), (false, Some(&uploads.request().image.tags)));
    for _ in 0..2 {
        discard(&world, &uploads, task).await.unwrap();
        assert!(snapshots(&world).is_empty());
    }
}

/// Puts an object as somebody else's program does.
fn put(world: &World, key: &str, owner: &str) {
    let host = world.fake.url.strip_prefix("http://").unwrap();
    let scope = "AKIA111111111111OTHER/20240101/us-east-1/s3/aws4_request";
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let head = format!("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nx-amz-meta-cloud-publish-owner: {owner}");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "PUT /{BUCKET}/{key} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signed}\r\n{head}\r\nContent-Length: 4\r\n\
         Connection: close\r\n\r\nabcd"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn an_object_of_the_name_that_is_something_else_is_replaced_if_it_is_ours() {
    let uploads = Uploads::new(1);
    let key = format!("staging/cloud-publish/debian/{}.raw", uploads.sample.digest.hex());
    let ours = world(json!({}));
    put(&ours, &key, "debian");
    run(&ours, &uploads).await.unwrap();
    assert!(is_empty(&ours));
    let foreign = world(json!({}));
    put(&foreign, &key, "fedora");
    let refused: Error = run(&foreign, &uploads).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NameTaken);
    assert!(tasks(&foreign).is_empty() && !is_empty(&foreign));
}

#[tokio::test]
async fn a_snapshot_begun_block_by_block_is_not_waited_for() {
    let (world, uploads) = (world(json!({"delays": {"snapshot_visible": 0}})), Uploads::new(1));
    world.hurt(json!([{"operation": "CompleteSnapshot", "what": {"refuse": {"status": 403, "code": "AccessDeniedException"}}}]));
    uploads.run(&world).await.unwrap_err();
    world.hurt(json!([]));
    let refused = run(&world, &uploads).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.advice().unwrap().contains("ebs-direct"), "{refused:?}");
}
