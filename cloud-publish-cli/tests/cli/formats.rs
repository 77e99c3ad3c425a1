//! A directory that offers each disk in several formats.

use std::fs;

use crate::place::{Place, RELEASE, assert_shown};

fn with_formats(formats: &str) -> Place {
    let place = Place::new();
    place.configure(&format!("formats = {formats}\n"));
    place
}

#[test]
fn a_release_is_published_in_four_formats_proven_and_left_alone_by_a_rerun() {
    let place = with_formats(r#"["as-is", "qcow2", "vhd", "gce-tar-gz"]"#);
    let ran = place.run(&format!("--release {RELEASE} --to local --no-progress"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE                     STATE      ID
    local   local   generic-amd64             published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    local   local   generic-amd64.gce-tar-gz  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.tar.gz
    local   local   generic-amd64.qcow2       published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.qcow2
    local   local   generic-amd64.vhd         published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.vhd
    -- stderr
    plan for bookworm-20240101:
      local: 4 images to 1 region, 4 MiB to send; 17 steps
    complete: bookworm-20240101: 4 of 4 images published, [TIME]
    next: `publish verify --release bookworm-20240101` compares it with the manifest any time
    "#);
    let proven = place.run(&format!("verify --release {RELEASE} --prove --no-progress"));
    assert_shown!(place, proven, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE                     VERDICT  ID
    local   local   generic-amd64             correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
        content read back: sha256:[HEX]
    local   local   generic-amd64.gce-tar-gz  correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.tar.gz
        content read back: sha256:[HEX]
    local   local   generic-amd64.qcow2       correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.qcow2
        content read back: sha256:[HEX]
    local   local   generic-amd64.vhd         correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.vhd
        content read back: sha256:[HEX]
    -- stderr
    4 images as the manifest says
    "#);
    let before = place.tree();
    assert_eq!(place.publish().code, 0);
    place.assert_unchanged(&before);
    let catalogue = fs::read_to_string(place.path("state/catalogue.json")).unwrap();
    for rendition in ["as-is", "qcow2", "vhd", "gce-tar-gz"] {
        assert!(catalogue.contains(&format!("\"rendition\": \"{rendition}\"")), "{rendition}");
    }
}

#[test]
fn a_format_that_is_configured_later_is_the_only_thing_that_a_rerun_adds() {
    let place = with_formats(r#"["as-is"]"#);
    place.publish();
    let before = place.tree();
    place.replace("publish.toml", r#"["as-is"]"#, r#"["as-is", "qcow2"]"#);
    let ran = place.run(&format!("--release {RELEASE} --to local --no-progress"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE                STATE      ID
    local   local   generic-amd64        published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    local   local   generic-amd64.qcow2  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.qcow2
    -- stderr
    plan for bookworm-20240101:
      local: 1 image to 1 region, 1 MiB to send; 4 steps
    complete: bookworm-20240101: 2 of 2 images published, [TIME]
    next: `publish verify --release bookworm-20240101` compares it with the manifest any time
    "#);
    let after = place.tree();
    let image =
        |extension: &str| format!("public/bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.{extension}");
    assert_eq!(after[&image("raw")], before[&image("raw")]);
    assert!(after.contains_key(&image("qcow2")) && !before.contains_key(&image("qcow2")));
    let proven = place.run(&format!("verify --release {RELEASE} --prove --no-progress"));
    assert_eq!(proven.code, 0, "{}", proven.err);
}

#[test]
fn check_and_publish_refuse_two_formats_that_would_be_one_file() {
    let place = with_formats(r#"["as-is", "raw"]"#);
    let ran = place.run("check");
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: `as-is` and `raw` would be one file of an artifact, `.raw` (artifact generic-amd64, target local)
    hint: leave out one of them: `as-is` is the file as given, all others are made anew of the disk
    1 problem
    "#);
    let before = place.tree();
    let ran = place.run(&format!("--release {RELEASE} --to local --no-progress"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    plan for bookworm-20240101:
      local: 2 images to 1 region, 2 MiB to send; 9 steps
    error: local in local: two images would be called bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    hint: let naming.image have {variant} and {arch} in it, and `formats` not both as-is and the own format
    refused: bookworm-20240101: 0 of 2 images published, [TIME]
    next: nothing was changed; mend what is named above, then run the same command again
    "#);
    place.assert_unchanged(&before);
}
