use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cloud_publish_core::clock::FastClock;
use cloud_publish_core::digest::hex;
use cloud_publish_core::disk::{Disk, DiskSource, Format};
use cloud_publish_core::error::{Error, Kind, Result, Retry};
use cloud_publish_core::publisher::{Context, Note, Notes, Progress, Publisher as _, UploadRequest};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::image_record::body;
use crate::publisher::OpenStack;
use crate::stub::{Answer, Seen, Stub, region};
use crate::testing::{place, spec};

/// A Glance with at most one record, whose uploads and imports go as they are told to.
#[derive(Default)]
pub(super) struct Broken {
    pub(super) uploads: Vec<Upload>,
    /// How imports go, one after the other; the last one for all that follow.
    pub(super) imports: Vec<Import>,
    /// The ways to import that it offers.
    pub(super) methods: Vec<&'static str>,
    /// The target's own keys.
    pub(super) config: Option<Value>,
    /// Notes of an earlier run.
    pub(super) notes: Vec<Note>,
    pub(super) record: Option<Value>,
    pub(super) failure: Option<&'static str>,
    /// The first token has ended, as an upload was told.
    pub(super) expired: bool,
    /// What the record turns into after so many looks at it.
    pub(super) later: Option<(usize, Value)>,
    /// The record that another run makes after the look for the key and before the look for the name.
    pub(super) twin: Option<Value>,
    /// A file that somebody writes while the record is made.
    pub(super) rewritten: Option<PathBuf>,
    pub(super) burnt: Vec<String>,
}

/// What an import does to the record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Import {
    Works,
    /// It brings other data than those that were staged.
    Wrong,
    /// The record ends in this state.
    Fails(&'static str),
    Hangs,
    /// It is refused with this status.
    Refused(u16),
    /// Staging is refused with this status.
    Unstaged(u16),
}

/// What an upload does to the record, and the answer.
pub(super) struct Upload {
    record: Value,
    answer: u16,
}

pub(super) fn upload(status: &str, answer: u16) -> Upload {
    Upload { record: json!({"status": status}), answer }
}

pub(super) fn change(record: &mut Value, changes: Value) {
    record.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
}

impl Broken {
    fn answer(&mut self, request: &Seen) -> Answer {
        let ok = |status: u16, body: &Value| (status, String::new(), body.to_string());
        if self.expired && request.token.ends_with("-1") {
            return (401, String::new(), String::new());
        }
        match request.line.split_once(' ').unwrap_or_default() {
            ("GET", path) if path.starts_with("/v2/images?") => {
                let by_name = path.contains("name=");
                if let Some(twin) = self.twin.take_if(|_| by_name) {
                    self.record = Some(twin);
                    return ok(200, &json!({"images": [self.record]}));
                }
                let shown = self.record.iter().filter(|_| path.contains("os_hidden=false") && !by_name);
                ok(200, &json!({"images": shown.collect::<Vec<_>>()}))
            }
            ("GET", "/v2/info/import") => ok(200, &json!({"import-methods": {"value": self.methods}})),
            ("GET", path) if path.ends_with("/tasks") => {
                let tasks = self.failure.iter().map(|message| json!({"status": "failure", "message": message}));
                ok(200, &json!({"tasks": tasks.collect::<Vec<_>>()}))
            }
            ("PUT", path) if path.ends_with("/stage") => match self.imports.first() {
                Some(Import::Unstaged(status)) => (*status, String::new(), String::new()),
                _ => {
                    let checksum = hex(&Md5::digest(&request.body));
                    let staged = json!({"status": "uploading", "size": request.body.len(), "checksum": checksum});
                    change(self.record.as_mut().unwrap(), staged);
                    (204, String::new(), String::new())
                }
            },
            ("POST", path) if path.ends_with("/import") => self.import(),
            ("POST", _) => {
                let mut record: Value = serde_json::from_str(&request.body).unwrap();
                if self.burnt.iter().any(|id| record["id"] == **id) {
                    return (409, String::new(), String::new());
                }
                change(&mut record, json!({"status": "queued", "owner": "p1"}));
                self.record = Some(record.clone());
                if let Some(path) = self.rewritten.take() {
                    std::fs::write(path, [b'b'; SIZE]).unwrap();
                }
                ok(201, &record)
            }
            ("PUT", _) => {
                let upload = if self.uploads.is_empty() { upload("active", 204) } else { self.uploads.remove(0) };
                let checksum = hex(&Md5::digest(&request.body));
                let record = self.record.as_mut().unwrap();
                change(record, json!({"size": request.body.len(), "checksum": checksum}));
                change(record, upload.record);
                self.expired |= upload.answer == 401;
                (upload.answer, String::new(), String::new())
            }
            ("DELETE", path) => {
                self.burnt.push(path.trim_start_matches("/v2/images/").to_owned());
                self.record = None;
                (204, String::new(), String::new())
            }
            _ => self.look(),
        }
    }

