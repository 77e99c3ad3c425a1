//! Finding manifests by name, and what `check_paths` refuses.

use std::fs;
use std::path::Path;

use super::Release;
use crate::error::Kind;
use crate::manifest::examples::RELEASE;
use crate::names::ReleaseName;

fn name(text: &str) -> ReleaseName {
    ReleaseName::new(text).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bookworm-20240101.toml"), RELEASE).unwrap();
    folder
}

#[test]
fn a_release_is_found_by_its_name() {
    let folder = folder();
    let release = Release::find(folder.path(), &name("bookworm-20240101")).unwrap();
    assert_eq!(release.folder, folder.path());
    assert_eq!(release.artifacts[0].file.parent(), Some(folder.path()));
}

#[test]
fn a_missing_release_names_near_ones_or_all() {
    let folder = folder();
    let near = Release::find(folder.path(), &name("bookworm-20240110")).unwrap_err();
    assert_eq!((near.kind(), near.advice()), (Kind::NotFound, Some("did you mean `bookworm-20240101`?")));
    let far = Release::find(folder.path(), &name("trixie")).unwrap_err();
    assert_eq!(far.advice(), Some("known releases: `bookworm-20240101`"));
    let nowhere = Release::find(&folder.path().join("x"), &name("trixie")).unwrap_err();
    assert!(nowhere.advice().unwrap().contains("`releases` in publish.toml"));
}

#[test]
fn a_file_with_another_name_inside_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("trixie-1.toml"), RELEASE).unwrap();
    let error = Release::find(folder.path(), &name("trixie-1")).unwrap_err();
    assert!(error.message().ends_with("trixie-1.toml` is the manifest of `bookworm-20240101`"), "{error}");
}

#[test]
fn two_manifests_of_one_name_are_refused() {
    let folder = folder();
    fs::write(folder.path().join("bookworm-20240101.json"), "{}").unwrap();
    let error = Release::find(folder.path(), &name("bookworm-20240101")).unwrap_err();
    assert!(error.message().ends_with("are both there"), "{error}");
}

#[test]
fn files_must_be_there_with_the_size_given() {
    let folder = folder();
    let mut release = Release::find(folder.path(), &name("bookworm-20240101")).unwrap();
    let missing = release.check_paths(&release.artifacts[0]).unwrap_err();
    assert_eq!(missing.message().lines().count(), 2, "{missing}");
    fs::write(&release.artifacts[0].file, "disk").unwrap();
    fs::write(release.artifacts[0].build_manifest.as_ref().unwrap(), "{}").unwrap();
    release.check_paths(&release.artifacts[0]).unwrap();
    release.artifacts[0].size = Some(5);
    assert!(
        release.check_paths(&release.artifacts[0]).unwrap_err().message().contains("has 4 bytes, the manifest says 5")
    );
    release.artifacts[0].file = folder.path().to_owned();
    assert!(release.check_paths(&release.artifacts[0]).unwrap_err().message().contains("is not a file"));
}

#[test]
fn a_symlink_may_not_lead_out_of_the_folder() {
    let folder = folder();
    let mut release = Release::find(folder.path(), &name("bookworm-20240101")).unwrap();
    release.artifacts[0].build_manifest = None;
    let file = release.artifacts[0].file.clone();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(
        release
            .check_paths(&release.artifacts[0])
            .unwrap_err()
            .message()
            .contains("leads out of the manifest's folder")
    );
    fs::remove_file(&file).unwrap();
    fs::write(folder.path().join("real.qcow2"), "disk").unwrap();
    std::os::unix::fs::symlink("real.qcow2", &file).unwrap();
    release.check_paths(&release.artifacts[0]).unwrap();
}

#[test]
fn a_manifest_named_without_folder_is_seen_from_here() {
    let release = Release::parse(Path::new("bookworm-20240101.toml"), RELEASE).unwrap();
    assert_eq!(release.folder, Path::new(""));
    assert!(
        release.check_paths(&release.artifacts[0]).unwrap_err().message().starts_with("could not open `debian-12-")
    );
}
