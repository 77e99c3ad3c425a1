//! `check`: everything that is wrong, at once, without a cloud.

use std::fs;

use crate::place::{Place, RELEASE, assert_shown};

#[test]
fn a_good_folder_has_no_problems_and_check_writes_nothing() {
    let place = Place::new();
    place.write("releases/generic.json", r#"{"apiVersion": "v1", "kind": "List"}"#);
    let before = place.tree();
    let ran = place.run("check");
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    -- stderr
    no problems: publish.toml, 1 manifest and 1 file read
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn ten_problems_are_told_at_once() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    place.configure("[naming]\nimage = \"debian-{arch}\"\nfamily = \"debian-{variant}-{arch}-{version}\"\n");
    let good = fs::read_to_string(place.path(&format!("releases/{RELEASE}.toml"))).unwrap();
    let bad = good
        .replace(RELEASE, "trixie-1")
        .replace("suite = ", "siute = ")
        .replace("class = \"release\"", "class = \"relase\"");
    place.write("releases/trixie-1.toml", &bad);
    place.write("releases/broken.json", "{");
    fs::write(place.path("releases/generic.raw"), vec![7; 1 << 20]).unwrap();
    fs::remove_file(place.path("releases/nocloud.raw")).unwrap();
    let ran = place.run("check");
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: releases/broken.json:1:2: expected a key in double quotes
    hint: correct the lines named above; `publish schema` prints what may be written where
    error: releases/trixie-1.toml:3:1: unknown key `siute`; did you mean `suite`?
    error: releases/trixie-1.toml:6:9: `class` is `relase`, not one of `release`, `daily`, `dev`; did you mean `release`?
    hint: correct the lines named above; `publish schema` prints what may be written where
    error: publish.toml:9:9: two releases of a line would get one image name; add `{version}`
    error: publish.toml:9:9: a release and a daily of one version would get one image name; add `{class_suffix}`, or give each target one of `classes`
    error: publish.toml:9:9: `debian-amd64` at `local` would be both generic amd64 of `bookworm-20240101` and nocloud amd64 of `bookworm-20240101`; add the placeholder that tells them apart
    error: publish.toml:10:10: each release would get a pointer of its own, and none would ever move; leave out `{version}`, `{date}` and `{release}`
    error: publish.toml:10:10: releases and dailies would move one pointer; add `{class_suffix}`, or give each target one of `classes`
    hint: correct the lines named above; `publish schema` prints what may be written where
    error: the sha256 of the disk image is 51b12eb838732b78…, the manifest says 884113328cf00f9d… (file releases/generic.raw)
    hint: copy the file again, or correct the manifest if the file is the right one
    error: could not open `releases/nocloud.raw`: No such file or directory (os error 2) (release bookworm-20240101)
    hint: files lie beside the manifest or below it, complete, before it is published
    10 problems
    "#);
}

#[test]
fn the_problems_are_events_too() {
    let place = Place::new();
    fs::remove_file(place.path("releases/generic.raw")).unwrap();
    let ran = place.run(&format!("check --release {RELEASE} --json -q"));
    assert_eq!((ran.code, ran.err.as_str()), (2, ""));
    let first = ran.events().remove(0);
    assert_eq!((first["event"].as_str(), first["step"].as_str()), (Some("problem"), Some("input")));
    assert_eq!(ran.summary()["outcome"], "refused");
}

#[cfg(feature = "openstack")]
#[test]
fn an_unknown_way_to_sign_in_is_a_problem_and_the_known_ones_are_listed() {
    let place = Place::new();
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n");
    place.write(
        "clouds.yaml",
        "clouds:\n  mycloud:\n    auth_type: v3oidcpassword\n    auth:\n      auth_url: https://k.example.org/v3\n",
    );
    let ran = place.run("check --no-progress");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("error: `auth_type: v3oidcpassword` is not supported"), "{}", ran.err);
    assert!(ran.err.contains("hint: did you mean `v3password`? it may be password, v3password, token,"), "{}", ran.err);
}

#[cfg(feature = "openstack")]
#[test]
fn a_provider_that_cannot_be_used_here_is_only_a_note() {
    let place = Place::new();
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n");
    let ran = place.run("check --no-progress");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("note: there is no clouds.yaml"), "{}", ran.err);
}
