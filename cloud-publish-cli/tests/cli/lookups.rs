//! `status`, `verify`, `schema`: looking without changing.

use std::fs;

use crate::place::{Place, RELEASE, assert_shown};

#[test]
fn status_shows_what_the_next_run_would_do() {
    let place = Place::new();
    let before = place.tree();
    let ran = place.run(&format!("status --release {RELEASE}"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    IMAGE          REGION  STATE    ID
    local:
    generic-amd64  local   missing  -
    -- stderr
    surveying local
    the next run: 1 upload (1 MiB), 1 register, 1 set-visibility, 1 mark-published, 1 point
    next: `publish --release bookworm-20240101 --to local`
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn status_shows_what_is_published() {
    let place = Place::new();
    place.publish();
    let ran = place.run(&format!("status --release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    IMAGE          REGION  STATE      ID
    local:
    generic-amd64  local   published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    surveying local
    nothing to do: all of bookworm-20240101 is published
    "#);
}

#[test]
fn verify_finds_a_published_release_correct() {
    let place = Place::new();
    place.publish();
    let ran = place.run(&format!("verify --release {RELEASE}"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          VERDICT  ID
    local   local   generic-amd64  correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    surveying local
    1 image as the manifest says; its content was not read (--prove reads it)
    "#);
}

#[test]
fn verify_can_read_the_content_back() {
    let place = Place::new();
    place.publish();
    let ran = place.run(&format!("verify --release {RELEASE} --prove"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          VERDICT  ID
    local   local   generic-amd64  correct  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
        content read back: sha256:[HEX]
    -- stderr
    surveying local
    1 image as the manifest says
    "#);
}

#[test]
fn verify_notices_an_image_that_was_removed() {
    let place = Place::new();
    place.publish();
    fs::remove_file(place.path("public/bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw")).unwrap();
    let ran = place.run(&format!("verify --release {RELEASE}"));
    assert_shown!(place, ran, @r#"
    exit: 1
    -- stdout
    TARGET  REGION  IMAGE          VERDICT    ID
    local   local   generic-amd64  incorrect  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
        state is staged, should be published
        attribute file is absent, should be debian-12-generic-amd64-20240101-1614.raw
        attribute sha512 is absent, should be ebbd2c134c90c5986af1dbc93c49cef42ae42a932fed7ed75058d9fcb27437f2d2cd374fea65d37833bcdd2791a128a9055186994c0182100988b5edb698af49
        attribute size is absent, should be 1048576
        its file [FOLDER]/public/bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw is missing: put it back, or move [FOLDER]/public/bookworm/20240101-1614 away, and it is made anew
    -- stderr
    surveying local
    1 of 1 image not as the manifest says
    next: `publish --release bookworm-20240101 --to local` would be refused; with --dry-run it says what to do about it
    "#);
}

#[test]
fn verify_notices_content_that_was_changed_only_when_it_is_read_back() {
    let place = Place::new();
    place.publish();
    let file = place.path("public/bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw");
    let mut content = fs::read(&file).unwrap();
    *content.last_mut().unwrap() = 1;
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&file, permissions).unwrap();
    fs::write(&file, content).unwrap();
    let ran = place.run(&format!("verify --release {RELEASE} --prove"));
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("incorrect"), "{}", ran.out);
}

#[test]
fn verify_calls_what_was_never_published_missing() {
    let place = Place::new();
    let ran = place.run(&format!("verify --release {RELEASE}"));
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("missing"), "{}", ran.out);
}

#[test]
fn schemas_of_both_files_are_printed() {
    let place = Place::new();
    let schema = |line: &str| -> serde_json::Value { serde_json::from_str(&place.run(line).out).unwrap() };
    assert!(schema("schema release").pointer("/properties/artifact").is_some());
    let providers = schema("schema config").pointer("/properties/target/additionalProperties/oneOf").cloned().unwrap();
    let names: Vec<_> = providers
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target.pointer("/properties/provider/const").unwrap().as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"local".to_owned()), "{names:?}");
}
