//! What is refused before anything is attempted: exit 2, a hint, and nothing created.

use std::fs;

use crate::place::{Place, RELEASE, Ran, assert_shown};

#[test]
fn an_unknown_target_is_answered_with_the_near_one() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE} --to loacl"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: there is no target `loacl`
    hint: did you mean `local`? the targets of publish.toml are local
    "#);
}

#[test]
fn without_a_target_the_known_ones_are_named() {
    let place = Place::new();
    let ran = place.run(&format!("--release {RELEASE}"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: no target is named
    hint: name some with --to (local), or all with --all-targets
    "#);
}

#[test]
fn without_a_release_the_known_ones_are_named() {
    let place = Place::new();
    place.write("releases/build.json", r#"{"apiVersion": "v1", "kind": "List"}"#);
    let ran = place.run("--to local");
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: no release is named
    hint: name one with --release: bookworm-20240101
    "#);
}

#[test]
fn an_unknown_release_is_answered_with_the_near_one() {
    let place = Place::new();
    let ran = place.run("--release bookworm-20240102 --to local");
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: no manifest of `bookworm-20240102` in `releases`
    hint: did you mean `bookworm-20240101`?
    "#);
}

#[test]
fn without_a_configuration_the_way_to_it_is_told() {
    let place = Place::new();
    fs::remove_file(place.path("publish.toml")).unwrap();
    let ran = place.run(&format!("--release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: could not read `publish.toml`
      caused by: No such file or directory (os error 2)
    hint: go to the folder of publish.toml, or name the file with --config
    "#);
}

#[test]
fn a_configuration_elsewhere_is_used_with_its_own_paths() {
    let place = Place::new();
    fs::create_dir(place.path("elsewhere")).unwrap();
    for name in ["publish.toml", "releases"] {
        fs::rename(place.path(name), place.path("elsewhere").join(name)).unwrap();
    }
    let ran = place.run(&format!("--config elsewhere/publish.toml --release {RELEASE} --to local"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(place.path("elsewhere/public/bookworm/latest").exists());
    assert!(place.path("elsewhere/state/catalogue.json").exists());
}

#[cfg(feature = "gce")]
#[test]
fn a_provider_that_is_not_implemented_is_refused_by_name_and_only_when_asked_for() {
    let place = Place::new();
    place.configure("[target.gce]\nprovider = \"gce\"\nproject = \"p\"\nbucket = \"b\"\n");
    let before = place.tree();
    let ran = place.run(&format!("--release {RELEASE} --to local,gce"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: the provider gce is not implemented yet (target gce)
    hint: name other targets with --to
    "#);
    place.assert_unchanged(&before);
    assert_eq!(place.run(&format!("--release {RELEASE} --all-targets")).code, 2);
    place.publish();
}

#[cfg(feature = "gce")]
#[test]
fn keep_going_publishes_to_the_others_and_ends_with_1() {
    let place = Place::new();
    place.configure("[target.gce]\nprovider = \"gce\"\nproject = \"p\"\nbucket = \"b\"\n");
    let ran = place.run(&format!("--release {RELEASE} --all-targets --keep-going --no-progress"));
    assert_shown!(place, ran, @r#"
    exit: 1
    -- stdout
    TARGET  REGION  IMAGE          STATE      ID
    local   local   generic-amd64  published  bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    -- stderr
    plan for bookworm-20240101:
      local: 1 image to 1 region, 1 MiB to send; 5 steps
    error: gce cannot be used
      caused by: the provider gce is not implemented yet (target gce)
    hint: name other targets with --to
    incomplete: bookworm-20240101: 1 of 1 image published, [TIME]; not attempted: gce
    next: run the same command again: it does what is still missing and nothing else
    "#);
}

#[test]
fn a_bad_digest_is_refused_and_nothing_is_created() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    fs::write(place.path("releases/generic.raw"), vec![7; 1 << 20]).unwrap();
    let before = place.tree();
    let ran = place.run(&format!("--release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: the sha256 of the disk image is 51b12eb838732b78…, the manifest says 884113328cf00f9d… (file releases/generic.raw)
    hint: copy the file again, or correct the manifest if the file is the right one
    "#);
    place.assert_unchanged(&before);
}

#[test]
fn every_mistake_of_a_manifest_is_told_at_once() {
    let place = Place::new();
    let manifest = format!("releases/{RELEASE}.toml");
    place.replace(&manifest, "suite = ", "siute = ");
    place.replace(&manifest, "class = \"release\"", "class = \"relase\"");
    let ran = place.run(&format!("--release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: releases/bookworm-20240101.toml:3:1: unknown key `siute`; did you mean `suite`?
    error: releases/bookworm-20240101.toml:6:9: `class` is `relase`, not one of `release`, `daily`, `dev`; did you mean `release`?
    hint: correct the lines named above; `publish schema` prints what may be written where
    "#);
}

#[test]
fn names_that_collide_are_refused_before_anything_is_looked_at() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    place.configure("[naming]\nimage = \"debian-{arch}-{version}\"\nfamily = \"debian-{variant}-{arch}\"\n");
    let ran = place.run(&format!("--release {RELEASE} --to local"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: publish.toml:9:9: a release and a daily of one version would get one image name; add `{class_suffix}`, or give each target one of `classes`
    error: publish.toml:9:9: `debian-amd64-20240101-1614` at `local` would be both generic amd64 of `bookworm-20240101` and nocloud amd64 of `bookworm-20240101`; add the placeholder that tells them apart
    error: publish.toml:10:10: releases and dailies would move one pointer; add `{class_suffix}`, or give each target one of `classes`
    hint: correct the lines named above; `publish schema` prints what may be written where
    "#);
}

#[cfg(feature = "shared-state")]
#[test]
fn a_state_that_cannot_be_reached_is_said_before_anything_is_made() {
    let place = Place::new();
    place.replace("publish.toml", "state = \"state\"", "state = \"s3://bucket/state\"");
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let ran = Ran::of(
        place
            .command(&format!("--release {RELEASE} --to local"))
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("could not list the state"), "{}", ran.err);
    assert!(!place.path("public").exists());
}

#[test]
fn an_option_that_is_unknown_is_answered_with_the_near_one() {
    let place = Place::new();
    let ran = place.run(&format!("--relase {RELEASE}"));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--release"), "{}", ran.err);
}

#[cfg(not(feature = "openstack"))]
#[test]
fn a_provider_that_this_build_leaves_out_is_refused_by_name() {
    let place = Place::new();
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n");
    let ran = place.run(&format!("--release {RELEASE} --to openstack"));
    assert_shown!(place, ran, @r#"
    exit: 2
    -- stdout
    -- stderr
    error: publish.toml:9:12: `target.openstack.provider` is `openstack`, not one of `local`
    hint: correct the lines named above; `publish schema` prints what may be written where
    "#);
}
