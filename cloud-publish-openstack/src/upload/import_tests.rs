use cloud_publish_core::error::{Kind, Retry};
use cloud_publish_core::publisher::Note;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::tests::{Broken, Import, Outcome, SIZE, change, upload, uploaded_to};
use crate::image_record::body;
use crate::stub::region;
use crate::testing::{place, spec};

fn glance(imports: Vec<Import>) -> Broken {
    let config = json!({"cloud": "stub", "upload": "import", "stores": ["fast", "slow"], "import_timeout": 60});
    Broken { imports, methods: vec!["glance-direct"], config: Some(config), ..Broken::default() }
}

async fn imported(imports: Vec<Import>) -> Outcome {
    uploaded_to(glance(imports), 1).await
}

/// A record that another run has left in this state.
fn left(changes: Value) -> Value {
    let config = serde_json::from_str(r#"{"cloud": "stub"}"#).unwrap();
    let mut record = body(&spec(), &config, (&place(), &region()), Uuid::nil()).unwrap();
    change(&mut record, json!({"owner": "p1"}));
    change(&mut record, changes);
    record
}

fn count(outcome: &Outcome, verb: &str, end: &str) -> usize {
    outcome.seen.iter().filter(|seen| seen.line.starts_with(verb) && seen.line.ends_with(end)).count()
}

#[tokio::test]
async fn staged_bytes_are_imported_into_every_store_that_is_wanted() {
    let outcome = imported(vec![Import::Works]).await;
    let asked =
        outcome.seen.iter().find(|seen| seen.line.ends_with("/import") && seen.line.starts_with("POST")).unwrap();
    let wanted =
        json!({"method": {"name": "glance-direct"}, "stores": ["fast", "slow"], "all_stores_must_succeed": true});
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), wanted);
    assert_eq!((count(&outcome, "PUT", "/stage"), count(&outcome, "PUT", "/file")), (1, 0));
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 0));
}

#[tokio::test]
async fn an_import_that_fails_without_a_word_is_noticed_and_the_bytes_are_put() {
    let outcome = imported(vec![Import::Fails("queued")]).await;
    assert!(
        outcome.said.iter().any(|said| said.contains("the store is full") && said.contains("PUT")),
        "{:?}",
        outcome.said
    );
    assert_eq!(count(&outcome, "PUT", "/file"), 1);
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 0));
}

#[tokio::test]
async fn a_record_that_a_failed_import_leaves_unusable_is_replaced() {
    let outcome = imported(vec![Import::Fails("uploading")]).await;
    assert_eq!(count(&outcome, "PUT", "/file"), 1);
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 1));
}

#[tokio::test]
async fn an_import_that_hangs_is_given_up_after_its_time_and_the_bytes_are_put() {
    let outcome = imported(vec![Import::Hangs]).await;
    assert!(outcome.said.iter().any(|said| said.contains("longer than 60 s")), "{:?}", outcome.said);
    assert_eq!(count(&outcome, "PUT", "/file"), 1);
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 1));
}

#[tokio::test]
async fn an_import_that_was_given_up_is_not_waited_for_again_by_the_next_try() {
    for (import, deleted) in [(Import::Hangs, 1), (Import::Fails("queued"), 0)] {
        let broken = Broken { uploads: vec![upload("queued", 503)], ..glance(vec![import]) };
        let outcome = uploaded_to(broken, 2).await;
        let calls = (count(&outcome, "PUT", "/stage"), count(&outcome, "POST", "/import"));
        assert_eq!((calls, count(&outcome, "PUT", "/file")), ((1, 1), 2), "{import:?}");
        assert_eq!(outcome.short(), (Ok(SIZE as u64), deleted), "{import:?}");
    }
}

