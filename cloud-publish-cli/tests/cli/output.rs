//! Colours, logging, and readers that went away.

use std::io::Read as _;
use std::process::Stdio;

use crate::place::{Place, RELEASE, Ran};

const ESCAPE: char = '\u{1b}';

fn is_coloured(ran: &Ran) -> bool {
    ran.out.contains(ESCAPE) || ran.err.contains(ESCAPE)
}

#[test]
fn colours_are_shown_only_when_they_are_wanted() {
    let place = Place::new();
    let status = |option: &str, variable: Option<(&str, &str)>| {
        let mut command = place.command(&format!("status --release {RELEASE} {option}"));
        command.envs(variable);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.err);
        is_coloured(&ran)
    };
    assert!(!status("", None), "a pipe is no terminal");
    assert!(status("--color always", None));
    assert!(status("", Some(("CLICOLOR_FORCE", "1"))));
    assert!(!status("--color never", Some(("CLICOLOR_FORCE", "1"))));
    assert!(!status("", Some(("NO_COLOR", "1"))));
}

#[test]
fn logging_works_together_with_colours() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to local -vvv --color always"));
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_reader_that_went_away_does_not_disturb_a_publication() {
    let place = Place::new();
    let mut child = place
        .command(&format!("--release {RELEASE} --to local --json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(!err.contains("error"), "{err}");
    assert!(place.path("public/bookworm/latest").exists());
}

#[test]
fn a_full_standard_output_is_reported() {
    let place = Place::new();
    place.publish();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::of(place.command("find").stdout(full).output().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: could not write to standard output"), "{}", ran.err);
}
