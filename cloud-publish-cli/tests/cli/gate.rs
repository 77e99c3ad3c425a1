//! Gates and approvals: what the command says, writes and leaves running.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::place::{Place, RELEASE, Ran, assert_shown};

/// How long anything may take before a test counts as hanging.
const PATIENCE: Duration = Duration::from_secs(300);

/// A release whose gate is this shell script, beside publish.toml.
fn gated(script: &str) -> Place {
    let place = Place::new();
    write_gate(&place, script);
    place.configure("[target.local.gate]\ncommand = [\"./gate\", \"--fast\"]\n");
    place
}

/// Writes the gate by another process: a file that this one has open for writing while another test forks could not be
/// executed.
fn write_gate(place: &Place, script: &str) {
    let file = place.path("gate");
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"]).arg(file).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
    assert!(shell.wait().unwrap().success());
}

fn publish(place: &Place) -> Ran {
    place.run(&format!("--release {RELEASE} --to local --no-progress"))
}

fn is_public(place: &Place) -> bool {
    place.path("public/bookworm/latest").exists()
}

#[test]
fn a_gate_that_passes_lets_the_release_become_public() {
    let place = gated("test \"$1\" = --fast && cat > asked.json && ! test -e public/bookworm/latest");
    let ran = publish(&place);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(is_public(&place));
    let asked: serde_json::Value = serde_json::from_slice(&fs::read(place.path("asked.json")).unwrap()).unwrap();
    assert_eq!((&asked["release"], &asked["target"]), (&json!(RELEASE), &json!("local")));
    assert_eq!(asked["images"][0]["region"], "local");
    write_gate(&place, "exit 1");
    assert_eq!(publish(&place).code, 0, "what is published needs no gate");
}

#[test]
fn a_gate_that_fails_is_reported_with_its_last_lines_and_where_all_of_them_are() {
    let place = gated("echo booting; echo 'kernel panic' >&2; exit 3");
    let ran = publish(&place);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9A-HJKMNP-TV-Z]{26}/\d{10}", "[RUN]");
    settings.bind(|| {
        assert_shown!(place, ran, @r#"
        exit: 1
        -- stdout
        TARGET  REGION  IMAGE          STATE       ID
        local   local   generic-amd64  registered  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
        -- stderr
        plan for bookworm-20240101:
          local: 1 image to 1 region, 1 MiB to send; 6 steps
        error: local/generic-amd64/gate failed at local
          caused by: the gate did not let it pass: it ended with exit code 3: it said
            booting
            kernel panic
        hint: all that it printed is in state/gate/v1/bookworm-20240101/[RUN]-local-generic-amd64-gate.log; the same command later asks it again
        incomplete: bookworm-20240101: 0 of 1 image published, [TIME]
        next: run the same command again: it does what is still missing and nothing else
        "#);
    });
    assert!(!is_public(&place));
    let status = place.run(&format!("status --release {RELEASE}"));
    assert!(status.out.contains("the gate did not let it pass: it ended with exit code 3 ("), "{}", status.out);
    write_gate(&place, "exit 0");
    assert_eq!(publish(&place).code, 0, "the same command asks again");
}

#[test]
fn a_format_that_the_gate_refused_stays_private_when_nobody_asks_for_it_any_more() {
    let place = Place::new();
    write_gate(&place, "! grep -q '\"rendition\": *\"vhd\"'");
    place.configure("formats = [\"as-is\", \"vhd\"]\n[target.local.gate]\ncommand = [\"./gate\"]\n");
    let ran = publish(&place);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(!is_public(&place));
    place.replace("publish.toml", "[\"as-is\", \"vhd\"]", "[\"as-is\"]");
    let ran = publish(&place);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let sums = fs::read_to_string(place.path("public/bookworm/latest/SHA512SUMS")).unwrap();
    let name = "debian-12-generic-amd64-20240101-1614";
    let listed: Vec<&str> = sums.lines().filter_map(|line| Some(line.split_once("  ")?.1)).collect();
    assert_eq!(listed, [format!("{name}.json"), format!("{name}.raw")]);
    let public = |path: &String| path.starts_with("public/") && path.ends_with(".vhd");
    assert!(!place.tree().keys().any(public), "{:?}", place.tree().keys());
}

