//! What would stop a run: all of it at once, each with what mends it, and nothing written.

use std::path::Path;

use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::error::Kind;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, Publisher as _, Severity};
use serde_json::{Value, json};

use crate::world::{World, additions, disk, image, region, regions};

const HERE: &[&str] = &["us-east-1"];

/// The findings of a run that makes one public image in these regions.
async fn found(world: &World, keys: Value, names: &[&str]) -> Vec<Finding> {
    found_with(world, world.settings(keys), (names, |_| {})).await
}

async fn found_with(
    world: &World,
    settings: AwsSettings,
    (names, change): (&[&str], impl Fn(&mut ImageSpec)),
) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let request = additions(&[changed(folder.path(), change)], names);
    let found = Aws::new(settings).preflight(&Context::detached(), &request).await.unwrap();
    assert_eq!(world.writes().len(), 0, "a preflight writes nothing");
    found
}

fn changed(folder: &Path, change: impl Fn(&mut ImageSpec)) -> ImageSpec {
    let mut image = image(&disk(folder, 1));
    change(&mut image);
    image
}

fn only(found: &[Finding]) -> &Finding {
    let [finding] = found else { panic!("one finding: {found:#?}") };
    finding
}

/// `SEVERITY REGION: MESSAGE` of each.
fn lines(found: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        let region = finding.region.as_ref().map_or("-", |region| region.as_str());
        format!("{:?} {region}: {}", finding.severity, finding.message)
    };
    found.iter().map(line).collect()
}

#[tokio::test]
async fn a_good_place_has_no_finding() {
    let world = World::start(json!({}));
    assert_eq!(lines(&found(&world, json!({}), &["us-east-1", "eu-west-1"]).await), [""; 0]);
}

#[tokio::test]
async fn every_trouble_of_every_region_is_told_at_once() {
    let world = World::start(json!({
        "block_public_access": [{"region": "eu-west-1", "images": true}],
        "denied": [{"action": "ec2:CopyImage", "region": "eu-west-1"}, {"action": "ec2:RegisterImage"}],
        "quotas": {"public_images": 0},
        "ec2": {"images": [{"name": "debian-12-genericcloud-amd64-20240101-1614"}]},
    }));
    let settings = AwsSettings {
        regions: Some(cloud_publish_core::manifest::Regions::These(regions(&["eu-west-1", "af-south-1", "eu-wset-1"]))),
        ..world.settings(json!({}))
    };
    let names = &["us-east-1", "eu-west-1", "af-south-1", "eu-wset-1"];
    let found = found_with(&world, settings, (names, |image| image.visibility = Visibility::Public)).await;
    let mut seen = lines(&found);
    seen.sort();
    let taken = seen.iter().position(|line| line.contains("is taken by ami-")).expect("the clash of names");
    assert!(seen.remove(taken).ends_with(": not published by this program"));
    assert_eq!(
        seen,
        [
            "Error af-south-1: the region is not enabled for the account",
            "Error eu-west-1: Block Public Access of images is on: block-new-sharing",
            "Error eu-west-1: the credentials may not do: ec2:CopyImage",
            "Error eu-west-1: the quota of public images has 0 of 0 left, the run needs 1",
            "Error eu-wset-1: there is no such region",
            "Error us-east-1: the credentials may not do: ec2:RegisterImage",
            "Error us-east-1: the quota of public images has 0 of 0 left, the run needs 1",
        ]
    );
    assert!(found.iter().all(|finding| finding.hint.is_some()), "{found:#?}");
}

#[tokio::test]
async fn uefi_data_that_cannot_be_read_is_found_before_anything_is_sent() {
    let world = World::start(json!({}));
    let found = found(&world, json!({"image": {"uefi_data": "/nowhere/keys.aws", "boot_mode": "uefi"}}), HERE).await;
    let finding = only(&found);
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.message.contains("/nowhere/keys.aws") && finding.hint.is_some(), "{finding:?}");
}

#[tokio::test]
async fn a_region_of_another_partition_needs_a_target_of_its_own() {
    let world = World::start(json!({}));
    let settings = AwsSettings { best_effort: regions(&["cn-north-1"]), ..world.settings(json!({})) };
    let found = found_with(&world, settings, (&["us-east-1", "cn-north-1"], |_| {})).await;
    let finding = only(&found);
    assert_eq!((finding.severity, finding.region.clone()), (Severity::Warning, Some(region("cn-north-1"))));
    assert!(finding.message.contains("partition `aws-cn`, the account of `aws`"), "{finding:?}");
}

#[tokio::test]
async fn a_block_that_may_be_switched_off_is_a_warning() {
    let world = World::start(json!({"block_public_access": [{"images": true, "snapshots": "block-all-sharing"}]}));
    let refused = found(&world, json!({"snapshots": "as-image"}), HERE).await;
    assert_eq!(
        lines(&refused),
        [
            "Error us-east-1: Block Public Access of images is on: block-new-sharing",
            "Error us-east-1: Block Public Access of snapshots is on: block-all-sharing",
        ]
    );
    let hint = refused[0].hint.as_ref().unwrap();
    assert!(hint.starts_with("`aws ec2 disable-image-block-public-access --region us-east-1`"), "{hint}");
    let managed = found(&world, json!({"manage_block_public_access": true}), HERE).await;
    assert_eq!(only(&managed).severity, Severity::Warning);
}

