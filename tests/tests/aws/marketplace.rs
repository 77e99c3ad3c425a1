//! Marketplace listings: one change set for each version, however often it is asked for.

use std::sync::Arc;
use std::time::Duration;

use cloud_publish_core::error::{Kind, Result, Retry};
use cloud_publish_core::publisher::{Context, Detail, Listing, ListingRequest, Publisher as _, SurveyRequest};
use cloud_publish_core::survey::FoundListing;
use serde_json::{Value, json};

use crate::planted::{Planted, context};
use crate::uploads::Uploads;
use crate::world::image;

const PRODUCT: &str = "prod-debian12";
const TITLE: &str = "Debian 12 20240101-1614";

/// A world with a product, and an image that can be offered there.
fn planted(settings: Value) -> Planted {
    let mut all = json!({"marketplace": {"products": {PRODUCT: {}}}});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    Planted::with(json!({}), all)
}

fn keys(change: Value) -> Value {
    let mut shop = json!({
        "product": PRODUCT, "suite": "bookworm", "variant": "genericcloud", "arch": "amd64",
        "version_title": "Debian {suite_id} {version}", "release_notes": "See debian.org/{suite}",
        "usage_instructions": "ssh admin@host", "user_name": "admin", "instance_type": "m5.large",
        "access_role": "arn:aws:iam::111111111111:role/AwsMarketplaceAmiIngestion",
        "operating_system": "DEBIAN", "operating_system_version": "12",
    });
    shop.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({"marketplace": {"shop": shop}})
}

async fn list(planted: &Planted, keys: Value, context: &Context) -> Result<Listing> {
    let step = Uploads::new(1);
    let mut spec = image(&step.sample);
    spec.tags = planted.at.tags.clone();
    let request = ListingRequest { image: Arc::new(spec), at: planted.at.clone(), listing: "shop".to_owned() };
    planted.world.target(keys).list_in_marketplace(context, &request).await
}

fn catalogue(planted: &Planted) -> Value {
    planted.world.fake.world.dump()["marketplace"].clone()
}

fn change_sets(planted: &Planted) -> Vec<Value> {
    catalogue(planted)["change_sets"].as_array().unwrap().clone()
}

fn titles(planted: &Planted) -> Vec<String> {
    let versions = catalogue(planted)["products"][PRODUCT]["details"]["Versions"].clone();
    versions.as_array().unwrap().iter().map(|one| one["VersionTitle"].as_str().unwrap().to_owned()).collect()
}

async fn surveyed(planted: &Planted, keys: Value) -> Vec<FoundListing> {
    let detail = Detail { release: planted.at.tags.release.clone(), pointers: [].into() };
    let request = SurveyRequest { owner: planted.at.tags.owner.clone(), detail: Some(detail) };
    planted.world.target(keys).survey(&context(), &request).await.unwrap().listings
}

#[tokio::test]
async fn a_version_is_added_once_and_the_survey_shows_it() {
    let planted = planted(json!({}));
    assert_eq!(surveyed(&planted, keys(json!({}))).await, []);
    for _ in 0..2 {
        assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Listed);
    }
    assert_eq!((titles(&planted).last().unwrap().as_str(), change_sets(&planted).len()), (TITLE, 1));
    let found = FoundListing { listing: "shop".to_owned(), image: planted.at.id.clone(), state: Listing::Listed };
    assert_eq!(surveyed(&planted, keys(json!({}))).await, [found]);
    for other in [json!({"suite": "trixie"}), json!({"classes": ["daily"]})] {
        assert_eq!(surveyed(&planted, keys(other.clone())).await, [], "another product's image: {other}");
    }
}

#[tokio::test]
async fn a_review_that_takes_long_is_pending_and_picked_up_by_another_machine() {
    let planted = planted(json!({"delays": {"change_set": 3_600_000}}));
    for _ in 0..2 {
        assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Pending);
    }
    assert_eq!(change_sets(&planted).len(), 1);
    assert_eq!(surveyed(&planted, keys(json!({}))).await.first().unwrap().state, Listing::Pending);
    planted.world.fake.world.advance(3 * 3_600_000);
    assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Listed);
    assert_eq!(change_sets(&planted).len(), 1);
}

#[tokio::test]
async fn a_change_set_of_somebody_else_is_waited_for() {
    let planted = planted(json!({"delays": {"change_set": 3_600_000}}));
    let other = keys(json!({"validate_only": true, "user_name": "other"}));
    assert_eq!(list(&planted, other, &context()).await.unwrap(), Listing::Pending);
    assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Pending);
    assert_eq!(change_sets(&planted).len(), 1, "AWS takes one at a time for a product");
    planted.world.fake.world.advance(3 * 3_600_000);
    planted.world.change(json!({"delays": {"change_set": 100}}));
    assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Listed);
    assert_eq!(change_sets(&planted).len(), 2);
}

