//! `find`: what was published, by what it is.

use std::fs;

use crate::place::{Place, RELEASE, assert_shown};

const NEWER: &str = "bookworm-20240601";

/// A release and a newer one of the same line, published.
fn two_releases() -> Place {
    let place = Place::new();
    place.publish();
    let manifest = fs::read_to_string(place.path(&format!("releases/{RELEASE}.toml"))).unwrap();
    let newer = manifest.replace("20240101", "20240601").replace("2024-01-01", "2024-06-01");
    place.write(&format!("releases/{NEWER}.toml"), &newer);
    let ran = place.run(&format!("--release {NEWER} --to local"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    place
}

#[test]
fn find_looks_images_up_by_what_they_are() {
    let place = Place::with_variants(&["generic", "nocloud"]);
    place.publish();
    let ran = place.run("find --suite bookworm,trixie --arch amd64 --variant nocloud");
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    RELEASE            DATE        IMAGE          TARGET  REGION  STATE      NAME                                   ID
    bookworm-20240101  2024-01-01  nocloud-amd64  local   local   published  debian-12-nocloud-amd64-20240101-1614  bookworm/20240101-1614/debian-12-nocloud-amd64-20240101-1614.raw
    -- stderr
    "#);
}

#[test]
fn find_ends_with_1_when_nothing_fits() {
    let place = Place::new();
    let never = place.run("find");
    assert_eq!((never.code, never.out.as_str(), never.err.as_str()), (1, "", "nothing found\n"));
    place.publish();
    assert_eq!(place.run("find --arch arm64").code, 1);
    assert_eq!(place.run("find --state hidden").code, 1);
    assert_eq!(place.run("find --state hidden,any").code, 0);
}

#[test]
fn csv_has_a_header_row_and_stable_columns() {
    let place = two_releases();
    let ran = place.run("find --csv");
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    owner,release,suite,version,class,date,variant,arch,rendition,provider,target,account,region,state,name,id,digest,published_at
    debian,bookworm-20240101,bookworm,20240101-1614,release,2024-01-01T00:00:00Z,generic,amd64,as-is,local,local,[FOLDER]/public,local,published,debian-12-generic-amd64-20240101-1614,bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw,sha256:[HEX],[NOW]
    debian,bookworm-20240601,bookworm,20240601-1614,release,2024-06-01T00:00:00Z,generic,amd64,as-is,local,local,[FOLDER]/public,local,published,debian-12-generic-amd64-20240601-1614,bookworm/20240601-1614/debian-12-generic-amd64-20240601-1614.raw,sha256:[HEX],[NOW]
    -- stderr
    "#);
    let none = place.run("find --csv --arch arm64");
    assert_eq!((none.code, none.out.lines().count(), none.err.as_str()), (1, 1, "nothing found\n"));
}

#[test]
fn the_latest_is_the_newest_release_of_each_line() {
    let place = two_releases();
    let ran = place.run("find --latest");
    assert_eq!((ran.code, ran.out.contains(NEWER), ran.out.contains(RELEASE)), (0, true, false), "{}", ran.out);
    assert!(place.run(&format!("find --latest --release {RELEASE}")).out.contains(RELEASE));
}

#[test]
fn every_filter_finds_what_fits_and_nothing_else() {
    let place = two_releases();
    let [older, newer] = place.run("find --json").events().try_into().unwrap();
    let text = |field: &str| older[field].as_str().unwrap().to_owned();
    let (digest, id) = (text("digest"), text("id"));
    assert_eq!(newer["digest"], older["digest"]);
    let short = digest.trim_start_matches("sha256:").get(..12).unwrap().to_owned();
    let count = |line: &str| place.run(&format!("find --json {line}")).out.lines().count();
    for (line, found) in [
        (format!("--id {id}"), 1),
        (format!("--digest {digest}"), 2),
        (format!("--digest {short}"), 2),
        ("--digest 0123456789".to_owned(), 0),
        ("--version 20240101-1614".to_owned(), 1),
        ("--version 20240101-1614,20240601-1614".to_owned(), 2),
        ("--class release".to_owned(), 2),
        ("--class daily,dev".to_owned(), 0),
        ("--provider local --target local --region local".to_owned(), 2),
        ("--suite trixie".to_owned(), 0),
    ] {
        assert_eq!(count(&line), found, "{line}");
    }
}

#[test]
fn a_narrow_terminal_gets_fewer_columns_and_whole_ids() {
    let place = two_releases();
    let mut command = place.command("find");
    let ran = crate::place::Ran::of(command.env("COLUMNS", "80").output().unwrap());
    assert_shown!(place, ran, @r#"
    exit: 0
    -- stdout
    everywhere: image generic-amd64, target local, region local, state published
    RELEASE            DATE        NAME                                   ID
    bookworm-20240101  2024-01-01  debian-12-generic-amd64-20240101-1614
        bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw
    bookworm-20240601  2024-06-01  debian-12-generic-amd64-20240601-1614
        bookworm/20240601-1614/debian-12-generic-amd64-20240601-1614.raw
    -- stderr
    "#);
}