#[tokio::test]
async fn the_quota_of_public_images_counts_what_is_public_now() {
    let public = |name: &str| json!({"name": name, "public": true});
    let world = World::start(json!({
        "quotas": {"public_images": 8},
        "page_size": 3,
        "ec2": {"images": (0..7).map(|n| public(&format!("old-{n}"))).collect::<Vec<_>>()},
    }));
    assert_eq!(lines(&found(&world, json!({}), HERE).await), [""; 0]);
    world.change(json!({"quotas": {"public_images": 7}}));
    let full = found(&world, json!({}), HERE).await;
    assert_eq!(only(&full).message, "the quota of public images has 0 of 7 left, the run needs 1");
    let hint = only(&full).hint.as_ref().unwrap();
    assert!(hint.contains("--quota-code L-0E3CBAB9 --desired-value 8 --region us-east-1"), "{hint}");
    let private = |image: &mut ImageSpec| image.visibility = Visibility::Private;
    assert_eq!(lines(&found_with(&world, world.settings(json!({})), (HERE, private)).await), [""; 0]);
}

#[tokio::test]
async fn the_quota_of_snapshots_counts_too() {
    let world = World::start(json!({"quotas": {"snapshots": 1}, "ec2": {"images": [{"name": "old"}]}}));
    let full = found(&world, json!({}), HERE).await;
    assert_eq!(only(&full).message, "the quota of snapshots has 0 of 1 left, the run needs 1");
}

#[tokio::test]
async fn quotas_that_cannot_be_read_are_warnings() {
    let world = World::start(json!({"no_service_quota_access": true}));
    let found = found(&world, json!({}), HERE).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{found:#?}");
}

#[tokio::test]
async fn a_missing_permission_is_found_for_each_call_that_can_be_asked() {
    let keys = json!({
        "snapshots": "as-image",
        "deprecate_after_days": {"release": 365},
        "manage_block_public_access": true,
    });
    let operations = [
        ("RegisterImage", "us-east-1"),
        ("CopyImage", "eu-west-1"),
        ("CreateTags", "eu-west-1"),
        ("ModifyImageAttribute", "eu-west-1"),
        ("ModifySnapshotAttribute", "eu-west-1"),
        ("EnableImageDeprecation", "eu-west-1"),
        ("EnableImageDeregistrationProtection", "eu-west-1"),
        ("DisableImageBlockPublicAccess", "eu-west-1"),
        ("DisableSnapshotBlockPublicAccess", "eu-west-1"),
    ];
    for (operation, at) in operations {
        let world = World::start(json!({"denied": [{"action": format!("ec2:{operation}"), "region": at}]}));
        let found = found(&world, keys.clone(), &["us-east-1", "eu-west-1"]).await;
        let finding = only(&found);
        assert_eq!(finding.message, format!("the credentials may not do: ec2:{operation}"));
        assert_eq!((finding.severity, finding.region.clone()), (Severity::Error, Some(region(at))));
    }
}

#[tokio::test]
async fn what_the_run_does_not_do_needs_no_permission() {
    let world = World::start(json!({"denied": [
        {"action": "ec2:Modify*"}, {"action": "ec2:EnableImageDeprecation"}, {"action": "ec2:ImportSnapshot"},
    ]}));
    let private = |image: &mut ImageSpec| image.visibility = Visibility::Private;
    assert_eq!(lines(&found_with(&world, world.settings(json!({})), (HERE, private)).await), [""; 0]);
}

#[tokio::test]
async fn an_account_that_encrypts_every_snapshot_can_have_no_public_images() {
    let world = World::start(json!({"ec2": {"encryption_by_default": ["111111111111"]}}));
    let found = found(&world, json!({}), HERE).await;
    let hint = only(&found).hint.as_ref().unwrap();
    assert_eq!(hint, "`aws ec2 disable-ebs-encryption-by-default --region us-east-1`");
}

#[tokio::test]
async fn an_import_needs_its_role_and_a_bucket_of_the_home_region() {
    let keys = |bucket: &str, role: &str| json!({"upload": "s3-import", "import": {"bucket": bucket, "role": role}});
    let world = World::start(json!({
        "s3": {"buckets": {
            "near": ["111111111111", "us-east-1"],
            "far": ["111111111111", "eu-west-1"],
            "foreign": ["222222222222", "us-east-1"],
        }},
    }));
    assert_eq!(lines(&found(&world, keys("near", "vmimport"), HERE).await), [""; 0]);
    let far = found(&world, keys("far", "vmimport"), HERE).await;
    assert_eq!(only(&far).message, "the bucket `far` is in eu-west-1, imports start in us-east-1");
    let foreign = found(&world, keys("foreign", "vmimport"), HERE).await;
    assert_eq!(only(&foreign).message, "the bucket `foreign` may not be used");
    let both = found(&world, keys("none", "nobody"), HERE).await;
    assert_eq!(
        lines(&both),
        ["Error -: there is no role `nobody`, with which AWS reads the bucket", "Error -: there is no bucket `none`",]
    );
    let untrusting = found(&world, keys("near", "publisher"), HERE).await;
    assert_eq!(only(&untrusting).message, "the role `publisher` does not let vmie.amazonaws.com assume it");
}

#[tokio::test]
async fn parties_that_do_not_exist_and_images_that_cannot_be_are_found_without_a_call() {
    let world = World::start(json!({}));
    let settings = world.settings(json!({"image": {"tpm": true, "boot_mode": "uefi-preferred"}}));
    let change = |image: &mut ImageSpec| image.visibility = Visibility::SharedWith(vec!["somebody".to_owned()]);
    let found = found_with(&world, settings, (HERE, change)).await;
    let seen = lines(&found);
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("`somebody`")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.starts_with("Error -: `debian-12-genericcloud-amd64-")), "{seen:#?}");
}

