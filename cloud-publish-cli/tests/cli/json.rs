//! `--json`: one object per line, the last one the summary, whatever happens.

use serde_json::{Value, json};

use crate::place::{Place, RELEASE};

#[cfg(feature = "gce")]
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_last_line_says_what_is_where() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to local --json"));
    assert_eq!(ran.code, 0);
    let mut summary = ran.summary();
    let digest = summary["images"][0]["digest"].take();
    assert!(digest.as_str().unwrap().starts_with("sha256:"));
    let id = "bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw";
    assert_eq!(
        summary,
        json!({"event": "summary", "release": RELEASE, "outcome": "complete", "failures": [], "images": [{
            "target": "local", "provider": "local", "region": "local", "variant": "generic", "arch": "amd64",
            "rendition": "as-is",
            "id": id, "name": "debian-12-generic-amd64-20240101-1614", "state": "published", "digest": null,
        }]})
    );
}

#[test]
fn every_step_is_an_event_and_people_hear_nothing_when_quiet() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to local --json -q"));
    assert_eq!(ran.err, "");
    let events = ran.events();
    let done = events.iter().filter(|event| event["event"] == "step_done").count();
    assert_eq!(done, events.iter().filter(|event| event["event"] == "step_started").count());
    assert!(done >= 5, "{events:?}");
}

#[cfg(feature = "gce")]
#[test]
fn refusals_have_a_summary_too() {
    let place = Place::new();
    place.configure("[target.gce]\nprovider = \"gce\"\nproject = \"p\"\nbucket = \"b\"\n");
    let refused = |line: &str, step: &str, release: Value| {
        let ran = place.run(&format!("{line} --json -q"));
        assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{line}");
        let summary = ran.summary();
        assert_eq!(keys(&summary), ["event", "failures", "images", "outcome", "release"]);
        let expected = (&json!("refused"), &json!([]), &release);
        assert_eq!((&summary["outcome"], &summary["images"], &summary["release"]), expected, "{line}");
        let failure = &summary["failures"][0];
        assert_eq!(keys(failure), ["error", "hint", "region", "step", "target"]);
        assert_eq!(failure["step"], step, "{line}");
        assert!(failure["error"].is_string() && failure["hint"].is_string(), "{failure}");
    };
    refused(&format!("--release {RELEASE} --to nowhere"), "config", json!(RELEASE));
    refused(&format!("--release {RELEASE} --to gce"), "config", json!(RELEASE));
    refused("--release other --to local", "manifest", json!("other"));
    refused("--to local", "manifest", Value::Null);
    refused(&format!("status --release {RELEASE} --to nowhere"), "config", json!(RELEASE));
    place.replace(&format!("releases/{RELEASE}.toml"), "sha256 = \"", "sha256 = \"x");
    refused(&format!("--release {RELEASE} --to local"), "manifest", json!(RELEASE));
    place.replace(&format!("releases/{RELEASE}.toml"), "sha256 = \"x", "size = 5\nsha256 = \"");
    refused(&format!("verify --release {RELEASE} --to local"), "input", json!(RELEASE));
    place.replace("publish.toml", "owner", "ownr");
    refused(&format!("--release {RELEASE} --to local"), "config", json!(RELEASE));
}

#[test]
fn a_command_line_that_cannot_be_read_has_a_summary_too() {
    let ran = Place::new().run("--json --relase x");
    assert_eq!(ran.code, 2);
    assert_eq!(ran.summary()["failures"][0]["step"], "arguments");
}

#[test]
fn a_dry_run_that_would_do_something_is_incomplete_and_ends_with_0() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to local --dry-run --json -q"));
    let summary = ran.summary();
    assert_eq!((ran.code, &summary["outcome"]), (0, &json!("incomplete")));
    assert_eq!((&summary["images"][0]["state"], &summary["images"][0]["id"]), (&json!("absent"), &Value::Null));
}

#[test]
fn the_plan_is_one_object() {
    let place = Place::new();
    let ran = place.run(&format!("plan --release {RELEASE} --json -q"));
    let [plan] = ran.events().try_into().unwrap();
    assert_eq!((ran.code, &plan["schema"], &plan["steps"][0]["do"]), (0, &json!(1), &json!("upload")));
}

#[test]
fn status_and_verify_print_a_row_for_each_image() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    place.publish();
    for (verb, event) in [("status", "status"), ("verify", "checked")] {
        let ran = place.run(&format!("{verb} --release {RELEASE} --json -q"));
        let rows = ran.events().into_iter().filter(|line| line["event"] == event);
        let variants: Vec<Value> = rows.map(|mut row| row["variant"].take()).collect();
        assert_eq!(variants, ["generic", "nocloud"], "{verb}");
        assert_eq!((ran.code, &ran.summary()["outcome"]), (0, &json!("complete")), "{verb}");
    }
}

#[test]
fn what_verify_finds_wrong_is_a_failure() {
    let place = Place::new();
    let ran = place.run(&format!("verify --release {RELEASE} --json -q"));
    assert_eq!(ran.code, 1);
    let summary = ran.summary();
    assert_eq!((&summary["outcome"], &summary["failures"][0]["error"]), (&json!("incomplete"), &json!("missing")));
}

#[test]
fn find_prints_rows_with_the_documented_fields() {
    let place = Place::new();
    place.publish();
    let [row] = place.run("find --json").events().try_into().unwrap();
    let wanted = ["account", "arch", "class", "digest", "id", "name", "owner", "provider", "published_at", "region"];
    let missing: Vec<_> = wanted.into_iter().filter(|field| row[*field].is_null()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
