use std::fs;
use std::sync::Arc;

use super::super::{FormatChoice, Local, LocalSettings};
use super::rig::{Rig, region};
use crate::digest::Digest;
use crate::error::Kind;
use crate::identity::Marks;
use crate::manifest::Visibility;
use crate::names::Class;
use crate::publisher::{
    ImageAt, ImageSpec, PreflightRequest, Probe, Publisher, Severity, UploadRequest, VisibilityRequest,
};

const VERSION: &str = "20240101-1614";

async fn findings(rig: &Rig, images: &[Arc<ImageSpec>]) -> Vec<(Severity, String)> {
    let additions: Vec<_> = images.iter().map(|image| (Arc::clone(image), region())).collect();
    let request = PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly };
    let found = rig.local.preflight(&rig.context, &request).await.unwrap();
    found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

#[tokio::test]
async fn a_good_release_passes_preflight_and_nothing_is_written() {
    let rig = Rig::new();
    let images: Vec<_> = rig.release(Class::Release, VERSION).into_iter().map(|(image, _)| image).collect();
    assert_eq!(findings(&rig, &images).await, []);
    assert!(!rig.public().exists() && !rig.work().exists());
}

#[tokio::test]
async fn a_foreign_directory_of_the_same_version_is_refused_and_left_alone() {
    let rig = Rig::new();
    let dir = rig.public().join("bookworm").join(VERSION);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("theirs.json"), "not even json").unwrap();
    let (image, disk) = rig.image("generic", Class::Release, VERSION);
    let before = rig.stamps();
    let found = findings(&rig, &[Arc::clone(&image)]).await;
    assert!(matches!(&found[..], [(Severity::Error, message)] if message.contains("published already")), "{found:?}");
    let request = UploadRequest { image, region: region(), disk };
    assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap_err().kind(), Kind::Refused);
    let survey = rig.survey().await;
    assert!(survey.images.is_empty() && survey.incomplete.is_empty());
    assert_eq!(rig.stamps(), before);
}

#[tokio::test]
async fn a_published_version_gets_no_further_image() {
    let rig = Rig::new();
    rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let late = rig.image("late", Class::Release, VERSION);
    assert_eq!(findings(&rig, &[Arc::clone(&late.0)]).await.len(), 1);
    let error = rig.register(&[late]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.advice().unwrap().contains("new version"));
}

#[tokio::test]
async fn a_directory_that_was_moved_after_its_publication_is_told_once_as_that() {
    let rig = Rig::new();
    let release = rig.release(Class::Release, VERSION);
    rig.publish(&release).await.unwrap();
    let images: Vec<_> = release.iter().map(|(image, _)| Arc::clone(image)).collect();
    let elsewhere = rig.top().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(rig.public(), elsewhere.join("public")).unwrap();
    let moved = Rig { local: super::rig::local_in(&elsewhere), ..rig };
    let found = findings(&moved, &images).await;
    let is_told = |message: &str| message.contains("published under another path");
    assert!(matches!(&found[..], [(Severity::Error, message)] if is_told(message)), "{found:?}");
    let error = moved.register(&release).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.advice().unwrap().starts_with("move it back"), "{error:?}");
    fs::rename(elsewhere.join("public"), moved.public()).unwrap();
    let back = Rig { local: super::rig::local_in(&moved.top()), ..moved };
    assert_eq!(findings(&back, &images).await, []);
}

#[tokio::test]
async fn a_version_whose_file_is_missing_is_made_anew_once_it_was_moved_away() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let all = rig.publish(&images).await.unwrap();
    let before = rig.tree();
    fs::remove_file(rig.public().join(all[0].id.as_str())).unwrap();
    let dir = rig.public().join("bookworm").join(VERSION);
    let problem = rig.found(&all[0]).await.unwrap().problems.remove(0);
    assert!(problem.contains(&format!("put it back, or move {} away", dir.display())), "{problem}");
    fs::rename(&dir, rig.top().join("away")).unwrap();
    assert_eq!(rig.publish(&images).await.unwrap(), all);
    assert_eq!(rig.tree(), before);
}

