//! Folders as Debian leaves them, and what is wrong with others.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{Folder, Imported, PackageIndex, Seen, Wishes, digest_text, import};
use crate::digest::hex;
use crate::disk::BootStructure;
use crate::error::Kind;
use crate::manifest::{Boot, Release};
use crate::names::Class;

const STEM: &str = "debian-12-generic-amd64-20240101-1614";

/// The `Build` of a variant and architecture.
fn build(variant: &str, arch: &str) -> Value {
    json!({
        "apiVersion": "cloud.debian.org/v1alpha1",
        "kind": "Build",
        "data": {
            "info": {"arch": arch, "build_id": "master", "release": "bookworm", "release_baseid": "12",
                     "release_id": "12", "type": "official", "vendor": variant, "version": "20240101-1614"},
            "packages": [{"name": "adduser", "version": "3.134"}, {"name": "libc6:amd64", "version": "2.36-9"},
                         {"name": "linux-image", "version": "6.12-1~bpo12+1"}],
        },
        "metadata": {"labels": {"cloud.debian.org/vendor": variant, "debian.org/arch": arch}, "uid": "1"},
    })
}

/// The `Upload` of a file whose content is its name.
fn upload(file: &str, class: &str) -> Value {
    json!({
        "apiVersion": "cloud.debian.org/v1alpha1",
        "kind": "Upload",
        "data": {"provider": "cloud.debian.org", "ref": format!("bookworm/20240101-1614/{file}")},
        "metadata": {"annotations": {"cloud.debian.org/digest": digest_text(&sha512(file))},
                     "labels": {"upload.cloud.debian.org/type": class}},
    })
}

