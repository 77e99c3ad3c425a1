//! `import-debian`: from a folder of Debian's builds to a release that can be checked and published.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::place::{Place, assert_shown};

const VERSION: &str = "20240203-1700";
const RELEASE: &str = "bookworm-20240203-1700";
/// A suite in which the kernel has another version.
const PACKAGES: &str = "Package: adduser\nVersion: 3.134\nArchitecture: all\n\n\
                        Package: linux-image-amd64\nVersion: 6.1.76-1\nArchitecture: amd64\n";

fn stem(variant: &str) -> String {
    format!("debian-12-{variant}-amd64-{VERSION}")
}

fn build(variant: &str) -> Value {
    json!({
        "apiVersion": "cloud.debian.org/v1alpha1",
        "kind": "Build",
        "data": {
            "info": {"arch": "amd64", "build_id": "master", "release": "bookworm", "release_baseid": "12",
                     "release_id": "12", "type": "official", "vendor": variant, "version": VERSION},
            "packages": [{"name": "adduser", "version": "3.134"},
                         {"name": "linux-image-amd64", "version": "6.6.13-1~bpo12+1"}],
        },
        "metadata": {"labels": {"debian.org/dist": "debian", "x.example.org/kept": "yes"}, "uid": "1"},
    })
}

/// The folder `images` with a build of each variant, beside the releases that are there.
fn with_images(variants: &[&str]) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("releases/images")).unwrap();
    let mut sums = String::new();
    for variant in variants {
        let mut disk = vec![0; (1 << 20) - variant.len()];
        disk.extend_from_slice(variant.as_bytes());
        fs::write(place.path(&format!("releases/images/{}.raw", stem(variant))), &disk).unwrap();
        let digits: String = Sha512::digest(&disk).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(sums, "{digits}  {}.raw", stem(variant)).unwrap();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [build(variant)], "more": 1});
        place.write(&format!("releases/images/{}.json", stem(variant)), &list.to_string());
    }
    place.write("releases/images/SHA512SUMS", &sums);
    place.write("Packages", PACKAGES);
    place
}

fn published(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path(&format!("public/bookworm/{VERSION}/{file}"))).unwrap()
}