#[test]
fn not_yet_is_exit_code_4_and_an_outcome_of_its_own() {
    let place = gated("echo in review; exit 75");
    let ran = place.run(&format!("--release {RELEASE} --to local --json -q"));
    assert_eq!((ran.code, ran.err.as_str()), (4, ""));
    let summary = ran.summary();
    assert_eq!((&summary["outcome"], &summary["images"][0]["state"]), (&json!("waiting"), &json!("registered")));
    assert_eq!(summary["failures"][0]["step"], "local/generic-amd64/gate");
    let answered = ran.events().into_iter().find(|event| event["event"] == "gate_answered").unwrap();
    assert_eq!((&answered["answer"], &answered["reason"]), (&json!("not_yet"), &json!("it ended with exit code 75")));
    let output = place.path("state").join(answered["output"].as_str().unwrap());
    assert_eq!(fs::read_to_string(output).unwrap(), "in review\n");
    assert!(ran.events().iter().any(|event| event["event"] == "step_waits"));
    let before = place.tree();
    let plan = place.run(&format!("plan --release {RELEASE}"));
    assert!(plan.out.contains("the gate says not yet: it ended with exit code 75 ("), "{}", plan.out);
    place.assert_unchanged(&before);
    write_gate(&place, "exit 0");
    assert_eq!(publish(&place).code, 0);
}

#[test]
fn a_gate_that_cannot_be_started_refuses_the_run_and_check_finds_it_too() {
    let place = Place::new();
    place.configure("[target.local.gate]\ncommand = [\"./gate\"]\n");
    let before = place.tree();
    let ran = publish(&place);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("the gate's command cannot be found"), "{}", ran.err);
    let check = place.run("check");
    assert!(check.code == 2 && check.err.contains("the gate's command cannot be found"), "{}", check.err);
    fs::write(place.path("gate"), "exit 0").unwrap();
    assert!(publish(&place).err.contains("the gate's command is not executable"));
    fs::remove_file(place.path("gate")).unwrap();
    place.assert_unchanged(&before);
}

#[test]
fn a_gate_that_is_not_on_the_path_refuses_the_run_and_check_finds_it_too() {
    let place = Place::new();
    place.configure("[target.local.gate]\ncommand = [\"gaet-of-nobody\"]\n");
    let before = place.tree();
    for line in ["check".to_owned(), format!("--release {RELEASE} --to local --yes")] {
        let ran = place.run(&line);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("the gate's command cannot be found by PATH (program gaet-of-nobody"), "{}", ran.err);
    }
    place.assert_unchanged(&before);
    place.replace("publish.toml", "gaet-of-nobody", "true");
    assert_eq!(publish(&place).code, 0);
}

#[test]
fn a_release_waits_for_its_approval_and_is_published_after_it() {
    let place = Place::new();
    place.configure("approve = true\n");
    let ran = publish(&place);
    assert_shown!(place, ran, @r#"
    exit: 4
    -- stdout
    TARGET  REGION  IMAGE          STATE       ID
    local   local   generic-amd64  registered  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    plan for bookworm-20240101:
      local: 1 image to 1 region, 1 MiB to send; 6 steps
    waiting: local/generic-amd64/approve: nobody has approved it yet
    hint: look at it; `publish approve --release bookworm-20240101 --target local` approves it, then run the same command again
    waiting: bookworm-20240101: 0 of 1 image published, [TIME]
    next: run the same command again later: it continues where this one waits
    "#);
    assert!(!is_public(&place));
    let status = place.run(&format!("status --release {RELEASE} --no-progress"));
    assert!(
        status.out.contains("waiting for `publish approve --release bookworm-20240101 --target local`"),
        "{}",
        status.out
    );
    let before = place.tree();
    let dry = place.run(&format!("approve --release {RELEASE} --target local --by alice --dry-run"));
    assert_eq!(dry.code, 0, "{}", dry.err);
    place.assert_unchanged(&before);
    let approved = place.run(&format!("approve --release {RELEASE} --target local --by alice --no-progress"));
    assert_shown!(place, approved, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          ID
    local   local   generic-amd64  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
        content sha256:[HEX]
    -- stderr
    approved by alice: 1 image
    next: `publish --release bookworm-20240101 --to local` goes on
    "#);
    assert_eq!(publish(&place).code, 0);
    assert!(is_public(&place));
    let receipts = fs::read_to_string(place.path(&format!("state/releases/{RELEASE}.json"))).unwrap();
    assert!(receipts.contains("\"by\": \"alice\""), "who approved is in the receipts");
}

#[test]
fn several_images_that_wait_have_their_hint_once() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    place.configure("approve = true\n");
    let ran = publish(&place);
    let often = |text: &str| ran.err.matches(text).count();
    assert_eq!((ran.code, often("nobody has approved it yet"), often("hint: ")), (4, 2, 1), "{}", ran.err);
}

#[cfg(feature = "openstack")]
#[test]
fn a_target_that_needs_no_approval_is_told_from_the_configuration_alone() {
    let place = Place::new();
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"nowhere\"\n");
    let ran = place.run(&format!("approve --release {RELEASE} --to openstack --by alice"));
    assert!(ran.code == 2 && ran.err.contains("the target openstack needs no approval"), "{}", ran.err);
}

