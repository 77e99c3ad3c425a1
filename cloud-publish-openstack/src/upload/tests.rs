use std::sync::{Arc, Mutex};

use cloud_publish_core::clock::FastClock;
use cloud_publish_core::disk::{Disk, DiskSource, Format};
use cloud_publish_core::error::{Kind, Retry};
use cloud_publish_core::publisher::{Context, Publisher as _, UploadRequest};
use serde_json::{Value, json};

use crate::stub::{Answer, Seen, Stub, region};
use crate::testing::spec;

/// A Glance with one record that answers the first uploads badly.
struct Broken {
    /// What an upload does to the record: its status after it, and the answer.
    uploads: Vec<(&'static str, u16)>,
    record: Option<Value>,
    burnt: Vec<String>,
}

impl Broken {
    fn answer(&mut self, request: &Seen) -> Answer {
        let ok = |status: u16, body: &Value| (status, String::new(), body.to_string());
        match request.line.split_once(' ').unwrap_or_default() {
            ("GET", path) if path.starts_with("/v2/images?") => {
                let shown = self.record.iter().filter(|_| path.contains("os_hidden=false") && !path.contains("name="));
                ok(200, &json!({"images": shown.collect::<Vec<_>>()}))
            }
            ("POST", _) => {
                let mut record: Value = serde_json::from_str(&request.body).unwrap();
                if self.burnt.iter().any(|id| record["id"] == **id) {
                    return (409, String::new(), String::new());
                }
                record["status"] = json!("queued");
                record["owner"] = json!("p1");
                self.record = Some(record.clone());
                ok(201, &record)
            }
            ("PUT", _) => {
                let (status, answer) = if self.uploads.is_empty() { ("active", 204) } else { self.uploads.remove(0) };
                let record = self.record.as_mut().unwrap();
                record["status"] = json!(status);
                record["size"] = json!(512);
                record["checksum"] = json!("bf619eac0cdf3f68d496ea9344137e8b");
                (answer, String::new(), String::new())
            }
            ("DELETE", path) => {
                self.burnt.push(path.trim_start_matches("/v2/images/").to_owned());
                self.record = None;
                (204, String::new(), String::new())
            }
            _ => self.record.as_ref().map_or((404, String::new(), String::new()), |record| ok(200, record)),
        }
    }
}

/// Uploads 512 zeros; the last id that was made, and how many were deleted.
async fn uploaded(uploads: Vec<(&'static str, u16)>, tries: usize) -> (Result<u64, (Kind, Retry)>, usize) {
    let broken = Arc::new(Mutex::new(Broken { uploads, record: None, burnt: Vec::new() }));
    let server = broken.clone();
    let stub = Stub::start(3600, move |request| server.lock().unwrap().answer(request)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.raw");
    std::fs::write(&path, [0; 512]).unwrap();
    let disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
    let request = UploadRequest { image: Arc::new(spec()), region: region(), disk };
    let context = Context::with_clock(Arc::new(FastClock::new("2026-01-01T00:00:00Z".parse().unwrap(), 2000)));
    let target = stub.target();
    let mut outcome = target.upload(&context, &request).await;
    for _ in 1..tries {
        outcome = target.upload(&context, &request).await;
    }
    let burnt = broken.lock().unwrap().burnt.len();
    (outcome.map(|staged| staged.sent).map_err(|error| (error.kind(), error.retry())), burnt)
}

#[tokio::test]
async fn a_record_that_glance_lost_while_saving_our_data_is_replaced_by_the_next_generation() {
    assert_eq!(uploaded(vec![("saving", 500)], 1).await, (Ok(512), 1));
}

#[tokio::test]
async fn a_fresh_record_that_glance_failed_at_is_kept_for_another_try() {
    let (outcome, deleted) = uploaded(vec![("queued", 500)], 1).await;
    assert_eq!((outcome, deleted), (Err((Kind::Unavailable, Retry::After(None))), 0));
    assert_eq!(uploaded(vec![("queued", 500)], 2).await, (Ok(512), 0));
}

#[tokio::test]
async fn a_record_that_glance_failed_at_twice_is_replaced_by_the_next_generation() {
    assert_eq!(uploaded(vec![("queued", 500), ("queued", 500)], 2).await, (Ok(512), 1));
}

#[tokio::test]
async fn a_record_that_somebody_else_is_filling_is_waited_for_and_never_deleted() {
    let (outcome, deleted) = uploaded(vec![("saving", 409)], 1).await;
    assert_eq!((outcome, deleted), (Err((Kind::TimedOut, Retry::Never)), 0));
}