#[test]
fn what_was_imported_is_checked_and_published_with_all_that_the_build_said() {
    let place = with_images(&["generic", "nocloud"]);
    let line = "import-debian releases/images --class release --out releases --packages Packages \
                --build-job https://ci.example.org/jobs/7";
    let ran = place.run(line);
    assert_shown!(place, ran, @r"
    exit: 0
    -- stdout
    -- stderr
    wrote releases/bookworm-20240203-1700.toml: 2 images
    2 packages not of the suite, marked in what is published
    ");
    let checked = place.run(&format!("check --release {RELEASE}"));
    assert_eq!(checked.code, 0, "{}", checked.err);
    let ran = place.run(&format!("--release {RELEASE} --to local"));
    assert_eq!(ran.code, 0, "{}", ran.err);

    let manifest: Value = serde_json::from_str(&published(&place, &format!("{}.json", stem("generic")))).unwrap();
    assert_eq!((&manifest["items"][0], &manifest["more"]), (&build("generic"), &json!(1)));
    let annotations = &manifest["items"][1]["metadata"]["annotations"];
    assert_eq!(annotations["cloud-publish-outside-suite"], "linux-image-amd64=6.6.13-1~bpo12+1");
    assert_eq!(annotations["cloud-publish-build-job"], "https://ci.example.org/jobs/7");
    let page = published(&place, "index.html");
    let marked = "<dt>Packages that are not of bookworm</dt><dd><ul>\n<li><code>linux-image-amd64=6.6.13-1~bpo12+1";
    assert_eq!(page.matches(marked).count(), 2, "{page}");
    assert_eq!(page.matches("<a href=\"https://ci.example.org/jobs/7\">").count(), 2, "{page}");
}

#[test]
fn the_manifest_is_plain_and_names_the_release_after_its_file() {
    let place = with_images(&["generic"]);
    let ran = place.run("import-debian releases/images --class daily --date 2024-02-04 --out releases/mine.toml");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9a-f]{128}", "[SHA512]");
    settings.bind(|| {
        insta::assert_snapshot!(fs::read_to_string(place.path("releases/mine.toml")).unwrap(), @r#"
        schema = 1
        name = "mine"
        suite = "bookworm"
        suite_id = "12"
        version = "20240203-1700"
        class = "daily"
        date = 2024-02-04T00:00:00Z

        [[artifact]]
        variant = "generic"
        arch = "amd64"
        file = "images/debian-12-generic-amd64-20240203-1700.raw"
        format = "raw"
        sha512 = "[SHA512]"
        size = 1048576
        boot = "uefi-preferred"
        build_manifest = "images/debian-12-generic-amd64-20240203-1700.json"
        "#);
    });
}

#[test]
fn doing_it_again_changes_nothing_and_another_manifest_is_written_over_only_by_force() {
    let place = with_images(&["generic"]);
    let line = "import-debian releases/images --class release";
    assert_eq!(place.run(line).code, 0);
    let before = place.tree();
    let ran = place.run(line);
    assert_eq!(ran.err, format!("nothing to do: releases/images/{RELEASE}.toml says that already\n"));
    let ran = place.run(&format!("{line} --date 2024-02-05"));
    assert_shown!(place, ran, @r"
    exit: 2
    -- stdout
    -- stderr
    error: `releases/images/bookworm-20240203-1700.toml` says something else
    hint: --force writes over it; `publish import-debian releases/images --out -` shows what would be written
    ");
    assert_eq!(place.run(&format!("{line} --date 2024-02-05 --force --dry-run")).code, 0);
    place.assert_unchanged(&before);
    assert_eq!(place.run(&format!("{line} --date 2024-02-05 --force")).code, 0);
    let text = fs::read_to_string(place.path(&format!("releases/images/{RELEASE}.toml"))).unwrap();
    assert!(text.contains("date = 2024-02-05T00:00:00Z"), "{text}");
}

#[test]
fn standard_output_gets_the_same_text_and_nothing_is_written() {
    let place = with_images(&["generic"]);
    let before = place.tree();
    let ran = place.run("import-debian releases/images --class release --out -");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    place.assert_unchanged(&before);
    place.run("import-debian releases/images --class release");
    assert_eq!(fs::read_to_string(place.path(&format!("releases/images/{RELEASE}.toml"))).unwrap(), ran.out);
}

#[test]
fn contradictions_are_told_at_once_and_nothing_is_written() {
    let place = with_images(&["generic", "nocloud"]);
    let sums = fs::read_to_string(place.path("releases/images/SHA512SUMS")).unwrap();
    place.write("releases/images/SHA512SUMS", &format!("{sums}{}  missing.qcow2\n", "00".repeat(64)));
    place.replace(&format!("releases/images/{}.json", stem("nocloud")), VERSION, "20240204-1701");
    place.write("releases/images/stray.qcow2", "no disk");
    let before = place.tree();
    let ran = place.run("import-debian releases/images");
    assert_shown!(place, ran, @r"
    exit: 2
    -- stdout
    -- stderr
    error: SHA512SUMS: tells of `missing.qcow2`, which is not there
    error: stray.qcow2: no build manifest tells of it
    error: builds of more than one version: `20240203-1700` (debian-12-generic-amd64-20240203-1700.json), `20240204-1701` (debian-12-nocloud-amd64-20240203-1700.json)
    error: no build tells its class (release, daily or dev), and none was given
    error: stray.qcow2: the disk image is declared qcow2, but is not one (file releases/images/stray.qcow2)
    hint: nothing was written; mend the folder, or see --class, --date, --format and --packages
    ");
    place.assert_unchanged(&before);
}

#[test]
fn images_that_would_not_be_below_the_manifest_are_refused() {
    let place = with_images(&["generic"]);
    fs::create_dir(place.path("elsewhere")).unwrap();
    let ran = place.run("import-debian releases/images --class release --out elsewhere/x.toml");
    assert_shown!(place, ran, @r"
    exit: 2
    -- stdout
    -- stderr
    error: `releases/images` is not below `elsewhere`
    hint: images lie beside their manifest or below it: write the manifest there, or move the images
    ");
    for line in ["--out elsewhere/x.json", "--date yesterday", "--format iso", "--packages nowhere"] {
        let ran = place.run(&format!("import-debian releases/images --class release {line}"));
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains("hint: "), "{line}: {}", ran.err);
    }
}

#[test]
fn a_folder_that_is_not_there_and_digests_that_are_missing_are_answered_with_the_command_for_it() {
    let place = with_images(&["generic"]);
    let ran = place.run("import-debian releases/images --class release --out manifests");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("make it first: `mkdir manifests`"), "{}", ran.err);
    fs::remove_file(place.path("releases/images/SHA512SUMS")).unwrap();
    let ran = place.run("import-debian releases/images --class release");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("run `sha512sum * > SHA512SUMS` there"), "{}", ran.err);
}

#[test]
fn the_draft_follows_no_link_that_waits_in_the_folder_and_does_not_stay() {
    let place = with_images(&["generic"]);
    place.write("precious", "mine");
    let link = format!("releases/images/{RELEASE}.toml.new");
    std::os::unix::fs::symlink(place.path("precious"), place.path(&link)).unwrap();
    assert_eq!(place.run("import-debian releases/images --class release").code, 0);
    assert_eq!(fs::read_to_string(place.path("precious")).unwrap(), "mine");
    assert!(fs::symlink_metadata(place.path(&link)).unwrap().is_symlink());
    let drafts = fs::read_dir(place.path("releases/images")).unwrap();
    let names: Vec<_> = drafts.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.ends_with(".new")).count(), 1, "{names:?}");
}