    fn import(&mut self) -> Answer {
        let record = self.record.as_mut().unwrap();
        let way = if self.imports.len() > 1 { self.imports.remove(0) } else { self.imports[0] };
        match way {
            Import::Works => {
                let checksum = hex(&Md5::digest([b'a'; SIZE]));
                change(record, json!({"status": "active", "size": SIZE, "checksum": checksum}));
            }
            Import::Wrong => change(record, json!({"status": "active", "size": SIZE, "checksum": "00"})),
            Import::Fails(status) => {
                change(record, json!({"status": status}));
                self.failure = Some("the store is full");
            }
            Import::Hangs => change(record, json!({"status": "importing", "os_glance_import_task": "t1"})),
            Import::Refused(status) | Import::Unstaged(status) => return (status, String::new(), String::new()),
        }
        (202, String::new(), String::new())
    }

    fn look(&mut self) -> Answer {
        let Some(record) = &mut self.record else { return (404, String::new(), String::new()) };
        match self.later.take() {
            Some((0, changes)) => change(record, changes),
            Some((left, changes)) => self.later = Some((left - 1, changes)),
            None => {}
        }
        (200, String::new(), record.to_string())
    }
}

/// Keeps what is said to people.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>, Mutex<Vec<Note>>);

impl Progress for Heard {
    fn advanced(&self, _done: u64, _total: u64) {}