#[tokio::test]
async fn a_path_in_the_kernel_s_own_file_systems_is_told_once_as_that() {
    let rig = Rig { local: super::rig::local_in("/proc/missing".as_ref()), ..Rig::new() };
    let (image, _) = rig.image("generic", Class::Release, VERSION);
    let found = findings(&rig, &[image]).await;
    assert!(matches!(&found[..], [(_, message)] if message.contains("no directory can be made here")), "{found:?}");
}

#[tokio::test]
async fn other_content_under_the_same_key_is_a_conflict() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    rig.publish(&images).await.unwrap();
    let (image, disk) = &images[0];
    let mut other = ImageSpec::clone(image);
    other.tags.digest = Digest::from_bytes([9; 32]);
    let request = UploadRequest { image: Arc::new(other.clone()), region: region(), disk: Arc::clone(disk) };
    assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap_err().kind(), Kind::Conflict);
    other.tags.version = "20240101-1615".parse().unwrap();
    let request = UploadRequest { image: Arc::new(other), region: region(), disk: Arc::clone(disk) };
    assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn bytes_that_are_not_the_verified_ones_are_not_kept() {
    let rig = Rig::new();
    let (image, disk) = rig.image("generic", Class::Release, VERSION);
    let mut wrong = ImageSpec::clone(&image);
    wrong.file_sha512 = Some("00".repeat(64));
    let request = UploadRequest { image: Arc::new(wrong), region: region(), disk };
    assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap_err().kind(), Kind::Corrupt);
    assert!(rig.survey().await.images.is_empty());
}

#[tokio::test]
async fn names_that_leave_the_directory_or_mean_something_else_are_refused() {
    let rig = Rig::new();
    let (image, _) = rig.image("generic", Class::Release, VERSION);
    let expect = |image: &ImageSpec| rig.local.expect(image, &region()).map(drop).map_err(|error| error.kind());
    for name in ["../../etc/passwd", ".hidden", "a/b", "a\\b", &"x".repeat(201)] {
        let bad = ImageSpec { name: name.parse().unwrap(), ..ImageSpec::clone(&image) };
        assert_eq!(expect(&bad), Err(Kind::InvalidInput), "{name}");
    }
    for version in ["daily", "dev", "latest", "index.html"] {
        let mut bad = ImageSpec::clone(&image);
        bad.tags.version = version.parse().unwrap();
        assert_eq!(expect(&bad), Err(Kind::InvalidInput), "{version}");
    }
}

#[tokio::test]
async fn an_id_with_other_tags_is_refused_and_nothing_is_touched() {
    let rig = Rig::new();
    let all = rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let before = rig.stamps();
    let mut swapped = ImageAt { id: all[1].id.clone(), ..all[0].clone() };
    assert_eq!(rig.local.retire(&rig.context, &swapped).await.unwrap_err().kind(), Kind::Refused);
    swapped.id = "bookworm/20240101-1614/../../x.raw".parse().unwrap();
    assert_eq!(rig.local.delete(&rig.context, &swapped).await.unwrap_err().kind(), Kind::Refused);
    let mut foreign = all[0].clone();
    foreign.tags.owner = "somebody".parse().unwrap();
    assert_eq!(rig.local.delete(&rig.context, &foreign).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(rig.stamps(), before);
}

#[tokio::test]
async fn a_published_image_cannot_be_made_private_and_others_do_not_exist() {
    let rig = Rig::new();
    let all = rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    for wanted in [Visibility::Private, Visibility::Community, Visibility::SharedWith(vec!["x".into()])] {
        let request = VisibilityRequest { at: all[0].clone(), wanted, along: Vec::new() };
        assert_eq!(rig.local.set_visibility(&rig.context, &request).await.unwrap_err().kind(), Kind::Unsupported);
    }
}

#[tokio::test]
async fn an_image_taken_back_before_its_publication_is_not_published_with_the_others() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let all = rig.register(&images).await.unwrap();
    rig.local.retire(&rig.context, &all[0]).await.unwrap();
    let request = VisibilityRequest { at: all[1].clone(), wanted: Visibility::Public, along: Vec::new() };
    assert_eq!(rig.local.set_visibility(&rig.context, &request).await.unwrap_err().kind(), Kind::Refused);
    assert!(!rig.public().exists());
    rig.local.restore(&rig.context, &all[0]).await.unwrap();
    rig.mark(&all[0], Marks::default()).await.unwrap();
    rig.local.set_visibility(&rig.context, &request).await.unwrap();
}

