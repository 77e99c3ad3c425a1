use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloud_publish_core::error::{Kind, Retry};
use cloud_publish_core::publisher::{Context, ImageAt, Publisher as _, SurveyRequest};
use serde_json::json;

use crate::error::classify;
use crate::stub::{Answer, PASSWORD, Seen, Stub, TOKEN, region};
use crate::testing::{hurried, place, tags};

const HOUR: u32 = 3600;

fn empty() -> Answer {
    (200, String::new(), r#"{"images": []}"#.to_owned())
}

fn owner() -> SurveyRequest {
    SurveyRequest { owner: "debian".parse().unwrap(), detail: None }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_and_the_call_repeated() {
    let glance = |request: &Seen| match request.token.as_str() {
        "canary-token-1" => (401, String::new(), "expired".to_owned()),
        _ => empty(),
    };
    let stub = Stub::start(HOUR, glance).await;
    let survey = stub.target().survey(&Context::detached(), &owner()).await.unwrap();
    assert_eq!((survey.incomplete.len(), stub.sign_ins()), (0, 2));
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_an_error() {
    let stub = Stub::start(HOUR, |_| (401, String::new(), "no".to_owned())).await;
    let error = stub.target().survey(&Context::detached(), &owner()).await.unwrap_err();
    assert_eq!((error.kind(), stub.sign_ins()), (Kind::Unauthenticated, 2));
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_the_call() {
    let stub = Stub::start(0, |_| empty()).await;
    stub.target().survey(&Context::detached(), &owner()).await.unwrap();
    let listings: Vec<String> =
        stub.seen().into_iter().filter(|seen| seen.line.contains("/v2/images")).map(|seen| seen.token).collect();
    assert_eq!(listings.len(), 2);
    assert_ne!(listings.first(), listings.last());
}

#[tokio::test]
async fn a_cloud_that_asks_for_a_pause_gets_it() {
    let stub = Stub::start(HOUR, |_| (429, "retry-after: 3\r\n".to_owned(), String::new())).await;
    let error = stub.target().survey(&hurried(), &owner()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Throttled, Retry::After(Some(Duration::from_secs(3)))));
}

#[tokio::test]
async fn signing_in_version_discovery_and_listings_are_each_asked_again() {
    let stub = Stub::start(HOUR, |_| empty()).await;
    let (target, context) = (stub.target(), hurried());
    let asked = |line: &str| stub.seen().iter().filter(|seen| seen.line.starts_with(line)).count();
    stub.fail(&[500, 429]);
    target.token(&context).await.unwrap();
    assert_eq!(asked("POST /v3/auth/tokens"), 3);
    stub.fail(&[429, 503]);
    assert_eq!(target.survey(&context, &owner()).await.unwrap().incomplete, []);
    assert_eq!((asked("GET /v2/images"), stub.seen().iter().filter(|seen| seen.line == "GET /").count()), (2, 3));
    stub.fail(&[408, 504]);
    assert_eq!(target.survey(&context, &owner()).await.unwrap().incomplete, []);
    assert_eq!((asked("GET /v2/images"), stub.sign_ins()), (6, 3));
}

#[tokio::test]
async fn tries_at_signing_in_do_not_multiply_with_those_of_the_read_behind_it() {
    let stub = Stub::start(HOUR, |_| empty()).await;
    let (target, context) = (stub.target(), hurried());
    stub.fail(&[503; 20]);
    assert_eq!(target.survey(&context, &owner()).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!((stub.seen().len(), stub.sign_ins()), (3, 3));
}

#[tokio::test]
async fn a_write_that_fails_in_passing_is_sent_once() {
    let stub = Stub::start(HOUR, |_| (503, String::new(), String::new())).await;
    let target = stub.target();
    let context = hurried();
    let here = target.here(&context, &region()).await.unwrap();
    let glance = here.glance(&context);
    assert_eq!(glance.delete("i").await.unwrap_err().status(), Some(503));
    assert_eq!(glance.create(&json!({})).await.unwrap_err().status(), Some(503));
    assert_eq!(glance.deactivate("i").await.unwrap_err().status(), Some(503));
    let lines: Vec<String> =
        stub.seen().into_iter().map(|seen| seen.line).filter(|line| line.contains("/v2/")).collect();
    assert_eq!(lines, ["DELETE /v2/images/i", "POST /v2/images", "POST /v2/images/i/actions/deactivate"]);
}

#[tokio::test]
async fn a_listing_goes_on_while_there_is_a_next_page_however_small_the_pages_are() {
    let page = |ids: [&str; 2], next: bool| {
        let image = |id: &str| json!({"id": id, "status": "queued", "visibility": "private"});
        let mut page = json!({"images": ids.map(image)});
        if next {
            page["next"] = json!("/v2/images?marker=x");
        }
        (200, String::new(), page.to_string())
    };
    let stub = Stub::start(HOUR, move |request: &Seen| match &request.line {
        line if line.contains("os_hidden=true") => page(["e", "f"], false),
        line if line.contains("marker=b") => page(["c", "d"], false),
        line if line.contains("marker=") => (400, String::new(), String::new()),
        _ => page(["a", "b"], true),
    })
    .await;
    let survey = stub.target().survey(&Context::detached(), &owner()).await.unwrap();
    let ids: Vec<&str> = survey.staged.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
}

#[tokio::test]
async fn where_deactivating_is_forbidden_retiring_hides_and_makes_private() {
    let tags = tags("bookworm-20240101");
    let mut image = json!({"id": "i", "status": "active", "visibility": "public", "owner": "p1"});
    let properties = tags.to_map(&place(), &region());
    image.as_object_mut().unwrap().extend(properties.into_iter().map(|(name, value)| (name, json!(value))));
    let stub = Stub::start(HOUR, move |request: &Seen| match request.line.as_str() {
        "POST /v2/images/i/actions/deactivate" => (403, String::new(), String::new()),
        _ => (200, String::new(), image.to_string()),
    })
    .await;
    let at = ImageAt { region: region(), id: "i".parse().unwrap(), tags };
    stub.target().retire(&Context::detached(), &at).await.unwrap();
    let patches: Vec<String> =
        stub.seen().into_iter().filter(|seen| seen.line.starts_with("PATCH")).map(|seen| seen.body).collect();
    let [mark, unfindable] = patches.as_slice() else { panic!("two patches: {patches:?}") };
    assert!(mark.contains("/cloud-publish-retired"));
    assert!(unfindable.contains(r#""path":"/visibility","value":"private""#), "{unfindable}");
    assert!(unfindable.contains(r#""path":"/os_hidden","value":true"#), "{unfindable}");
}

#[tokio::test]
async fn a_deletion_that_the_cloud_refuses_because_of_volumes_is_still_in_use() {
    let tags = tags("bookworm-20240101");
    let mut image = json!({"id": "i", "status": "active", "visibility": "private", "owner": "p1"});
    let properties = tags.to_map(&place(), &region());
    image.as_object_mut().unwrap().extend(properties.into_iter().map(|(name, value)| (name, json!(value))));
    let stub = Stub::start(HOUR, move |request: &Seen| match request.line.as_str() {
        "DELETE /v2/images/i" => (409, String::new(), String::new()),
        _ => (200, String::new(), image.to_string()),
    })
    .await;
    let at = ImageAt { region: region(), id: "i".parse().unwrap(), tags };
    let deleted = stub.target().delete(&Context::detached(), &at).await.unwrap();
    assert_eq!(deleted, cloud_publish_core::publisher::Deletion::StillInUse);
}

#[tokio::test]
async fn neither_debug_output_nor_errors_show_a_password_or_token() {
    let stub = Stub::start(HOUR, |_| (500, String::new(), "broken".to_owned())).await;
    let target = stub.target();
    let error = target.survey(&hurried(), &owner()).await.unwrap_err();
    let shown = format!("{target:?} {error:?} {:?}", error.chain());
    assert!(!shown.contains(PASSWORD) && !shown.contains(TOKEN), "{shown}");
    assert!(stub.seen().iter().any(|seen| seen.token.starts_with(TOKEN)), "the token was in use");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_cause() {
    let stub = Stub::start(HOUR, |_| empty()).await;
    let target = stub.target();
    drop(stub);
    tokio::task::yield_now().await;
    let error = target.info(&hurried()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::After(None)));
    assert!(error.chain().iter().any(|line| line.contains("Keystone could not be reached")));
    assert!(error.chain().len() > 2, "{:?}", error.chain());
    let advice = error.advice().unwrap();
    assert!(advice.starts_with("is `auth_url` of ") && advice.ends_with("can this machine reach it?"), "{advice}");
}

#[tokio::test]
async fn a_cancelled_run_does_not_wait_for_an_answer() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stub = Stub::start(HOUR, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        empty()
    })
    .await;
    let context = Context::detached();
    context.cancellation().cancel();
    let error = stub.target().survey(&context, &owner()).await.unwrap_err();
    assert_eq!((error.kind(), asked.load(Ordering::Relaxed)), (Kind::Cancelled, 0));
    let error = classify(crate::error::WireError::Own(error), "survey");
    assert_eq!(error.kind(), Kind::Cancelled);
}
