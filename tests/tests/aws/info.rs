//! Who the credentials are, in which regions, and by which roles.

use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::publisher::{Context, Publisher as _, Severity};
use serde_json::json;

use crate::world::{World, additions, disk, image, region, regions};

#[tokio::test]
async fn one_question_tells_account_and_region() {
    let world = World::start(json!({}));
    let target = world.target(json!({}));
    let info = target.info(&Context::detached()).await.unwrap();
    assert_eq!((info.place.to_string().as_str(), info.home.as_str()), ("aws:111111111111", "us-east-1"));
    assert_eq!(info, target.info(&Context::detached()).await.unwrap());
    assert_eq!(world.asked(), ["sts:GetCallerIdentity us-east-1"]);
}

#[tokio::test]
async fn all_regions_are_the_enabled_ones_and_the_others_are_told() {
    let world = World::start(json!({}));
    let settings = AwsSettings {
        regions: Some(Regions::All),
        deny: regions(&["us-west-2"]),
        best_effort: regions(&["eu-south-1"]),
        ..world.settings(json!({}))
    };
    let info = Aws::new(settings).info(&Context::detached()).await.unwrap();
    let wanted: Vec<(&str, bool)> = info.regions.iter().map(|one| (one.region.as_str(), one.required)).collect();
    let expected = [("us-east-1", true), ("eu-central-1", true), ("eu-west-1", true), ("eu-south-1", false)];
    assert_eq!(wanted, expected);
    let [(region, reason)] = info.skipped.as_slice() else { panic!("one is skipped: {:?}", info.skipped) };
    assert_eq!(region.as_str(), "af-south-1");
    assert!(reason.contains("`aws account enable-region --region-name af-south-1`"), "{reason}");
}

#[tokio::test]
async fn another_account_than_the_one_configured_is_refused_before_anything_else() {
    let world = World::start(json!({}));
    let target = world.target(json!({"account": "222222222222"}));
    let refused = target.info(&Context::detached()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidInput);
    assert!(refused.to_string().contains("111111111111, publish.toml names 222222222222"), "{refused}");
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn credentials_that_nobody_knows_are_refused_with_a_way_out() {
    let world = World { account: "999999999999".to_owned(), ..World::start(json!({})) };
    let refused = world.target(json!({})).info(&Context::detached()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unauthenticated);
    let hint = refused.advice().unwrap();
    assert!(hint.contains("aws sts get-caller-identity") && hint.contains("enable-region"), "{hint}");
}

#[tokio::test]
async fn a_role_of_another_account_makes_the_target_that_account() {
    let world = World::start(json!({}));
    let target = world.target(json!({"roles": ["arn:aws:iam::222222222222:role/publisher"]}));
    let info = target.info(&Context::detached()).await.unwrap();
    assert_eq!(info.place.account.as_str(), "222222222222");
    assert_eq!(world.asked(), ["sts:AssumeRole us-east-1", "sts:GetCallerIdentity us-east-1"]);
}

/// The home region's STS answers for all: that of a region which had to be enabled gives tokens that others refuse.
#[tokio::test]
async fn a_role_of_one_region_is_asked_of_the_home_regions_sts() {
    let world = World::start(json!({"accounts": {"111111111111": {"roles": {
        "regional": {"trusts": ["111111111111"]}
    }}}}));
    let role = "arn:aws:iam::111111111111:role/regional";
    let target = world.target(json!({"region_roles": {"eu-west-1": [role]}}));
    let folder = tempfile::tempdir().unwrap();
    let request = additions(&[image(&disk(folder.path(), 1))], &["us-east-1", "eu-west-1"]);
    assert_eq!(target.preflight(&Context::detached(), &request).await.unwrap(), []);
    let requests = world.fake.world.requests();
    let assumed: Vec<&str> =
        requests.iter().filter(|entry| entry.operation == "AssumeRole").map(|entry| entry.region.as_str()).collect();
    assert_eq!(assumed, ["us-east-1"]);
    for entry in requests.iter().filter(|entry| entry.operation != "AssumeRole") {
        let role = (entry.region == "eu-west-1").then_some("regional");
        assert_eq!(entry.role.as_deref(), role, "{} in {}", entry.operation, entry.region);
    }
}

#[tokio::test]
async fn a_role_of_one_region_that_leads_to_another_account_is_found_before_anything_is_made() {
    let world = World::start(json!({}));
    let role = "arn:aws:iam::222222222222:role/publisher";
    let target = world.target(json!({"region_roles": {"eu-west-1": [role]}}));
    let folder = tempfile::tempdir().unwrap();
    let request = additions(&[image(&disk(folder.path(), 1))], &["us-east-1", "eu-west-1"]);
    let found = target.preflight(&Context::detached(), &request).await.unwrap();
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!((finding.severity, finding.region.as_ref()), (Severity::Error, Some(&region("eu-west-1"))));
    assert!(finding.message.contains("222222222222, the target is 111111111111"), "{finding:?}");
}

#[tokio::test]
async fn another_partition_is_another_world() {
    let world = World { account: "333333333333".to_owned(), ..World::start(json!({})) };
    let china = AwsSettings { regions: Some(Regions::All), ..world.settings(json!({"home_region": "cn-north-1"})) };
    let info = Aws::new(china).info(&Context::detached()).await.unwrap();
    let names: Vec<&str> = info.regions.iter().map(|one| one.region.as_str()).collect();
    assert_eq!(
        (info.place.account.as_str(), names.as_slice()),
        ("333333333333", &["cn-north-1", "cn-northwest-1"][..])
    );
    assert_eq!(info.skipped, []);
}
