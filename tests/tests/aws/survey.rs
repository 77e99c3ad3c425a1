//! Surveys: complete, cheap, and honest about what they could not read.

use std::collections::BTreeSet;

use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::{Regions, Visibility};
use cloud_publish_core::names::PointerName;
use cloud_publish_core::publisher::{Context, Detail, PointRequest, Publisher as _, SurveyRequest, VisibilityRequest};
use cloud_publish_core::survey::{Life, Native};
use serde_json::{Value, json};

use crate::images::{COPIES, Images, at, images_in, target};
use crate::planted::ask;
use crate::world::{World, region, regions};

/// Everything of ours, no release in detail.
fn plain() -> SurveyRequest {
    SurveyRequest { owner: "debian".parse().unwrap(), detail: None }
}

/// Six images in the home region, three of them in one more.
async fn some(images: &Images, target: &Aws) {
    for (number, variant) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        let spec = images.variant(variant);
        let home = images.register(target, &spec).await.unwrap();
        if number < 3 {
            images.copy(target, (&spec, &home), &["eu-west-1"]).await.remove(0).1.unwrap();
        }
    }
}

/// The requests since so many, without those that ask who we are.
fn since(world: &World, before: usize) -> Vec<String> {
    world.asked().split_off(before).into_iter().filter(|line| !line.starts_with("sts:")).collect()
}