#[test]
fn what_cannot_be_approved_is_refused_with_the_next_step() {
    let place = Place::new();
    let refused = |says: &str, hint: &str| {
        let before = place.tree();
        let ran = place.run(&format!("approve --release {RELEASE} --target local --by alice"));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(says) && ran.err.contains(hint), "{}", ran.err);
        place.assert_unchanged(&before);
    };
    refused("the target local needs no approval", "`approve = true`");
    place.configure("approve = true\n");
    refused("has nothing yet that could be approved", "`publish --release bookworm-20240101 --to local`");
    assert_eq!(publish(&place).code, 4);
    let nobody = place
        .command(&format!("approve --release {RELEASE} --target local"))
        .env_remove("USER")
        .env_remove("LOGNAME")
        .output();
    let nobody = Ran::of(nobody.unwrap());
    assert!(nobody.code == 2 && nobody.err.contains("--by"), "{}", nobody.err);
    assert!(!nobody.err.contains("surveying"), "no target is asked before: {}", nobody.err);
    let user = place.command(&format!("approve --release {RELEASE} --to local --json -q")).env("USER", "bob").output();
    let lines = Ran::of(user.unwrap()).events();
    assert_eq!(
        (&lines[0]["event"], &lines[0]["by"], &lines[1]["outcome"]),
        (&json!("approved"), &json!("bob"), &json!("complete"))
    );
    refused("has nothing that waits for an approval", "`publish status --release bookworm-20240101 --to local`");
}

/// Waits until something is the case.
#[expect(clippy::disallowed_methods, reason = "what is waited for happens in other processes")]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The numbers of the processes that a gate has written into the file `children`.
fn children(place: &Place, count: usize) -> Vec<u32> {
    let text = || fs::read_to_string(place.path("children")).unwrap_or_default();
    wait_until("the gate does not begin", || text().ends_with('\n') && text().lines().count() == count);
    text().lines().map(|line| line.parse().unwrap()).collect()
}

fn assert_gone(numbers: &[u32]) {
    let runs = |number: &u32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    };
    wait_until("a child of the gate runs on", || !numbers.iter().any(runs));
}

/// Starts a child that starts another, and hangs, once; passes when it is asked again.
const HANGS: &str = "test -e children && exit 0
echo $$ >> children
sh -c 'echo $$ >> children; sleep 100000 & echo $! >> children; wait' &
wait";

#[test]
fn a_signal_ends_the_gate_with_its_children_and_the_same_command_continues() {
    let place = gated(HANGS);
    let line = format!("--release {RELEASE} --to local --json -q");
    let child = place.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let numbers = children(&place, 3);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &ran.summary()["outcome"]), (1, &json!("incomplete")));
    assert_gone(&numbers);
    assert!(!is_public(&place));
    assert_eq!(publish(&place).code, 0);
}

#[test]
fn a_command_that_is_killed_leaves_no_gate_behind_and_the_next_one_asks_again() {
    let place = gated(HANGS);
    let line = format!("--release {RELEASE} --to local --json -q");
    let mut child = place.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let numbers = children(&place, 3);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_gone(&numbers);
    assert!(!is_public(&place));
    let again = publish(&place);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(is_public(&place));
}
