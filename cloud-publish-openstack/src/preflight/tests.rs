use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{Context, PreflightRequest, Probe, Publisher as _, Severity};
use serde_json::{Value, json};

use crate::publisher::OpenStack;
use crate::stub::{Stub, region};
use crate::testing::spec;

/// A Glance with these images and no quotas.
async fn glance(images: Value) -> Stub {
    let answer = json!({"images": images, "usage": {}}).to_string();
    Stub::start(3600, move |_| (200, String::new(), answer.clone())).await
}

fn request(probe: Probe) -> PreflightRequest {
    PreflightRequest { additions: vec![(Arc::new(spec()), region())], exposures: Vec::new(), probe }
}

#[tokio::test]
async fn a_cloud_whose_certificates_are_not_checked_is_warned_of() {
    let stub = glance(json!([])).await;
    let mut settings = stub.settings();
    assert_eq!(stub.target().preflight(&Context::detached(), &request(Probe::ReadOnly)).await.unwrap(), []);
    settings.cloud.verify = false;
    let target = OpenStack::new(settings).unwrap();
    let found = target.preflight(&Context::detached(), &request(Probe::ReadOnly)).await.unwrap();
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!((finding.severity, finding.region.clone()), (Severity::Warning, None));
    assert!(finding.message.contains("verify: false"), "{finding:?}");
}

#[tokio::test]
async fn a_dead_record_holds_no_name() {
    for (status, findings) in [("killed", 0), ("pending_delete", 0), ("deleted", 0), ("active", 1)] {
        let holder = json!({"id": "i", "status": status, "visibility": "private", "owner": "p1",
            "name": spec().name.as_str()});
        let stub = glance(json!([holder])).await;
        let found = stub.target().preflight(&Context::detached(), &request(Probe::ReadOnly)).await.unwrap();
        assert_eq!(found.len(), findings, "{status}: {found:?}");
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_probes_still_deletes_the_probe() {
    let context = Context::detached();
    let plug = context.cancellation().clone();
    let stub = Stub::start(3600, move |request| match request.line.as_str() {
        "POST /v2/images" => {
            plug.cancel();
            (201, String::new(), json!({"id": "probe", "status": "queued", "visibility": "public"}).to_string())
        }
        _ => (200, String::new(), json!({"images": [], "usage": {}}).to_string()),
    })
    .await;
    let stopped = stub.target().preflight(&context, &request(Probe::MayWrite)).await.unwrap_err();
    assert_eq!(stopped.kind(), Kind::Cancelled);
    let deleted = stub.seen().iter().any(|request| request.line == "DELETE /v2/images/probe");
    assert!(deleted, "{:?}", stub.seen());
}
