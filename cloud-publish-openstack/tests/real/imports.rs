//! The cloud's own ways to bring data into its stores.

use std::sync::Arc;

use cloud_publish_core::error::Kind;
use cloud_publish_core::publisher::{ImageAt, PreflightRequest, Probe, Proof, ProveRequest, Staged};
use serde_json::{Value, json};

use crate::foreign::variable;
use crate::world::{Witness, World, one, target_with};

async fn importing(stores: Value) -> World {
    World::with(json!({"upload": "import", "stores": stores})).await
}

async fn downloading(url: &str, timeout: u32) -> World {
    World::with(json!({"upload": "web-download", "web_download_url": url, "import_timeout": timeout})).await
}

/// Uploads and keeps what is said.
async fn upload(world: &World) -> (Staged, String) {
    let witness = Arc::new(Witness::default());
    let staged = world.target.upload(&witness.context(), &world.request(&world.spec("1"))).await.unwrap();
    (staged, witness.said())
}

/// The stores that have an image, when it is proven to be the file.
async fn stores(world: &World, staged: &Staged) -> String {
    let spec = world.spec("1");
    let at = ImageAt { region: one(), id: staged.id.parse().unwrap(), tags: spec.tags.clone() };
    let request = ProveRequest { at: at.clone(), file_sha512: spec.file_sha512.clone() };
    let Proof::Hash { shown, expected, .. } = world.target.prove(&world.context, &request).await.unwrap() else {
        panic!("Glance shows a hash");
    };
    assert_eq!(Some(shown), expected);
    world.found(&at.id).await.attributes["stores"].clone()
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn an_import_reaches_the_stores_that_are_wanted_and_says_so() {
    for wanted in [json!(["slow", "fast"]), json!("all")] {
        let world = importing(wanted).await;
        let (staged, _) = upload(&world).await;
        assert_eq!(staged.sent, 1 << 20);
        assert_eq!(stores(&world, &staged).await, "fast,slow");
        assert_eq!(upload(&world).await.0, Staged { sent: 0, ..staged });
        if let Some(expected) = world.target.expect(&world.spec("1"), &one()).unwrap().attributes.get("stores") {
            assert_eq!(expected, "fast,slow");
        }
        world.wipe().await;
    }
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_put_goes_to_the_store_that_is_named_and_others_are_found_before() {
    let world = World::with(json!({"stores": ["slow"]})).await;
    let (staged, _) = upload(&world).await;
    assert_eq!(stores(&world, &staged).await, "slow");
    world.wipe().await;
    let world = World::with(json!({"stores": ["quick"]})).await;
    let shown = vec![(Arc::new(world.spec("1")), one())];
    let request = PreflightRequest { additions: shown.clone(), exposures: shown, probe: Probe::ReadOnly };
    let found = world.target.preflight(&world.context, &request).await.unwrap();
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert!(finding.message.contains("`quick`") && finding.hint.as_deref().unwrap().contains("fast, slow"));
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn data_that_a_dead_run_staged_or_has_imported_are_not_sent_again() {
    for imports in [false, true] {
        let world = importing(json!(["fast"])).await;
        // The record is made again by hand, under another id, as a dead run would have left it.
        let (staged, _) = upload(&world).await;
        let mut record = world.foreign.show(&staged.id).await.unwrap();
        world.foreign.delete(&staged.id).await;
        let kept = ["name", "disk_format", "container_format", "visibility", "min_disk", "min_ram", "tags"];
        let plain = |name: &String| {
            name.starts_with("cloud-publish") || name.starts_with("hw_") || kept.contains(&name.as_str())
        };
        record.as_object_mut().unwrap().retain(|name, _| plain(name));
        let id = world.foreign.create(&record).await["id"].as_str().unwrap().to_owned();
        world.foreign.stage(&id, world.bytes()).await;
        if imports {
            world.foreign.import(&id).await;
        }
        assert_eq!(upload(&world).await.0, Staged { region: one(), id: id.clone(), sent: 0 });
        assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
        world.wipe().await;
    }
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_run_that_is_killed_while_it_stages_is_finished_by_the_next() {
    let world = importing(json!(["fast"])).await;
    let big = vec![7_u8; 64 << 20];
    let world = world.with_disk(&big);
    let spec = world.spec("1");
    let witness = Arc::new(Witness::with_plug());
    let config = json!({"cloud": "publisher-admin", "upload": "import", "stores": ["fast"]});
    let killed = target_with(config, &world.owner);
    let error = killed.upload(&witness.context(), &world.request(&spec)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let staged = world.upload(&spec).await.unwrap();
    assert_eq!(stores(&world, &staged).await, "fast");
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn the_cloud_fetches_the_file_itself_and_is_believed_only_if_it_is_that_file() {
    let world = World::new().await;
    let url = world.serve(&world.bytes());
    let config = json!({"cloud": "publisher-admin", "upload": "web-download", "web_download_url": url});
    let fetching = target_with(config, &world.owner);
    let staged = fetching.upload(&world.context, &world.request(&world.spec("1"))).await.unwrap();
    assert_eq!((staged.sent, stores(&world, &staged).await.as_str()), (0, "fast"));
    world.foreign.wipe(world.owner.as_str()).await;
    world.serve(&vec![1; 1 << 20]);
    let error = fetching.upload(&world.context, &world.request(&world.spec("1"))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{:?}", error.chain());
    assert!(error.advice().unwrap().contains("web_download_url"));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 0);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_download_that_fails_is_forbidden_or_hangs_ends_in_a_put() {
    let web = variable("OPENSTACK_TEST_WEB_URL");
    for (url, timeout, why) in [
        (format!("{web}/not-there/{{version}}"), 600, "did not work"),
        ("http://127.0.0.1:1/{version}".to_owned(), 600, "400"),
        (format!("{web}/hang/{{version}}"), 3, "longer than 3 s"),
    ] {
        let world = downloading(&url, timeout).await;
        let (staged, said) = upload(&world).await;
        assert!(said.contains(why) && said.contains("sending the bytes by PUT"), "{url}: {said}");
        assert_eq!((staged.sent, stores(&world, &staged).await.as_str()), (1 << 20, "fast"), "{url}");
        assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
        world.wipe().await;
    }
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn two_publishers_that_import_at_once_end_with_one_image() {
    let world = importing(json!(["fast", "slow"])).await.with_disk(&vec![3; 16 << 20]);
    let config = json!({"cloud": "publisher-admin", "upload": "import", "stores": ["fast", "slow"]});
    let other = target_with(config, &world.owner);
    let request = world.request(&world.spec("1"));
    let (a, b) = tokio::join!(world.target.upload(&world.context, &request), other.upload(&world.context, &request));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((&a.id, a.sent + b.sent), (&b.id, request.image.file_size));
    assert_eq!(world.foreign.images_of(world.owner.as_str()).await.len(), 1);
    world.wipe().await;
}