#[tokio::test]
async fn an_import_that_was_given_up_is_tried_again_once_it_is_configured_otherwise() {
    let given_up = |seconds: u32| {
        vec![Note::Acknowledged {
            value: json!({"import_given_up": "another record", "upload": "import", "stores": ["fast", "slow"],
                "import_timeout": seconds, "web_download_url": null}),
        }]
    };
    for (seconds, imported) in [(60, 0), (30, 1)] {
        let outcome = uploaded_to(Broken { notes: given_up(seconds), ..glance(vec![Import::Works]) }, 1).await;
        assert_eq!((count(&outcome, "POST", "/import"), count(&outcome, "PUT", "/file")), (imported, 1 - imported));
        assert_eq!(outcome.short(), (Ok(SIZE as u64), 0));
    }
}

#[tokio::test]
async fn where_there_is_no_import_the_bytes_are_put() {
    let outcome = uploaded_to(Broken { methods: vec!["copy-image"], ..glance(vec![Import::Refused(404)]) }, 1).await;
    assert!(outcome.said.iter().any(|said| said.contains("no import `glance-direct`")), "{:?}", outcome.said);
    assert_eq!((count(&outcome, "PUT", "/stage"), count(&outcome, "PUT", "/file")), (0, 1));
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 0));
}

#[tokio::test]
async fn an_import_or_a_staging_that_is_refused_ends_in_a_put() {
    for (refused, deleted) in [
        (Import::Refused(400), 1),
        (Import::Refused(403), 1),
        (Import::Refused(409), 1),
        (Import::Unstaged(404), 0),
        (Import::Unstaged(409), 0),
        (Import::Unstaged(413), 0),
    ] {
        let outcome = imported(vec![refused]).await;
        assert_eq!(count(&outcome, "PUT", "/file"), 1, "{refused:?}");
        assert_eq!(outcome.short(), (Ok(SIZE as u64), deleted), "{refused:?}");
    }
}

#[tokio::test]
async fn bytes_that_a_dead_run_has_staged_are_imported_and_not_sent_again() {
    let record = Some(left(json!({"status": "uploading", "size": SIZE})));
    let outcome = uploaded_to(Broken { record, ..glance(vec![Import::Works]) }, 1).await;
    assert_eq!((count(&outcome, "POST", "/import"), count(&outcome, "PUT", "/stage")), (1, 0));
    assert_eq!(outcome.short(), (Ok(0), 0));
}

#[tokio::test]
async fn an_import_that_hangs_is_given_up_by_the_next_run_only_if_it_is_ours() {
    let hanging = || Some(left(json!({"status": "importing", "size": SIZE, "os_glance_import_task": "t1"})));
    let of_another = Broken { record: hanging(), ..glance(vec![Import::Works]) };
    let (outcome, deleted) = uploaded_to(of_another, 1).await.short();
    assert_eq!((outcome, deleted), (Err((Kind::TimedOut, Retry::Never)), 0));
    let notes = vec![Note::Acknowledged { value: json!({"import_of": Uuid::nil().to_string()}) }];
    let of_ours = Broken { record: hanging(), notes, ..glance(vec![Import::Works]) };
    let outcome = uploaded_to(of_ours, 1).await;
    assert_eq!(count(&outcome, "PUT", "/file"), 1);
    assert_eq!(outcome.short(), (Ok(SIZE as u64), 1));
}

#[tokio::test]
async fn what_the_cloud_fetched_is_compared_with_the_file_and_deleted_when_it_is_not() {
    let config = json!({"cloud": "stub", "upload": "web-download",
        "web_download_url": "https://images.example.org/{suite}/{version}.qcow2"});
    let glance =
        |imports| Broken { imports, methods: vec!["web-download"], config: Some(config.clone()), ..Broken::default() };
    let outcome = uploaded_to(glance(vec![Import::Works]), 1).await;
    let asked =
        outcome.seen.iter().find(|seen| seen.line.ends_with("/import") && seen.line.starts_with("POST")).unwrap();
    let method = json!({"name": "web-download", "uri": "https://images.example.org/bookworm/20240101-1614.qcow2"});
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({"method": method}));
    assert_eq!(outcome.short(), (Ok(0), 0));
    let (error, deleted) = uploaded_to(glance(vec![Import::Wrong]), 1).await.error();
    assert_eq!((error.kind(), deleted), (Kind::Corrupt, 1));
    assert!(error.advice().is_some_and(|hint| hint.contains("web_download_url")), "{error:?}");
}
