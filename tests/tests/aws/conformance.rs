//! The conformance suite: what every target does, this one does at a strict and slow AWS.

use std::sync::Arc;
use std::time::Duration;

use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::clock::FastClock;
use cloud_publish_core::conformance::{Fixture, run_all};
use cloud_publish_core::error::Result;
use cloud_publish_core::manifest::{Regions, Visibility};
use cloud_publish_core::publisher::{ImageAt, ImageSpec, Publisher};
use cloud_publish_tests::aws::{Ec2SeedImage, Shared};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{World, regions};

/// How much faster pauses pass: the world's delays are short.
const FASTER: u32 = 20;

/// How a world behaves for the suite: everything takes a moment, lists come in small pages.
fn patch() -> Value {
    json!({
        "page_size": 7,
        "delays": {
            "snapshot_completion": 120, "image_available": 120, "copy": 200, "import": 200,
            "snapshot_visible": 60, "image_visible": 60, "block_public_access": 60, "change_set": 100,
            "parameter_validation": 60,
        },
        "quotas": {"public_images": 1000},
        "s3": {"buckets": {"staging": ["111111111111", "us-east-1"]}},
        "marketplace": {"products": {"prod-debian12": {"instance_types": ["t3.micro"]}}},
    })
}

fn keys() -> Value {
    json!({
        "parameters": ["/debian/{suite}/{variant}/latest/{arch}", "/debian/{suite}/{variant}/{version}/{arch}"],
        "snapshots": "as-image",
        "deregistration_protection": ["release"],
        "marketplace": {"debian-12": {
            "product": "prod-debian12", "suite": "bookworm", "variant": "genericcloud", "arch": "amd64",
            "version_title": "Debian {suite_id} {version}", "release_notes": "Debian {suite_id}",
            "usage_instructions": "ssh admin@ADDRESS", "access_role": "arn:aws:iam::111111111111:role/AwsMarketplaceAmiIngestion",
            "user_name": "admin", "operating_system": "DEBIAN", "operating_system_version": "12",
            "instance_type": "t3.micro",
        }},
    })
}

fn settings(world: &World, more: &Value) -> AwsSettings {
    let mut all = keys();
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    AwsSettings {
        regions: Some(Regions::These(regions(&["us-east-1", "eu-west-1", "eu-central-1"]))),
        ..world.settings(all)
    }
}

type Planting = Box<dyn Fn(Arc<ImageSpec>, ImageAt) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Puts an image into the world behind the publisher's back.
fn planting(shared: &Arc<Shared>, seed: fn(&ImageSpec, &ImageAt) -> Ec2SeedImage) -> Planting {
    let shared = Arc::clone(shared);
    Box::new(move |spec, at| {
        shared.plant(&Ec2SeedImage { region: at.region.to_string(), ..seed(&spec, &at) });
        Box::pin(async { Ok(()) })
    })
}

fn twin(spec: &ImageSpec, at: &ImageAt) -> Ec2SeedImage {
    let place = cloud_publish_core::identity::Place {
        provider: "aws".parse().unwrap(),
        account: "111111111111".parse().unwrap(),
    };
    let tags = spec.tags.to_map(&place, &at.region);
    let name = format!("twin of {}", spec.name);
    Ec2SeedImage { name, tags: tags.into_iter().collect(), tags_snapshot: false, ..Ec2SeedImage::default() }
}

fn squatter(spec: &ImageSpec, _at: &ImageAt) -> Ec2SeedImage {
    Ec2SeedImage { name: spec.name.to_string(), ..Ec2SeedImage::default() }
}

async fn passes(more: Value) {
    let world = World::start(patch());
    let folder = tempfile::tempdir().unwrap();
    let own = settings(&world, &more);
    let again = own.clone();
    let organisation = "arn:aws:organizations::111111111111:organization/o-abcdefghij".to_owned();
    let fixture = Fixture::new(own.owner.clone(), "aws1", folder.path(), move || {
        let publisher = Aws::new(again.clone());
        Box::pin(async move { Ok(Box::new(publisher) as Box<dyn Publisher>) })
    })
    .unwrap()
    .with_visibilities(vec![
        Visibility::Public,
        Visibility::SharedWith(vec!["222222222222".to_owned()]),
        Visibility::SharedWith(vec!["222222222222".to_owned(), organisation]),
    ])
    .with_clock(Arc::new(FastClock::new(Timestamp::now(), FASTER)))
    .with_limit(Duration::from_secs(60))
    .with_listing("debian-12")
    .with_twins(planting(&world.fake.world, twin))
    .with_squatters(planting(&world.fake.world, squatter));
    let report = run_all(&Aws::new(own), &fixture).await.unwrap();
    assert!(report.is_success(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_with_blocks_written_directly() {
    passes(json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_with_images_imported_from_a_bucket() {
    passes(json!({"upload": "s3-import", "import": {"bucket": "staging"}})).await;
}