#[tokio::test]
async fn small_pages_hide_nothing() {
    let world = World::start(json!({"page_size": 2}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    some(&images, &target).await;
    let survey = target.survey(&images.context(), &plain()).await.unwrap();
    let per_region = |name: &str| survey.images.iter().filter(|image| image.region.as_str() == name).count();
    assert_eq!((per_region("us-east-1"), per_region("eu-west-1"), per_region("us-west-2")), (6, 3, 0));
    let distinct: BTreeSet<_> = survey.images.iter().map(|image| (&image.region, &image.id)).collect();
    assert_eq!(distinct.len(), 9);
    assert_eq!((survey.staged, survey.incomplete), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_survey_costs_two_listings_per_region_and_details_only_of_the_release() {
    let world = World::start(json!({"page_size": 1000}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    some(&images, &target).await;
    let mut other = images.variant("other");
    other.tags.release = "trixie-20240101".parse().unwrap();
    images.register(&target, &other).await.unwrap();

    let before = world.asked().len();
    target.survey(&images.context(), &plain()).await.unwrap();
    let mut asked = since(&world, before);
    asked.sort();
    let listings = ["eu-west-1", "us-east-1", "us-west-2"];
    let expected: Vec<String> = ["DescribeImages", "DescribeSnapshots"]
        .iter()
        .flat_map(|operation| listings.map(|region| format!("ec2:{operation} {region}")))
        .collect();
    assert_eq!(asked, expected);

    let before = world.asked().len();
    let detail = Some(Detail { release: other.tags.release.clone(), pointers: BTreeSet::new() });
    target.survey(&images.context(), &SurveyRequest { detail, ..plain() }).await.unwrap();
    let mut asked = since(&world, before);
    asked.retain(|line| !expected.contains(line));
    asked.sort();
    assert_eq!(asked, ["ec2:DescribeImageAttribute us-east-1", "ec2:DescribeSnapshotAttribute us-east-1"]);
}

#[tokio::test]
async fn a_region_that_cannot_be_read_is_a_gap_and_the_others_are_shown() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    some(&images, &target).await;
    let refuse = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    for operation in ["DescribeImages", "DescribeSnapshots", "*"] {
        world.hurt(json!([{"region": "eu-west-1", "operation": operation, "what": refuse}]));
        let survey = target.survey(&images.context(), &plain()).await.unwrap();
        let [gap] = survey.incomplete.as_slice() else { panic!("one gap: {:?}", survey.incomplete) };
        assert_eq!(gap.region.as_ref().unwrap().as_str(), "eu-west-1");
        assert!(gap.reason.contains("the credentials may not do this"), "{}", gap.reason);
        assert!(!survey.covers(gap.region.as_ref().unwrap()) && survey.covers(&region("us-east-1")));
        assert_eq!(survey.images.iter().filter(|image| image.region.as_str() == "us-east-1").count(), 6);
        assert_eq!(survey.staged, []);
    }
    world.hurt(json!([{"service": "ec2", "what": refuse}]));
    let refused = target.survey(&images.context(), &plain()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::PermissionDenied);
}

#[tokio::test]
async fn a_page_that_fails_keeps_those_before_it() {
    let world = World::start(json!({"page_size": 2}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    some(&images, &target).await;
    let refuse = json!({"refuse": {"status": 403, "code": "UnauthorizedOperation"}});
    world.hurt(json!([{"region": "us-east-1", "operation": "DescribeImages", "nth": 2, "what": refuse}]));
    let survey = target.survey(&images.context(), &plain()).await.unwrap();
    assert_eq!(survey.incomplete.len(), 1);
    assert_eq!(survey.images.iter().filter(|image| image.region.as_str() == "us-east-1").count(), 2);
    assert_eq!(survey.staged, [], "what an unread image uses is no leftover");
}

#[tokio::test]
async fn a_snapshot_without_an_image_is_a_leftover() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    some(&images, &target).await;
    let staged = images.staged(&target, &images.spec).await;
    let survey = images.survey(&target).await;
    let [found] = survey.staged.as_slice() else { panic!("one leftover: {:?}", survey.staged) };
    assert_eq!((found.id.as_str(), found.busy), (staged.id.as_str(), false));
    assert_eq!(found.tags.as_ref(), Some(&images.spec.tags));
    assert!(found.created.is_some());
}

#[tokio::test]
async fn the_snapshot_of_a_copy_under_way_is_no_leftover() {
    let world = World::start(json!({"delays": {"copy": 60_000}}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let home = images.register(&target, &images.spec).await.unwrap();
    let context = images.context();
    let copy = images.copy(&target, (&images.spec, &home), &["eu-west-1"]);
    tokio::time::timeout(std::time::Duration::from_secs(1), copy).await.unwrap_err();
    drop(context);
    let survey = images.survey(&target).await;
    assert_eq!(survey.staged, []);
    let copy = survey.images.iter().find(|image| image.region.as_str() == "eu-west-1").unwrap();
    assert_eq!((copy.native, copy.life()), (Native::Pending, Life::Staged));
}

#[tokio::test]
async fn states_are_told_apart() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({}));
    let context = images.context();
    let mut natives = Vec::new();
    for variant in ["available", "hidden", "retired"] {
        let spec = images.variant(variant);
        let made = images.register(&target, &spec).await.unwrap();
        let at = at(&spec, &made);
        match variant {
            "hidden" => target.hide(&context, &at).await.unwrap(),
            "retired" => target.retire(&context, &at).await.unwrap(),
            _ => {}
        }
    }
    for image in images.survey(&target).await.images {
        natives.push((image.tags.unwrap().variant.to_string(), image.native));
    }
    natives.sort();
    let named = |name: &str, native| (name.to_owned(), native);
    let expected =
        [named("available", Native::Available), named("hidden", Native::Hidden), named("retired", Native::Retired)];
    assert_eq!(natives, expected);
}

#[tokio::test]
async fn parties_are_shown_for_the_release_at_hand() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = target(&world, json!({"snapshots": "as-image"}));
    let made = images.register(&target, &images.spec).await.unwrap();
    let organisation = "arn:aws:organizations::111111111111:organization/o-abcdefghij";
    let wanted = Visibility::SharedWith(vec!["222222222222".to_owned(), organisation.to_owned()]);
    let request = VisibilityRequest { at: at(&images.spec, &made), wanted: wanted.clone(), along: Vec::new() };
    target.set_visibility(&images.context(), &request).await.unwrap();
    let found = images.survey(&target).await.images.remove(0);
    assert_eq!(found.visibility, wanted);
    assert_eq!(found.attributes["snapshot_visibility"], "shared with 222222222222");
    let request = VisibilityRequest { wanted: Visibility::Public, ..request };
    target.set_visibility(&images.context(), &request).await.unwrap();
    let found = target.survey(&images.context(), &plain()).await.unwrap().images.remove(0);
    assert_eq!(found.visibility, Visibility::Public, "the listing shows it");
    ask(&world, &format!("Action=DisableImage&ImageId={}", made.id));
    let found = images.survey(&target).await.images.remove(0);
    assert_eq!((found.native, found.visibility), (Native::Retired, Visibility::Private));
    assert_eq!(found.attributes["snapshot_visibility"], "public", "disabling takes the image's permissions only");
}

#[tokio::test]
async fn more_parameters_than_one_question_takes_are_all_resolved() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let target = world.target(json!({}));
    let made = images.register(&target, &images.spec).await.unwrap();
    let pointers: BTreeSet<PointerName> =
        (0..12).map(|number| format!("/debian/{number}/latest").parse().unwrap()).collect();
    for pointer in &pointers {
        let request = PointRequest { pointer: pointer.clone(), at: at(&images.spec, &made) };
        target.point(&images.context(), &request).await.unwrap();
    }
    let missing: PointerName = "/debian/none/latest".parse().unwrap();
    let asked = pointers.iter().cloned().chain([missing.clone()]).collect();
    let detail = Some(Detail { release: images.spec.tags.release.clone(), pointers: asked });
    let survey = target.survey(&images.context(), &SurveyRequest { detail, ..plain() }).await.unwrap();
    assert_eq!(survey.pointers.len(), 12);
    assert!(survey.pointers.iter().all(|found| found.to.as_ref() == Some(&made.id) && found.name != missing));
}

#[tokio::test]
async fn with_all_regions_those_left_out_are_looked_at_too() {
    let world = World::start(json!({}));
    let images = Images::new(1);
    let first = target(&world, json!({}));
    let home = images.register(&first, &images.spec).await.unwrap();
    for (_, result) in images.copy(&first, (&images.spec, &home), &COPIES).await {
        result.unwrap();
    }
    let settings =
        AwsSettings { regions: Some(Regions::All), deny: regions(&["us-west-2"]), ..world.settings(json!({})) };
    let survey = Aws::new(settings).survey(&images.context(), &plain()).await.unwrap();
    assert_eq!((survey.images.len(), survey.incomplete.len()), (3, 0));
    assert!(!world.asked().iter().any(|line| line.ends_with("af-south-1")), "it is not enabled");
}

/// An image that claims to be ours.
fn claimed(name: &str, tags: Value) -> Value {
    json!({"name": name, "tags": tags})
}

#[tokio::test]
async fn claims_are_shown_with_their_problems_and_other_owners_are_not() {
    let world = World::start(json!({"ec2": {"images": [
        claimed("claimed", json!({"cloud-publish-owner": "debian"})),
        claimed("others", json!({"cloud-publish-owner": "ubuntu"})),
        claimed("somebodys", json!({})),
    ]}}));
    let images = Images::new(1);
    let target = world.target(json!({}));
    let survey = images.survey(&target).await;
    let [found] = survey.images.as_slice() else { panic!("one image: {:?}", survey.images) };
    assert_eq!((found.name.as_str(), &found.tags), ("claimed", &None));
    assert!(found.problems.iter().any(|problem| problem.contains("cloud-publish-key is missing")), "{found:?}");
    assert_eq!(survey.staged, [], "its snapshot is in use");
}

#[tokio::test]
async fn two_images_of_one_key_are_both_shown_with_the_other_named() {
    let first = World::start(json!({}));
    let images = Images::new(1);
    images.register(&first.target(json!({})), &images.spec).await.unwrap();
    let tags = images_in(&first, "us-east-1")[0]["tags"].clone();
    let world = World::start(json!({"ec2": {"images": [claimed("one", tags.clone()), claimed("two", tags)]}}));
    let survey = images.survey(&world.target(json!({}))).await;
    let [one, two] = survey.images.as_slice() else { panic!("two images: {:?}", survey.images) };
    assert_eq!(one.problems, [format!("{} has the same key", two.id)]);
    assert_eq!(two.problems, [format!("{} has the same key", one.id)]);
    assert_eq!(one.tags.as_ref(), Some(&images.spec.tags));
}

#[tokio::test]
async fn a_survey_stops_when_it_is_asked_to() {
    let world = World::start(json!({}));
    let context = Context::detached();
    context.cancellation().cancel();
    let stopped = world.target(json!({})).survey(&context, &plain()).await.unwrap_err();
    assert_eq!(stopped.kind(), Kind::Cancelled);
}
