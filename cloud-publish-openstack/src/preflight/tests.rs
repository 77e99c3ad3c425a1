use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, PreflightRequest, Probe, Publisher as _, Severity};
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

/// A target with these keys of its own, at a Glance that offers these imports and stores; without: that knows neither.
async fn findings(config: Value, offers: Option<(Value, Value)>, visibility: Visibility) -> Vec<Finding> {
    let stub = Stub::start(3600, move |request| match (request.line.as_str(), &offers) {
        ("GET /v2/info/import", Some((imports, _))) => {
            (200, String::new(), json!({"import-methods": {"value": imports}}).to_string())
        }
        ("GET /v2/info/stores", Some((_, stores))) => (200, String::new(), json!({"stores": stores}).to_string()),
        ("GET /v2/info/import" | "GET /v2/info/stores", None) => (404, String::new(), String::new()),
        _ => (200, String::new(), json!({"images": [], "usage": {}}).to_string()),
    })
    .await;
    let mut settings = stub.settings();
    settings.config = serde_json::from_value(config).unwrap();
    let spec = Arc::new(ImageSpec { visibility, ..spec() });
    let shown = vec![(spec, region())];
    let request = PreflightRequest { additions: shown.clone(), exposures: shown, probe: Probe::ReadOnly };
    OpenStack::new(settings).unwrap().preflight(&Context::detached(), &request).await.unwrap()
}

fn one(findings: &[Finding]) -> (Severity, &str) {
    let [finding] = findings else { panic!("one finding: {findings:?}") };
    assert!(finding.hint.is_some());
    (finding.severity, &finding.message)
}

#[tokio::test]
async fn imports_and_stores_that_a_cloud_does_not_have_are_named_with_those_it_has() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let two = || json!([{"id": "fast", "default": "true"}, {"id": "web", "read-only": "true"}]);
    let config = |stores: &[&str]| json!({"cloud": "stub", "upload": "import", "stores": stores});
    let good = findings(config(&["fast"]), Some((json!(["glance-direct"]), two())), Visibility::Public).await;
    assert_eq!(good, []);
    let none = findings(config(&["fast"]), Some((json!(["copy-image"]), two())), Visibility::Public).await;
    assert!(matches!(one(&none), (Severity::Warning, text) if text.contains("glance-direct")), "{none:?}");
    for missing in ["slow", "web"] {
        let found = findings(config(&[missing]), Some((json!(["glance-direct"]), two())), Visibility::Public).await;
        assert!(matches!(one(&found), (Severity::Error, text) if text.contains(missing)), "{found:?}");
    }
    let old = findings(json!({"cloud": "stub", "stores": ["fast"]}), None, Visibility::Public).await;
    assert!(matches!(one(&old), (Severity::Error, text) if text.contains("one store")), "{old:?}");
    for (url, said) in [("images/{version}", "images/20240101-1614"), ("https://joe:canary@x.example.org/", "a user")] {
        let config = json!({"cloud": "stub", "upload": "web-download", "web_download_url": url});
        let bad = findings(config, Some((json!(["web-download"]), two())), Visibility::Public).await;
        assert!(matches!(one(&bad), (Severity::Error, text) if text.contains(said)), "{bad:?}");
        assert!(!format!("{bad:?}").contains("canary"));
    }
}

#[tokio::test]
async fn sharing_with_a_name_or_with_oneself_is_warned_of() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (party, warned) in [("images", true), ("p1", true), ("4d4d5aacf03d485d9b9e70a4b015edcd", false)] {
        let shared = Visibility::SharedWith(vec![party.to_owned()]);
        let found = findings(json!({"cloud": "stub"}), None, shared).await;
        assert_eq!(found.len(), usize::from(warned), "{found:?}");
        assert!(found.iter().all(|finding| finding.severity == Severity::Warning && finding.message.contains(party)));
    }
}
