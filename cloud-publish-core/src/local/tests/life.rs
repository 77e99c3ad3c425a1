use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::rig::{Rig, SIZE, assert_mirrorable, local_in, publish, region};
use super::steps::Watch;
use crate::identity::Marks;
use crate::manifest::{Together, Visibility};
use crate::names::Class;
use crate::publisher::{Deletion, Proof, ProveRequest, Publisher, ReplicateRequest, VisibilityRequest};
use crate::survey::{Life, Native};

const VERSION: &str = "20240101-1614";

#[tokio::test]
async fn a_published_release_has_exactly_the_layout_that_is_promised() {
    let rig = Rig::new();
    rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let tree = rig.tree();
    let names: Vec<&str> = tree.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "bookworm",
            "bookworm/20240101-1614",
            "bookworm/20240101-1614/SHA512SUMS",
            "bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.json",
            "bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw",
            "bookworm/20240101-1614/debian-12-nocloud-amd64-20240101-1614.json",
            "bookworm/20240101-1614/debian-12-nocloud-amd64-20240101-1614.raw",
            "bookworm/20240101-1614/index.html",
            "bookworm/index.html",
            "bookworm/latest",
            "index.html",
        ]
    );
    assert_eq!(tree["bookworm/latest"], "-> 20240101-1614");
    let sums = fs::read_to_string(rig.public().join("bookworm/20240101-1614/SHA512SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4);
    assert_mirrorable(&rig.public());
}

#[tokio::test]
async fn dailies_are_in_their_own_directory_and_say_that_they_are_ephemeral() {
    let rig = Rig::new();
    rig.publish(&rig.release(Class::Daily, VERSION)).await.unwrap();
    rig.publish(&rig.release(Class::Dev, "7")).await.unwrap();
    let tree = rig.tree();
    assert_eq!(tree["bookworm/daily/latest"], "-> 20240101-1614");
    assert!(!tree.contains_key("bookworm/dev/latest") && tree.contains_key("bookworm/dev/7/SHA512SUMS"));
    let read = |name: &str| fs::read_to_string(rig.public().join(name)).unwrap();
    assert!(read("bookworm/daily/20240101-1614/index.html").contains("ephemeral: deleted without notice"));
    assert!(read("bookworm/daily/index.html").contains("href=\"20240101-1614/\""));
    assert!(read("bookworm/index.html").contains("href=\"daily/\""));
    assert!(read("index.html").contains("href=\"bookworm/\""));
}

#[tokio::test]
async fn the_versions_are_listed_and_latest_follows() {
    let rig = Rig::new();
    rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    rig.publish(&rig.release(Class::Release, "20240202-1")).await.unwrap();
    let page = fs::read_to_string(rig.public().join("bookworm/index.html")).unwrap();
    assert!(page.contains(VERSION) && page.contains("20240202-1"));
    let survey = rig.survey().await;
    let leads_to: Vec<&str> = survey.pointers.iter().map(|found| found.to.as_ref().unwrap().as_str()).collect();
    assert_eq!(leads_to, ["bookworm/20240202-1/debian-12-generic-amd64-20240202-1.raw"]);
}

#[tokio::test]
async fn the_mirrored_tree_is_in_order_at_every_step_and_a_version_appears_whole() {
    let rig = Rig::new();
    let public = rig.public();
    let _watch = Watch::new(&rig.top(), move || {
        assert_mirrorable(&public);
        let version = public.join("bookworm").join(VERSION);
        let images = fs::read_dir(&version).into_iter().flatten();
        let images = images.filter(|entry| entry.as_ref().unwrap().path().extension() == Some("raw".as_ref())).count();
        assert_eq!(images, if version.exists() { 2 } else { 0 });
        true
    });
    rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    rig.publish(&rig.release(Class::Release, "20240202-1")).await.unwrap();
}

#[tokio::test]
async fn latest_resolves_at_every_step_of_its_move() {
    let rig = Rig::new();
    rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let link = rig.public().join("bookworm/latest");
    let _watch = Watch::new(&rig.top(), move || {
        assert!(link.canonicalize().is_ok());
        true
    });
    rig.publish(&rig.release(Class::Release, "20240202-1")).await.unwrap();
}

#[tokio::test]
async fn an_image_goes_through_its_whole_life() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let registered = rig.register(&images).await.unwrap();
    let life = async |at| rig.found(at).await.map(|found| found.life());
    let [first, second] = &registered[..] else { panic!("two images") };
    assert_eq!(life(first).await, Some(Life::Registered));
    assert!(!rig.public().exists());
    rig.publish(&images).await.unwrap();
    assert_eq!(life(first).await, Some(Life::Published));
    rig.local.hide(&rig.context, first).await.unwrap();
    assert_eq!(life(first).await, Some(Life::Hidden));
    let page = fs::read_to_string(rig.public().join("bookworm/20240101-1614/index.html")).unwrap();
    assert!(!page.contains("generic") && page.contains("nocloud"));
    rig.local.retire(&rig.context, first).await.unwrap();
    assert_eq!(life(first).await, Some(Life::Retired));
    assert!(!rig.public().join(first.id.as_str()).exists());
    assert_mirrorable(&rig.public());
    rig.local.restore(&rig.context, first).await.unwrap();
    let marks = Marks { published: Some("2024-01-02T00:00:00Z".parse().unwrap()), ..Marks::default() };
    rig.mark(first, marks).await.unwrap();
    assert_eq!(life(first).await, Some(Life::Published));
    for at in [first, second] {
        rig.local.retire(&rig.context, at).await.unwrap();
        assert_eq!(rig.local.delete(&rig.context, at).await.unwrap(), Deletion::Gone);
        assert_eq!(rig.local.delete(&rig.context, at).await.unwrap(), Deletion::Gone);
        assert_eq!(life(at).await, None);
    }
    let names: Vec<String> = rig.tree().into_keys().collect();
    assert_eq!(names, ["bookworm", "bookworm/index.html", "index.html"]);
    assert_eq!(fs::read_dir(rig.work().join("state")).unwrap().count(), 2);
}

