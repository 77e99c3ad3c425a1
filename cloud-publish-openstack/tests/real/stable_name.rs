//! The name that always the newest image of a line has.

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{Deletion, ImageAt, ImageSpec, PointRequest, PreflightRequest, Probe};
use serde_json::json;

use crate::world::{World, one};

async fn world() -> World {
    World::with(json!({"stable_name": "{owner}-{variant}-{arch}"})).await
}

fn stable(world: &World) -> String {
    format!("{}-genericcloud-amd64", world.owner)
}

async fn point(world: &World, spec: &ImageSpec, at: &ImageAt) -> Result<(), cloud_publish_core::error::Error> {
    let [pointer] = world.target.expect(spec, &one()).unwrap().pointers.try_into().unwrap();
    world.target.point(&world.context, &PointRequest { pointer, at: at.clone() }).await
}

async fn name(world: &World, at: &ImageAt) -> String {
    world.foreign.show(at.id.as_str()).await.unwrap()["name"].as_str().unwrap().to_owned()
}

/// Where the survey says that the name leads.
async fn leads(world: &World) -> Option<String> {
    let [pointer] = world.survey().await.pointers.try_into().unwrap();
    assert_eq!(pointer.name.as_str(), stable(world));
    pointer.to.map(|id| id.to_string())
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn the_name_moves_and_each_image_gets_its_own_back() {
    let world = world().await;
    let (first, second) = (world.spec("1"), world.spec("2"));
    let old = world.image(&first).await;
    point(&world, &first, &old).await.unwrap();
    assert_eq!((name(&world, &old).await, leads(&world).await), (stable(&world), Some(old.id.to_string())));
    // An upload or registration that is repeated finds the image under its stable name.
    assert_eq!(world.image(&first).await, old);
    let new = world.image(&second).await;
    for _ in 0..2 {
        point(&world, &second, &new).await.unwrap();
        assert_eq!((name(&world, &new).await, leads(&world).await), (stable(&world), Some(new.id.to_string())));
        assert_eq!(name(&world, &old).await, first.name.as_str());
    }
    assert_eq!(world.found(&new.id).await.name, second.name.as_str());
    world.target.hide(&world.context, &new).await.unwrap();
    point(&world, &first, &old).await.unwrap();
    assert_eq!((name(&world, &new).await, name(&world, &old).await), (second.name.to_string(), stable(&world)));
    assert_eq!(world.target.delete(&world.context, &old).await.unwrap(), Deletion::Gone);
    assert_eq!(world.survey().await.pointers, []);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_name_that_two_have_leads_nowhere_until_the_next_run() {
    let world = world().await;
    let (first, second) = (world.spec("1"), world.spec("2"));
    let (old, new) = (world.image(&first).await, world.image(&second).await);
    point(&world, &first, &old).await.unwrap();
    point(&world, &second, &new).await.unwrap();
    // As a run leaves it that is killed between the two renames.
    world.foreign.add(old.id.as_str(), "cloud-publish-name", json!(first.name.as_str())).await;
    world.foreign.patch(old.id.as_str(), "name", json!(stable(&world))).await;
    assert_eq!(leads(&world).await, None);
    point(&world, &second, &new).await.unwrap();
    assert_eq!(leads(&world).await, Some(new.id.to_string()));
    assert_eq!(name(&world, &old).await, first.name.as_str());
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_foreign_image_with_the_name_is_found_before_and_refused_after() {
    let world = world().await;
    let spec = world.spec("1");
    let holder = json!({"name": stable(&world), "cloud-publish-owner": world.owner.as_str()});
    let holder = world.foreign.create(&holder).await["id"].as_str().unwrap().to_owned();
    let shown = vec![(std::sync::Arc::new(spec.clone()), one())];
    let request = PreflightRequest { additions: shown.clone(), exposures: shown, probe: Probe::ReadOnly };
    let found = world.target.preflight(&world.context, &request).await.unwrap();
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert!(finding.message.contains(&holder), "{finding:?}");
    let at = world.image(&spec).await;
    let error = point(&world, &spec, &at).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NameTaken);
    assert!(error.message().contains(&holder), "{error}");
    assert_eq!(name(&world, &at).await, spec.name.as_str());
    world.wipe().await;
}
