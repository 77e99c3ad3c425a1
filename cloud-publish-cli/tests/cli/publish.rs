//! Publishing, publishing again, and only looking.

use crate::place::{Place, RELEASE, assert_shown};

#[test]
fn a_release_is_published_with_one_command() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    let ran = place.run(&format!("--release {RELEASE} --to local --no-progress"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          STATE      ID
    local   local   generic-amd64  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    local   local   nocloud-amd64  published  bookworm/20240101-1614/debian-12-nocloud-amd64-20240101-1614.raw
    -- stderr
    plan for bookworm-20240101:
      local: 2 images to 1 region, 2 MiB to send; 9 steps
    complete: bookworm-20240101: 2 of 2 images published, [TIME]
    next: `publish verify --release bookworm-20240101` compares it with the manifest any time
    "#);
    let image = place.path("public/bookworm/latest/debian-12-generic-amd64-20240101-1614.raw");
    assert_eq!(std::fs::read(image).unwrap(), std::fs::read(place.path("releases/generic.raw")).unwrap());
}

#[test]
fn each_step_says_when_it_starts_and_when_it_is_done() {
    let place = Place::new();
    let ran = place.publish();
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          STATE      ID
    local   local   generic-amd64  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    surveying local
    checking local
    plan for bookworm-20240101:
      local: 1 image to 1 region, 1 MiB to send; 5 steps
    start  local/generic-amd64/local/upload
    done   local/generic-amd64/local/upload ([TIME])
    start  local/generic-amd64/local/register
    done   local/generic-amd64/local/register ([TIME]): bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    start  local/generic-amd64/local/set-visibility
    done   local/generic-amd64/local/set-visibility ([TIME])
    start  local/generic-amd64/local/mark-published
    done   local/generic-amd64/local/mark-published ([TIME])
    start  local/local/point/bookworm/latest
    done   local/local/point/bookworm/latest ([TIME])
    complete: bookworm-20240101: 1 of 1 image published, [TIME]
    next: `publish verify --release bookworm-20240101` compares it with the manifest any time
    "#);
}

#[test]
fn publishing_again_does_nothing_and_writes_nothing() {
    let place = Place::new();
    place.publish();
    let before = place.tree();
    let ran = place.publish();
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    TARGET  REGION  IMAGE          STATE      ID
    local   local   generic-amd64  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    surveying local
    nothing to do: all of bookworm-20240101 is published
    complete: bookworm-20240101: 1 of 1 image published, [TIME]
    next: `publish verify --release bookworm-20240101` compares it with the manifest any time
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let place = Place::new();
    let before = place.tree();
    let ran = place.run(&format!("--release {RELEASE} --to local --dry-run"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    -- stderr
    surveying local
    checking local
    plan for bookworm-20240101:
      local: 1 image to 1 region, 1 MiB to send; 5 steps
    dry run: nothing was written
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn a_plan_names_every_step_with_its_reason_and_writes_nothing() {
    let place = Place::new();
    let before = place.tree();
    let ran = place.run(&format!("plan --release {RELEASE}"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    local: 1 image to 1 region, 1 MiB to send; 5 steps
      STEP            IMAGE          REGION  REASON
      upload          generic-amd64  local   not there
      register        generic-amd64  local   not there
      barrier         -              all     nothing of the release is published here before all of it is there
      set-visibility  generic-amd64  local   not yet usable by those it is for
      mark-published  generic-amd64  local   the last write of a publication
      point           generic-amd64  local   bookworm/latest should lead here
    -- stderr
    surveying local
    checking local
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn a_plan_after_publishing_is_empty() {
    let place = Place::new();
    place.publish();
    let ran = place.run(&format!("plan --release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    -- stderr
    surveying local
    nothing to do for bookworm-20240101
    "#);
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to local -q"));
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn a_lost_state_folder_is_rebuilt_from_what_is_there() {
    let place = Place::new();
    place.publish();
    std::fs::remove_dir_all(place.path("state")).unwrap();
    let ran = place.publish();
    assert!(ran.err.contains("nothing to do"), "{}", ran.err);
    assert_eq!(place.run("find").code, 0);
}