#[tokio::test]
async fn an_organisation_cannot_have_the_snapshot_which_is_said() {
    let world = World::start(json!({}));
    let party = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
    let change = |image: &mut ImageSpec| image.visibility = Visibility::SharedWith(vec![party.to_owned()]);
    let found = found_with(&world, world.settings(json!({"snapshots": "as-image"})), (HERE, change)).await;
    assert_eq!(only(&found).severity, Severity::Warning);
    assert!(only(&found).message.contains("snapshots cannot be shared with them"), "{found:?}");
}

#[tokio::test]
async fn a_region_that_does_not_answer_leaves_the_others_looked_at() {
    let world = World::start(json!({"block_public_access": [{"region": "us-east-1", "images": true}]}));
    world.hurt(json!([{"service": "ec2", "region": "eu-west-1", "what": "error503"}]));
    let found = found(&world, json!({}), &["us-east-1", "eu-west-1"]).await;
    let (down, here): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|finding| finding.region == Some(region("eu-west-1")));
    assert!(!down.is_empty() && down.iter().all(|finding| finding.severity == Severity::Warning), "{down:#?}");
    assert!(only(&here).message.starts_with("Block Public Access of images is on"), "{here:#?}");
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_stops() {
    let world = World::start(json!({}));
    let folder = tempfile::tempdir().unwrap();
    let request = additions(&[image(&disk(folder.path(), 1))], HERE);
    let context = Context::detached();
    let target = world.target(json!({}));
    target.info(&context).await.unwrap();
    context.cancellation().cancel();
    let stopped = target.preflight(&context, &request).await.unwrap_err();
    assert_eq!(stopped.kind(), Kind::Cancelled);
}

fn listing(product: &str) -> Value {
    json!({"marketplace": {"debian-12": {
        "product": product, "suite": "bookworm", "variant": "genericcloud", "arch": "amd64", "version_title": "Debian {version}",
        "release_notes": "none", "usage_instructions": "ssh", "access_role": "arn:aws:iam::111111111111:role/marketplace",
        "user_name": "admin", "operating_system": "DEBIAN", "operating_system_version": "12", "instance_type": "t3.micro",
    }}})
}

#[tokio::test]
async fn a_marketplace_product_must_be_there_and_ours() {
    let world = World::start(json!({"marketplace": {"products": {
        "prod-debian12": {"instance_types": ["t3.micro"]},
        "prod-foreign": {"account": "222222222222"},
    }}}));
    assert_eq!(lines(&found(&world, listing("prod-debian12"), HERE).await), [""; 0]);
    for other in ["prod-nowhere", "prod-foreign"] {
        let found = found(&world, listing(other), HERE).await;
        assert_eq!(only(&found).message, format!("the marketplace product `{other}` is not there for this account"));
    }
    let not_listed = |image: &mut ImageSpec| image.tags.variant = "nocloud".parse().unwrap();
    let nowhere = world.settings(listing("prod-nowhere"));
    assert_eq!(lines(&found_with(&world, nowhere, (HERE, not_listed)).await), [""; 0]);
}

#[tokio::test]
async fn many_regions_cost_few_questions_each() {
    let world = World::start(json!({"page_size": 100}));
    found(&world, json!({}), &["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"]).await;
    let asked = world.asked();
    let here = asked.iter().filter(|line| line.ends_with(" eu-west-1")).count();
    assert!(here <= 14, "{asked:#?}");
}

#[tokio::test]
async fn throttles_and_lost_connections_refuse_no_run() {
    for what in ["throttle", "error500", "reset"] {
        let world = World::start(json!({}));
        world.hurt(json!([{"rate": 0.1, "seed": 3, "what": what}]));
        let found = found(&world, json!({}), &["us-east-1", "us-west-2", "eu-west-1"]).await;
        assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{what}: {found:#?}");
    }
}