fn sha512(content: impl AsRef<[u8]>) -> [u8; 64] {
    Sha512::digest(content.as_ref()).into()
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn seen() -> Seen {
    Seen { size: 1 << 20, boot: None }
}

fn add(folder: &mut Folder, name: &str, value: &Value) {
    folder.json.insert(name.to_owned(), value.to_string().into_bytes());
}

/// A version as the download tree has it: one build, three files, a list of it all.
fn published() -> Folder {
    let mut folder = Folder::default();
    let files = ["qcow2", "raw", "tar.xz"].map(|ending| format!("{STEM}.{ending}"));
    let items: Vec<Value> =
        [build("generic", "amd64")].into_iter().chain(files.iter().map(|file| upload(file, "release"))).collect();
    add(&mut folder, &format!("{STEM}.json"), &list(&items));
    folder.images = files.iter().map(|file| (file.clone(), seen())).collect();
    folder
}

/// What a build itself leaves: an archive and a single `Build` with the archive's digest.
fn built(variant: &str, arch: &str) -> Folder {
    let stem = format!("image_bookworm_{variant}_{arch}");
    let mut item = build(variant, arch);
    item["metadata"]["annotations"] = json!({"cloud.debian.org/digest": digest_text(&[5; 64])});
    let mut folder = Folder::default();
    add(&mut folder, &format!("{stem}.build.json"), &item);
    add(&mut folder, &format!("{stem}.build-fai.json"), &json!({"data": {"packages": []}}));
    folder.images.insert(format!("{stem}.tar"), seen());
    folder
}

fn release_of(imported: &Imported) -> Release {
    Release::parse(Path::new("images/made.toml"), &imported.text).unwrap()
}

fn wrong(folder: &Folder, wishes: &Wishes) -> Vec<String> {
    let error = import(folder, wishes).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    error.message().lines().map(ToOwned::to_owned).collect()
}

fn as_release() -> Wishes {
    Wishes { class: Some(Class::Release), ..Wishes::default() }
}

#[test]
fn a_published_version_becomes_a_release_with_one_image_for_each_build() {
    let imported = import(&published(), &Wishes::default()).unwrap();
    assert_eq!((imported.name.as_str(), imported.images), ("bookworm-20240101-1614", 1));
    let release = release_of(&imported);
    assert_eq!((release.suite.as_str(), release.suite_id.as_str()), ("bookworm", "12"));
    assert_eq!((release.version.as_str(), release.class), ("20240101-1614", Class::Release));
    assert_eq!(release.date.to_string(), "2024-01-01T00:00:00Z");
    let [image] = release.artifacts.as_slice() else { panic!("one image") };
    assert_eq!((image.variant.as_str(), image.arch.as_str()), ("generic", "amd64"));
    assert_eq!(image.file, Path::new(&format!("images/{STEM}.qcow2")));
    assert_eq!(image.sha512.unwrap().as_bytes(), &sha512(format!("{STEM}.qcow2")));
    assert_eq!((image.size, image.boot), (Some(1 << 20), Boot::UefiPreferred));
    assert_eq!(image.build_manifest.as_deref(), Some(Path::new(&format!("images/{STEM}.json"))));
    assert_eq!(image.outside_suite, None);
}

#[test]
fn the_same_folder_gives_the_same_text() {
    let once = import(&published(), &Wishes::default()).unwrap();
    assert_eq!(import(&published(), &Wishes::default()).unwrap(), once);
    assert!(!once.text.contains('#') && once.text.starts_with("schema = 1\nname = \""), "{}", once.text);
}

#[test]
fn what_a_build_itself_leaves_is_an_archive_and_needs_its_class_said() {
    let folder = built("generic", "amd64");
    assert!(wrong(&folder, &Wishes::default())[0].contains("no build tells its class"));
    let text = import(&folder, &as_release()).unwrap().text;
    for line in ["file = \"image_bookworm_generic_amd64.tar\"", "format = \"raw\"", "packed = \"tar\"", &hex(&[5; 64])]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn several_builds_are_one_release_sorted_by_variant_and_architecture() {
    let (mut folder, other) = (built("nocloud", "amd64"), built("generic", "arm64"));
    folder.json.extend(other.json);
    folder.images.extend(other.images);
    let imported = import(&folder, &as_release()).unwrap();
    let at = |word: &str| imported.text.find(word).unwrap();
    assert_eq!(imported.images, 2);
    assert!(at("variant = \"generic\"") < at("variant = \"nocloud\""));
    assert!(imported.text.contains("boot = \"uefi\"\n"), "{}", imported.text);
}

#[test]
fn the_disk_says_how_it_boots() {
    let mut folder = published();
    let boot = BootStructure { esp: true, bios_boot: false, ..BootStructure::default() };
    folder.images.get_mut(&format!("{STEM}.qcow2")).unwrap().boot = Some(boot);
    assert_eq!(release_of(&import(&folder, &Wishes::default()).unwrap()).artifacts[0].boot, Boot::Uefi);
}

#[test]
fn wishes_choose_ending_name_date_job_and_place() {
    let wishes = Wishes {
        name: Some("bookworm-20240101".parse().unwrap()),
        date: Some("2024-01-02T03:04:05Z".parse().unwrap()),
        ending: Some("raw".into()),
        build_job: Some("https://ci.example.org/jobs/1".into()),
        below: "20240101-1614".into(),
        ..Wishes::default()
    };
    let mut folder = published();
    folder.images.remove(&format!("{STEM}.qcow2"));
    let release = release_of(&import(&folder, &wishes).unwrap());
    assert_eq!((release.name.as_str(), release.date), ("bookworm-20240101", wishes.date.unwrap()));
    assert_eq!(release.build_job, wishes.build_job);
    assert_eq!(release.artifacts[0].file, Path::new(&format!("images/20240101-1614/{STEM}.raw")));
    assert_eq!(release.artifacts[0].build_manifest, Some(format!("images/20240101-1614/{STEM}.json").into()));
}

#[test]
fn packages_that_the_suite_has_not_are_named_by_version() {
    let mut index = PackageIndex::default();
    let suite = "Package: adduser\nVersion: 3.134\nArchitecture: all\n\n\
                 Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\n\n\
                 Package: linux-image\nVersion: 6.1-1\nArchitecture: amd64\n";
    index.add(suite.as_bytes()).unwrap();
    let wishes = Wishes { packages: Some(index), ..Wishes::default() };
    let imported = import(&published(), &wishes).unwrap();
    assert_eq!(imported.outside_suite, Some(1));
    let outside = release_of(&imported).artifacts[0].outside_suite.clone();
    assert_eq!(outside, Some(vec!["linux-image=6.12-1~bpo12+1".to_owned()]));
    let mut arm = built("generic", "arm64");
    arm.json.retain(|name, _| !name.ends_with("fai.json"));
    let told = wrong(&arm, &Wishes { class: Some(Class::Release), ..wishes });
    assert_eq!(told, ["image_bookworm_generic_arm64.build.json: no index of packages for arm64 was given"]);
}

#[test]
fn everything_that_contradicts_is_told_at_once() {
    let mut folder = published();
    let (stem, twin) = (STEM, "twin");
    folder.images.remove(&format!("{stem}.tar.xz"));
    folder.images.insert("stray.raw".into(), seen());
    add(&mut folder, "broken.json", &json!({}));
    folder.json.insert("broken.json".into(), b"{".to_vec());
    let mut other = build("generic", "amd64");
    other["data"]["info"]["version"] = json!("20240102-1615");
    other["metadata"]["labels"]["debian.org/arch"] = json!("arm64");
    add(&mut folder, &format!("{twin}.json"), &list(&[other, upload("twin.raw", "daily")]));
    folder.images.insert("twin.raw".into(), seen());
    folder.sums = Some(format!("{}  {stem}.qcow2\n{}  {twin}.json\n", "11".repeat(64), "22".repeat(64)).into_bytes());
    let told = wrong(&folder, &Wishes::default());
    for part in [
        "broken.json:1:1: not JSON",
        "twin.json: the label debian.org/arch is `arm64`, the build's arch is `amd64`",
        &format!("{stem}.json: tells of `{stem}.tar.xz`, which is not there"),
        "twin.json: is not the file that SHA512SUMS lists",
        "stray.raw: no build manifest tells of it",
        "twin.json: a second build of generic amd64, besides ",
        "builds of more than one version: `20240101-1614` (",
        "builds of more than one class: `release` (",
        &format!("{stem}.qcow2: its sha512 is 1111111111111111… in SHA512SUMS and "),
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part} in {told:#?}");
    }
    assert_eq!(told.len(), 9, "{told:#?}");
}

#[test]
fn an_image_without_a_digest_is_refused() {
    let mut folder = published();
    add(&mut folder, &format!("{STEM}.json"), &list(&[build("generic", "amd64")]));
    let told = wrong(&folder, &as_release());
    assert_eq!(told, [format!("{STEM}.qcow2: neither SHA512SUMS nor a build manifest has its digest")]);
}

#[test]
fn a_wish_that_contradicts_the_builds_is_refused() {
    let told = wrong(&published(), &Wishes { class: Some(Class::Daily), ..Wishes::default() });
    assert!(told[0].starts_with("builds of more than one class: "), "{told:?}");
    let told = wrong(&published(), &Wishes { ending: Some("vhd".into()), ..Wishes::default() });
    assert_eq!(told, [format!("{STEM}.json: no image of it is here that ends in .vhd")]);
}

#[test]
fn folders_without_builds_and_builds_without_facts_are_refused() {
    assert!(wrong(&Folder::default(), &Wishes::default())[0].starts_with("no build manifest"));
    let mut folder = Folder::default();
    let mut bare = build("generic", "amd64");
    bare["data"]["info"] = json!({"release": "bookworm"});
    add(&mut folder, "a.json", &bare);
    assert_eq!(
        wrong(&folder, &Wishes::default()),
        ["a.json: the build's info has no release_id, version, vendor, arch"]
    );
    add(&mut folder, "a.json", &list(&[build("a", "amd64"), build("b", "amd64")]));
    assert_eq!(wrong(&folder, &Wishes::default()), ["a.json: has 2 builds, one is expected"]);
}

#[test]
fn a_try_without_a_date_in_its_version_needs_one() {
    let mut folder = built("generic", "amd64");
    let mut item: Value = serde_json::from_slice(&folder.json["image_bookworm_generic_amd64.build.json"]).unwrap();
    item["data"]["info"]["version"] = json!("17");
    item["data"]["info"]["type"] = json!("dev");
    add(&mut folder, "image_bookworm_generic_amd64.build.json", &item);
    assert_eq!(wrong(&folder, &Wishes::default()), ["the version `17` begins with no date, and none was given"]);
    let wishes = Wishes { date: Some("2024-01-02T00:00:00Z".parse().unwrap()), ..Wishes::default() };
    assert_eq!(import(&folder, &wishes).unwrap().name.as_str(), "bookworm-dev-17");
}

#[test]
fn what_a_file_says_reaches_no_terminal_as_a_command() {
    let mut folder = published();
    folder.images.insert("\u{1b}[2J.raw".into(), seen());
    assert_eq!(wrong(&folder, &Wishes::default()), ["\\u{1b}[2J.raw: no build manifest tells of it"]);
}