#[tokio::test]
async fn a_leftover_upload_is_found_and_discarded() {
    let rig = Rig::new();
    let (image, disk) = rig.image("generic", Class::Release, VERSION);
    let request = UploadRequest { image, region: region(), disk };
    assert!(rig.local.upload(&rig.context, &request).await.unwrap().sent > 0);
    assert_eq!(rig.local.upload(&rig.context, &request).await.unwrap().sent, 0);
    let staged = rig.survey().await.staged;
    assert_eq!((staged.len(), staged[0].busy), (1, false));
    rig.local.discard(&rig.context, &staged[0]).await.unwrap();
    rig.local.discard(&rig.context, &staged[0]).await.unwrap();
    assert!(rig.survey().await.staged.is_empty());
}

#[tokio::test]
async fn broken_directories_are_reported_and_everything_else_is_still_read() {
    let rig = Rig::new();
    let all = rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let dir = rig.public().join("bookworm").join(VERSION);
    fs::write(dir.join("debian-12-generic-amd64-20240101-1614.json"), "{ torn").unwrap();
    let survey = rig.survey().await;
    assert_eq!((survey.images.len(), survey.incomplete.len()), (1, 1));
    fs::remove_file(rig.public().join(all[1].id.as_str())).unwrap();
    let survey = rig.survey().await;
    assert!(survey.images[0].problems[0].contains("is missing"));
    assert_eq!(rig.local.hide(&rig.context, &all[1]).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn pages_and_links_of_others_are_left_alone() {
    let rig = Rig::new();
    fs::create_dir_all(rig.public().join("bookworm")).unwrap();
    fs::write(rig.public().join("index.html"), "theirs").unwrap();
    let images = rig.release(Class::Release, VERSION);
    let found = findings(&rig, &[Arc::clone(&images[0].0)]).await;
    assert!(matches!(&found[..], [(Severity::Warning, _)]), "{found:?}");
    fs::create_dir(rig.public().join("bookworm/latest")).unwrap();
    assert!(findings(&rig, &[Arc::clone(&images[0].0)]).await.iter().any(|(severity, _)| *severity == Severity::Error));
    assert_eq!(rig.publish(&images).await.unwrap_err().kind(), Kind::NameTaken);
    assert_eq!(fs::read_to_string(rig.public().join("index.html")).unwrap(), "theirs");
}

#[tokio::test]
async fn the_build_manifest_is_published_with_its_other_items() {
    let rig = Rig::new();
    let (image, disk) = rig.image("generic", Class::Release, VERSION);
    let path = rig.top().join("build.json");
    fs::write(&path, r#"{"kind": "List", "apiVersion": "v1", "items": [{"kind": "Build", "data": {"odd": [1]}}]}"#)
        .unwrap();
    let image = ImageSpec { build_manifest: Some(path.clone()), ..ImageSpec::clone(&image) };
    let all = rig.publish(&[(Arc::new(image.clone()), disk)]).await.unwrap();
    let written = fs::read(rig.public().join(all[0].id.as_str().replace(".raw", ".json"))).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written["items"][0]["data"]["odd"][0], 1);
    assert_eq!(written["items"][1]["data"]["ref"], all[0].id.as_str());
    fs::remove_file(&path).unwrap();
    let mut other = image;
    other.tags.release = "other".parse().unwrap();
    other.tags.version = "8".parse().unwrap();
    assert!(findings(&rig, &[Arc::new(other)]).await[0].1.contains("not there"));
}

#[test]
fn a_target_without_formats_is_refused() {
    let settings = |formats: Vec<FormatChoice>| LocalSettings {
        target: "local".parse().unwrap(),
        owner: "debian".parse().unwrap(),
        path: "/nonexistent/public".into(),
        formats,
        base_url: None,
    };
    assert_eq!(Local::new(settings(Vec::new())).unwrap_err().kind(), Kind::InvalidInput);
    assert!(Local::new(settings(vec![FormatChoice::AsIs])).is_ok());
}