#[tokio::test]
async fn validating_adds_no_version_and_ends() {
    let planted = planted(json!({}));
    for _ in 0..2 {
        let checked = list(&planted, keys(json!({"validate_only": true})), &context()).await.unwrap();
        assert_eq!(checked, Listing::Listed);
    }
    let [set] = change_sets(&planted).try_into().unwrap();
    assert_eq!(set["intent"], json!("VALIDATE"));
    assert_eq!(titles(&planted), ["First"]);
}

#[tokio::test]
async fn a_refusal_is_told_once_with_its_reasons_and_then_tried_anew() {
    let (planted, step) = (planted(json!({"delays": {"change_set": 5}})), Uploads::new(1));
    let broken = keys(json!({"instance_type": "x99.huge"}));
    let refused = list(&planted, broken.clone(), &step.context()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.retry()), (Kind::InvalidInput, Retry::Never));
    assert!(refused.message().contains("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE"), "{refused}");
    let again = list(&planted, broken, &step.context()).await.unwrap_err();
    assert!(again.message().contains("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE"), "{again}");
    assert_eq!(change_sets(&planted).len(), 2);
    assert_eq!(list(&planted, keys(json!({})), &step.context()).await.unwrap(), Listing::Listed);
    assert_eq!(titles(&planted), ["First", TITLE]);
}

#[tokio::test]
async fn a_lost_reply_makes_no_second_change_set() {
    let planted = planted(json!({}));
    planted.world.hurt(json!([{"operation": "StartChangeSet", "what": "lost", "times": 1}]));
    assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Listed);
    assert_eq!(change_sets(&planted).len(), 1);
}

#[tokio::test]
async fn two_at_once_make_one_change_set() {
    let planted = planted(json!({}));
    let (steps, keys) = ([context(), context()], keys(json!({})));
    let both = futures::join!(list(&planted, keys.clone(), &steps[0]), list(&planted, keys.clone(), &steps[1]));
    both.0.unwrap();
    both.1.unwrap();
    planted.world.fake.world.advance(3_600_000);
    for step in &steps {
        assert_eq!(list(&planted, keys.clone(), step).await.unwrap(), Listing::Listed);
    }
    assert_eq!((change_sets(&planted).len(), titles(&planted)), (1, vec!["First".to_owned(), TITLE.to_owned()]));
}

#[tokio::test]
async fn an_old_version_is_hidden_from_new_buyers() {
    let planted = planted(json!({}));
    list(&planted, keys(json!({})), &context()).await.unwrap();
    let target = planted.world.target(keys(json!({})));
    for _ in 0..2 {
        let hidden = target.restrict_listing(&context(), "shop", &planted.at.id).await.unwrap();
        assert_eq!(hidden, Listing::Listed);
    }
    let versions = catalogue(&planted)["products"][PRODUCT]["details"]["Versions"].clone();
    let last = versions.as_array().unwrap().last().unwrap();
    assert_eq!(last["DeliveryOptions"][0]["Visibility"], json!("Restricted"));
    assert_eq!(change_sets(&planted).len(), 2);
    let unknown = target.restrict_listing(&context(), "shop", &"ami-0123456789abcdef0".parse().unwrap()).await;
    assert_eq!(unknown.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_before_anything_is_started() {
    let planted = planted(json!({}));
    for (broken, word) in [
        (keys(json!({"version_title": "Debian"})), "same version title"),
        (keys(json!({"product": "prod-unknown"})), ""),
        (json!({}), "no listing `shop`"),
    ] {
        let refused = list(&planted, broken, &context()).await.unwrap_err();
        assert!(matches!(refused.kind(), Kind::InvalidInput | Kind::NotFound), "{refused}");
        assert!(refused.message().contains(word), "{refused}");
    }
    assert!(change_sets(&planted).is_empty());
}

#[tokio::test]
async fn a_cancelled_wait_leaves_the_change_set_to_the_next_run() {
    let planted = planted(json!({"delays": {"change_set": 3_600_000}}));
    let stopped = context();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        stopped.cancellation().cancel();
    };
    let (ended, ()) = futures::join!(list(&planted, keys(json!({})), &stopped), stop);
    assert!(matches!(ended, Ok(Listing::Pending)) || ended.is_err_and(|error| error.kind() == Kind::Cancelled));
    planted.world.fake.world.advance(3 * 3_600_000);
    assert_eq!(list(&planted, keys(json!({})), &context()).await.unwrap(), Listing::Listed);
    assert_eq!(change_sets(&planted).len(), 1);
}