    fn says(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

#[async_trait]
impl Notes for Heard {
    async fn write(&self, note: Note) -> Result<()> {
        self.1.lock().unwrap().push(note);
        Ok(())
    }

    fn earlier(&self) -> Vec<Note> {
        self.1.lock().unwrap().clone()
    }
}

pub(super) const SIZE: usize = 512;

/// What came of the last of some tries to upload 512 bytes.
pub(super) struct Outcome {
    sent: Result<u64>,
    deleted: usize,
    pub(super) said: Vec<String>,
    pub(super) seen: Vec<Seen>,
}

impl Outcome {
    pub(super) fn short(self) -> (Result<u64, (Kind, Retry)>, usize) {
        (self.sent.map_err(|error| (error.kind(), error.retry())), self.deleted)
    }

    pub(super) fn error(self) -> (Error, usize) {
        (self.sent.unwrap_err(), self.deleted)
    }
}

async fn uploaded(uploads: Vec<Upload>, tries: usize) -> Outcome {
    uploaded_to(Broken { uploads, ..Broken::default() }, tries).await
}

pub(super) async fn uploaded_to(mut broken: Broken, tries: usize) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.raw");
    std::fs::write(&path, [b'a'; SIZE]).unwrap();
    let disk = Arc::new(Disk::open(&DiskSource::new(path.clone(), Format::Raw)).unwrap());
    broken.rewritten = broken.rewritten.map(|_| path);
    let (config, notes) = (broken.config.take(), std::mem::take(&mut broken.notes));
    let broken = Arc::new(Mutex::new(broken));
    let server = broken.clone();
    let stub = Stub::start(3600, move |request| server.lock().unwrap().answer(request)).await;
    let request = UploadRequest { image: Arc::new(spec()), region: region(), disk };
    let clock = Arc::new(FastClock::new("2026-01-01T00:00:00Z".parse().unwrap(), 2000));
    let heard = Arc::new(Heard(Mutex::default(), Mutex::new(notes)));
    let context = Context::new(CancellationToken::new(), clock, heard.clone(), heard.clone());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut settings = stub.settings();
    if let Some(config) = config {
        settings.config = serde_json::from_value(config).unwrap();
    }
    let target = OpenStack::new(settings).unwrap();
    let mut outcome = target.upload(&context, &request).await;
    for _ in 1..tries {
        outcome = target.upload(&context, &request).await;
    }
    let deleted = broken.lock().unwrap().burnt.len();
    let said = heard.0.lock().unwrap().clone();
    Outcome { sent: outcome.map(|staged| staged.sent), deleted, said, seen: stub.seen() }
}

#[tokio::test]
async fn a_fresh_record_that_glance_failed_at_is_kept_for_another_try() {
    let (outcome, deleted) = uploaded(vec![upload("queued", 500)], 1).await.short();
    assert_eq!((outcome, deleted), (Err((Kind::Unavailable, Retry::After(None))), 0));
    assert_eq!(uploaded(vec![upload("queued", 500)], 2).await.short(), (Ok(512), 0));
}

#[tokio::test]
async fn a_record_that_glance_failed_at_twice_is_replaced_by_the_next_generation() {
    let twice = vec![upload("queued", 500), upload("queued", 500)];
    assert_eq!(uploaded(twice, 2).await.short(), (Ok(512), 1));
}

#[tokio::test]
async fn a_record_that_is_published_is_not_removed_whatever_glance_answered() {
    for published in [json!({"visibility": "public"}), json!({"cloud-publish-published": "2026-01-01T00:00:00Z"})] {
        let twice = vec![upload("queued", 500), Upload { record: with_status("queued", published), answer: 500 }];
        let (outcome, deleted) = uploaded(twice, 2).await.short();
        assert_eq!((outcome, deleted), (Err((Kind::Conflict, Retry::Never)), 0));
    }
}

fn with_status(status: &str, mut changes: Value) -> Value {
    changes["status"] = json!(status);
    changes
}

#[tokio::test]
async fn a_record_that_somebody_else_is_filling_is_waited_for_and_never_deleted() {
    for answer in [409, 500] {
        let (outcome, deleted) = uploaded(vec![upload("saving", answer)], 1).await.short();
        assert_eq!((outcome, deleted), (Err((Kind::TimedOut, Retry::Never)), 0), "{answer}");
    }
}

#[tokio::test]
async fn an_upload_of_another_run_that_goes_on_while_ours_fails_is_taken_when_it_is_done() {
    let later = Some((20, json!({"status": "active"})));
    let outcome = uploaded_to(Broken { uploads: vec![upload("saving", 500)], later, ..Broken::default() }, 1).await;
    assert!(outcome.said.iter().any(|message| message.contains("somebody is uploading it")), "{:?}", outcome.said);
    assert_eq!(outcome.short(), (Ok(0), 0));
}

#[tokio::test]
async fn a_file_that_is_rewritten_before_it_is_sent_is_refused_and_what_arrived_is_deleted() {
    let broken = Broken { rewritten: Some(PathBuf::new()), ..Broken::default() };
    let (error, deleted) = uploaded_to(broken, 1).await.error();
    assert_eq!((error.kind(), deleted), (Kind::InvalidInput, 1));
    assert!(error.advice().is_some_and(|hint| hint.contains("run the same command again")), "{error:?}");
}

#[tokio::test]
async fn what_was_sent_and_did_not_arrive_is_deleted_unless_somebody_has_published_it() {
    let wrong = |more| Upload { record: with_status("active", more), answer: 204 };
    let (error, deleted) = uploaded(vec![wrong(json!({"checksum": "00"}))], 1).await.error();
    assert_eq!((error.kind(), deleted), (Kind::Corrupt, 1));
    let published = json!({"checksum": "00", "cloud-publish-published": "2026-01-01T00:00:00Z"});
    let (error, deleted) = uploaded(vec![wrong(published)], 1).await.error();
    assert_eq!((error.kind(), deleted), (Kind::Corrupt, 0));
    assert!(error.advice().is_some_and(|hint| hint.contains("look at image")), "{error:?}");
}

#[tokio::test]
async fn an_image_that_another_publisher_made_of_another_file_is_named_and_left_alone() {
    let config = serde_json::from_str(r#"{"cloud": "stub"}"#).unwrap();
    let mut record = body(&spec(), &config, (&place(), &region()), Uuid::nil()).unwrap();
    let theirs = "cd".repeat(64);
    change(
        &mut record,
        json!({"status": "active", "owner": "p1", "size": 400, "os_hash_algo": "sha512",
        "os_hash_value": theirs}),
    );
    let (error, deleted) = uploaded_to(Broken { record: Some(record), ..Broken::default() }, 1).await.error();
    assert_eq!((error.kind(), deleted), (Kind::Conflict, 0));
    for part in [Uuid::nil().to_string(), theirs, spec().file_sha512.unwrap()] {
        assert!(error.message().contains(&part), "{error}");
    }
    assert!(error.advice().is_some_and(|hint| hint.contains("openstack image delete")), "{error:?}");
}

#[tokio::test]
async fn a_record_that_another_run_begins_to_fill_just_before_its_removal_is_waited_for() {
    let uploads = vec![upload("queued", 500), upload("queued", 500)];
    // One look after the first try, one after the second, and the one before the removal.
    let later = Some((2, json!({"status": "saving"})));
    let outcome = uploaded_to(Broken { uploads, later, ..Broken::default() }, 2).await;
    assert_eq!(outcome.short(), (Err((Kind::TimedOut, Retry::Never)), 0));
}

#[tokio::test]
async fn an_image_that_another_run_makes_while_we_look_is_taken_and_its_name_is_not_foreign() {
    let config = serde_json::from_str(r#"{"cloud": "stub"}"#).unwrap();
    let mut twin = body(&spec(), &config, (&place(), &region()), Uuid::nil()).unwrap();
    let checksum = hex(&Md5::digest([b'a'; SIZE]));
    change(&mut twin, json!({"status": "active", "owner": "p1", "size": SIZE, "checksum": checksum}));
    let outcome = uploaded_to(Broken { twin: Some(twin), ..Broken::default() }, 1).await;
    assert_eq!(outcome.short(), (Ok(0), 0));
}

#[tokio::test]
async fn a_token_that_ends_before_the_bytes_are_sent_is_replaced_and_they_are_sent_again() {
    let outcome = uploaded(vec![upload("queued", 401), upload("active", 204)], 1).await;
    let signed_in = outcome.seen.iter().filter(|request| request.line == "POST /v3/auth/tokens").count();
    assert_eq!((outcome.short(), signed_in), ((Ok(512), 0), 2));
}
