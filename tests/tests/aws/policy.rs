//! The permissions that the crate's page asks for are those that a whole life of an image needs: nothing else is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloud_publish_aws::{Aws, AwsSettings, Feature, actions};
use cloud_publish_core::error::Kind;
use cloud_publish_core::identity::Marks;
use cloud_publish_core::manifest::{Regions, Visibility};
use cloud_publish_core::publisher::{
    Context, Detail, ImageAt, Marking, PointRequest, ProveRequest, Publisher as _, RegisterRequest, ReplicateRequest,
    SurveyRequest, TagRequest, UploadRequest, VisibilityRequest,
};
use serde_json::json;

use crate::uploads::{Uploads, requests};
use crate::world::{World, additions, disk, image, region, regions};

/// `ec2:RegisterImage` for each call that these features allow. Who one is may always be asked.
fn allowed(features: &[Feature]) -> BTreeSet<String> {
    let actions = features.iter().flat_map(|feature| actions(*feature));
    let calls = actions.flat_map(|action| {
        let service = action.name.split(':').next().unwrap();
        action.operations().into_iter().map(move |operation| format!("{service}:{operation}"))
    });
    calls.chain(["sts:GetCallerIdentity".to_owned()]).collect()
}

/// What was asked and is not allowed.
fn beyond(world: &World, features: &[Feature]) -> Vec<String> {
    let allowed = allowed(features);
    let asked = world.asked().into_iter().map(|line| line.split(' ').next().unwrap().to_owned());
    let asked: BTreeSet<String> = asked.collect();
    asked.difference(&allowed).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_calls_nothing_that_the_policy_leaves_out() {
    let world = World::start(json!({"block_public_access": [{"images": true}]}));
    let keys = json!({
        "parameters": ["/debian/{suite}/latest/{arch}"],
        "snapshots": "as-image",
        "deprecate_after_days": {"release": 365},
        "manage_block_public_access": true,
    });
    let settings = AwsSettings { regions: Some(Regions::These(regions(&["eu-west-1"]))), ..world.settings(keys) };
    let target = Aws::new(settings);
    let context = Context::detached();
    let folder = tempfile::tempdir().unwrap();
    let sample = disk(folder.path(), 1);
    let mut spec = image(&sample);
    spec.tags.date = context.clock().now();
    let spec = Arc::new(spec);
    let names = ["us-east-1", "eu-west-1"];

    target.preflight(&context, &additions(&[spec.as_ref().clone()], &names)).await.unwrap();
    let request = UploadRequest { image: Arc::clone(&spec), region: region(names[0]), disk: sample.disk };
    let staged = target.upload(&context, &request).await.unwrap();
    let request = RegisterRequest { image: Arc::clone(&spec), staged };
    let made = target.register(&context, &request).await.unwrap();
    let home = ImageAt { region: made.region, id: made.id, tags: spec.tags.clone() };
    let request = ReplicateRequest { image: Arc::clone(&spec), home: home.clone(), regions: regions(&names) };
    let copies = target.replicate(&context, &request).await.unwrap();
    let copies = copies.into_iter().map(|(region, copy)| (region, copy.unwrap().id));
    let everywhere: Vec<ImageAt> = copies.map(|(region, id)| ImageAt { region, id, tags: spec.tags.clone() }).collect();
    let pointer = target.expect(&spec, &home.region).unwrap().pointers.remove(0);
    for at in &everywhere {
        let wanted = Visibility::Public;
        target
            .set_visibility(&context, &VisibilityRequest { at: at.clone(), wanted, along: Vec::new() })
            .await
            .unwrap();
        let marks = Marking::Publish(spec.tags.date);
        let extra = Some(BTreeMap::from([("team".to_owned(), "cloud".to_owned())]));
        target.tag(&context, &TagRequest { at: at.clone(), marks, extra }).await.unwrap();
        target.point(&context, &PointRequest { pointer: pointer.clone(), at: at.clone() }).await.unwrap();
    }
    let pointers = BTreeSet::from([pointer]);
    let detail = Some(Detail { release: spec.tags.release.clone(), pointers });
    target.survey(&context, &SurveyRequest { owner: spec.tags.owner.clone(), detail }).await.unwrap();
    let publishing = [Feature::Publish, Feature::BlockPublicAccess];
    assert_eq!(beyond(&world, &publishing), [""; 0]);
    let blocks = ["ec2:DisableImageBlockPublicAccess", "ec2:DisableSnapshotBlockPublicAccess"];
    assert_eq!(beyond(&world, &[Feature::Publish]), blocks);

    target.prove(&context, &ProveRequest { at: home.clone(), file_sha512: None }).await.unwrap();
    assert_eq!(beyond(&world, &[&publishing[..], &[Feature::Prove]].concat()), [""; 0]);

    target.usage(&context, &everywhere).await.unwrap();
    target.hide(&context, &home).await.unwrap();
    target.restore(&context, &home).await.unwrap();
    let marks = Marking::Exactly(Marks { retired: Some(spec.tags.date), ..Marks::default() });
    target.tag(&context, &TagRequest { at: home.clone(), marks, extra: None }).await.unwrap();
    target.retire(&context, &home).await.unwrap();
    target.restore(&context, &home).await.unwrap();
    target.delete(&context, &home).await.unwrap();
    assert_eq!(beyond(&world, &[&publishing[..], &[Feature::Prove, Feature::Cleanup]].concat()), [""; 0]);
}

#[tokio::test]
async fn who_may_publish_may_clear_away_a_snapshot_that_arrived_wrongly() {
    let (world, uploads) = (World::start(json!({})), Uploads::new(1));
    let refuse = json!({"refuse": {"status": 400, "code": "ValidationException"}});
    world.hurt(json!([{"operation": "CompleteSnapshot", "what": refuse}]));
    assert_eq!(uploads.run(&world).await.unwrap_err().kind(), Kind::Corrupt);
    assert!(!requests(&world, "DeleteSnapshot").is_empty());
    assert_eq!(beyond(&world, &[Feature::Publish]), [""; 0]);
}
