//! Who may use an image, which tags it has, and what a survey makes of it.

use std::collections::BTreeMap;

use cloud_publish_core::error::Kind;
use cloud_publish_core::identity::Marks;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{SurveyRequest, TagRequest, VisibilityRequest};
use cloud_publish_core::survey::Life;
use futures::StreamExt as _;
use serde_json::json;

use crate::foreign::{Foreign, variable};
use crate::world::{World, one, target};

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn every_visibility_is_reached_from_every_other_exactly() {
    let world = World::new().await;
    let at = world.image(&world.spec("1")).await;
    let consumer = variable("OPENSTACK_TEST_CONSUMER_PROJECT");
    let other = variable("OPENSTACK_TEST_SMALLQUOTA_PROJECT");
    let both = Visibility::SharedWith(sorted([&consumer, &other]));
    let one_of_them = Visibility::SharedWith(vec![consumer.clone()]);
    for wanted in [
        both.clone(),
        one_of_them.clone(),
        Visibility::Public,
        one_of_them,
        Visibility::Community,
        both,
        Visibility::Private,
        Visibility::Public,
        Visibility::Private,
    ] {
        let request = VisibilityRequest { at: at.clone(), wanted: wanted.clone(), along: Vec::new() };
        for _ in 0..2 {
            world.target.set_visibility(&world.context, &request).await.unwrap();
            assert_eq!(world.found(&at.id).await.visibility, wanted);
        }
    }
    world.wipe().await;
}

fn sorted(projects: [&String; 2]) -> Vec<String> {
    let mut projects: Vec<String> = projects.into_iter().cloned().collect();
    projects.sort();
    projects
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_shared_image_is_there_for_its_member_only() {
    let world = World::new().await;
    let at = world.image(&world.spec("1")).await;
    let consumer = Foreign::sign_in("consumer", "consumer").await;
    let share = |wanted| VisibilityRequest { at: at.clone(), wanted, along: Vec::new() };
    let shared = Visibility::SharedWith(vec![variable("OPENSTACK_TEST_CONSUMER_PROJECT")]);
    assert!(consumer.show(at.id.as_str()).await.is_none());
    world.target.set_visibility(&world.context, &share(shared)).await.unwrap();
    assert!(consumer.show(at.id.as_str()).await.is_some());
    world.target.set_visibility(&world.context, &share(Visibility::Private)).await.unwrap();
    assert!(consumer.show(at.id.as_str()).await.is_none());
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_member_may_not_publish_and_is_told_what_to_do() {
    let world = World::of("member", 1 << 20).await;
    let at = world.image(&world.spec("1")).await;
    let request = VisibilityRequest { at, wanted: Visibility::Public, along: Vec::new() };
    let error = world.target.set_visibility(&world.context, &request).await.unwrap_err();
    assert_eq!(error.kind(), Kind::PermissionDenied);
    assert!(error.advice().unwrap().contains("visibility"));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn tags_become_exactly_the_wanted_ones_and_nothing_else_changes() {
    let world = World::new().await;
    let spec = world.spec("1");
    let at = world.image(&spec).await;
    let before = world.found(&at.id).await;
    let now = Some("2026-01-02T03:04:05Z".parse().unwrap());
    let marks = Marks { published: now, withdrawn: now, retired: None };
    let extra = BTreeMap::from([("line/of~business".to_owned(), "a b".to_owned())]);
    let mut request = TagRequest { at: at.clone(), marks: marks.clone().into(), extra: Some(extra.clone()) };
    world.target.tag(&world.context, &request).await.unwrap();
    let found = world.found(&at.id).await;
    assert_eq!((&found.marks, &found.extra_tags), (&marks, &extra));
    let fewer = Marks { published: now, ..Marks::default() };
    request = TagRequest { marks: fewer.clone().into(), extra: None, ..request };
    world.target.tag(&world.context, &request).await.unwrap();
    let found = world.found(&at.id).await;
    assert_eq!((&found.marks, &found.extra_tags, found.life()), (&fewer, &extra, Life::Published));
    assert_eq!((found.tags, found.attributes), (before.tags, before.attributes));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn nothing_is_done_to_an_image_whose_tags_are_others() {
    let world = World::new().await;
    let mut at = world.image(&world.spec("1")).await;
    at.tags = world.spec("2").tags;
    let request = VisibilityRequest { at: at.clone(), wanted: Visibility::Community, along: Vec::new() };
    let refused = world.target.set_visibility(&world.context, &request).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    for refused in [
        world.target.hide(&world.context, &at).await.unwrap_err(),
        world.target.retire(&world.context, &at).await.unwrap_err(),
        world.target.delete(&world.context, &at).await.unwrap_err(),
    ] {
        assert_eq!(refused.kind(), Kind::Refused);
    }
    let found = world.found(&at.id).await;
    assert_eq!((found.life(), found.visibility), (Life::Registered, Visibility::Private));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_survey_reads_every_page_and_hidden_records_too() {
    let world = World::new().await;
    let owner = world.owner.as_str();
    let records = (0..53).map(|number| {
        let record = json!({"name": format!("{owner}-{number}"), "cloud-publish-owner": owner, "tags": ["cloud-publish"],
            "os_hidden": number % 25 == 0});
        let foreign = &world.foreign;
        async move { foreign.create(&record).await }
    });
    let made: Vec<_> = futures::stream::iter(records).buffer_unordered(2).collect().await;
    let survey = world.survey().await;
    let seen: Vec<&str> = survey.staged.iter().map(|record| record.id.as_str()).collect();
    let missed = made.iter().filter(|record| !seen.contains(&record.get("id").unwrap().as_str().unwrap()));
    assert_eq!(missed.count(), 0);
    assert!(survey.staged.iter().all(|record| record.tags.is_none() && !record.busy && record.region == one()));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn community_images_of_ours_are_seen_by_a_member_and_foreign_owners_are_not() {
    let world = World::of("member", 1 << 20).await;
    let at = world.image(&world.spec("1")).await;
    let request = VisibilityRequest { at: at.clone(), wanted: Visibility::Community, along: Vec::new() };
    world.target.set_visibility(&world.context, &request).await.unwrap();
    assert_eq!(world.found(&at.id).await.visibility, Visibility::Community);
    let other = target("member", &"test-somebody-else".parse().unwrap());
    let request = SurveyRequest { owner: "test-somebody-else".parse().unwrap(), detail: None };
    let survey = other.survey(&world.context, &request).await.unwrap();
    assert_eq!((survey.images.len(), survey.staged.len()), (0, 0));
    world.wipe().await;
}