#[tokio::test]
async fn restoring_everything_gives_the_same_tree_again() {
    let rig = Rig::new();
    let all = rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let mut before = rig.tree();
    before.remove("bookworm/latest");
    for at in &all {
        rig.local.retire(&rig.context, at).await.unwrap();
    }
    assert!(!rig.public().join("bookworm").join(VERSION).exists());
    for at in &all {
        rig.local.restore(&rig.context, at).await.unwrap();
    }
    assert_eq!(rig.tree(), before);
    assert_eq!(fs::read_dir(rig.work().join("retired")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_rerun_of_a_finished_release_writes_nothing() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let first = rig.publish(&images).await.unwrap();
    let before = rig.stamps();
    assert_eq!(rig.publish(&images).await.unwrap(), first);
    rig.survey().await;
    assert_eq!(rig.stamps(), before);
}

#[tokio::test]
async fn published_images_are_recognised_with_the_work_directory_lost() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let all = rig.publish(&images).await.unwrap();
    let before = rig.stamps();
    fs::remove_dir_all(rig.work()).unwrap();
    let found = rig.found(&all[0]).await.unwrap();
    assert_eq!(found.life(), Life::Published);
    assert_eq!(found.tags.as_ref(), Some(&all[0].tags));
    assert_eq!(found.extra_tags["team"], "cloud");
    assert!(!rig.work().exists());
    rig.publish(&images).await.unwrap();
    assert_eq!(rig.stamps(), before);
}

#[tokio::test]
async fn the_survey_shows_what_was_expected() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let all = rig.publish(&images).await.unwrap();
    let expected = rig.local.expect(&images[0].0, &region()).unwrap();
    let found = rig.found(&all[0]).await.unwrap();
    assert_eq!(found.attributes, expected.attributes);
    assert_eq!(found.name, images[0].0.name.as_str());
    assert_eq!((found.native, found.visibility), (Native::Available, Visibility::Public));
    assert_eq!(
        expected.attributes["url"],
        "https://images.example.org/cloud/bookworm/20240101-1614/debian-12-generic-amd64-20240101-1614.raw"
    );
    let pointers = rig.survey().await.pointers;
    assert!(
        pointers.iter().any(|found| expected.pointers.contains(&found.name) && found.to.as_ref() == Some(&all[0].id))
    );
}

#[tokio::test]
async fn the_content_is_proven_and_stays_sparse() {
    let rig = Rig::new();
    let all = rig.publish(&rig.release(Class::Release, VERSION)).await.unwrap();
    let proof = rig.local.prove(&rig.context, &ProveRequest { at: all[0].clone(), file_sha512: None }).await.unwrap();
    assert_eq!(proof, Proof::Content { digest: all[0].tags.digest });
    let found = fs::metadata(rig.public().join(all[0].id.as_str())).unwrap();
    assert_eq!(found.len(), SIZE);
    assert!(found.blocks() * 512 < SIZE / 4, "{} blocks", found.blocks());
}

#[tokio::test]
async fn the_target_says_what_it_is_and_finds_images_instead_of_copying_them() {
    let rig = Rig::new();
    let info = rig.local.info(&rig.context).await.unwrap();
    assert_eq!(info.place.account.as_str(), rig.public().to_str().unwrap());
    assert_eq!(info.capability.together, Some(Together::Target));
    let images = rig.release(Class::Release, VERSION);
    let all = rig.register(&images).await.unwrap();
    let elsewhere = "elsewhere".parse().unwrap();
    let (image, home) = (std::sync::Arc::clone(&images[0].0), all[0].clone());
    let request = ReplicateRequest { image, home, regions: vec![region(), elsewhere] };
    let found = rig.local.replicate(&rig.context, &request).await.unwrap();
    assert!(found[0].1.is_ok() && found[1].1.is_err());
    let usage = rig.local.usage(&rig.context, &all).await.unwrap();
    assert!(usage.iter().all(|usage| usage.in_use.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_publishers_at_once_make_one_set_of_images() {
    let rig = Rig::new();
    let images = rig.release(Class::Release, VERSION);
    let other = local_in(rig.dir.path());
    let context = rig.context.clone();
    let (one, two) = tokio::join!(rig.publish(&images), publish(&other, &context, &images));
    assert_eq!(one.unwrap(), two.unwrap());
    let survey = rig.survey().await;
    assert_eq!((survey.images.len(), survey.staged.len()), (2, 0));
    assert_mirrorable(&rig.public());
}

#[tokio::test]
async fn a_private_release_never_reaches_the_mirrored_tree() {
    let rig = Rig::new();
    let all = rig.register(&rig.release(Class::Dev, "7")).await.unwrap();
    let request = VisibilityRequest { at: all[0].clone(), wanted: Visibility::Private, along: Vec::new() };
    rig.local.set_visibility(&rig.context, &request).await.unwrap();
    let marks = Marks { published: Some("2024-01-02T00:00:00Z".parse().unwrap()), ..Marks::default() };
    rig.mark(&all[0], marks).await.unwrap();
    let found = rig.found(&all[0]).await.unwrap();
    assert_eq!((found.life(), found.visibility), (Life::Published, Visibility::Private));
    assert!(!rig.public().exists());
}
