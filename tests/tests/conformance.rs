//! The conformance suite against every target: what one does, all do. In memory it runs in the core's own tests, in
//! every mode; here it meets a real directory, a fake OpenStack cloud and a real one.

use std::path::Path;

use cloud_publish_core::conformance::{Fixture, Report, run_all};
use cloud_publish_core::local::{FormatChoice, Local, LocalSettings};
use cloud_publish_core::manifest::{Regions, Visibility};
use cloud_publish_core::names::Owner;
use cloud_publish_core::publisher::Publisher;
use cloud_publish_openstack::{CloudsFile, OpenStack, OpenStackSettings};
use cloud_publish_tests::foreign;
use cloud_publish_tests::openstack::{CLOUD, FakeOpenStack, Settings, project_id};
use cloud_publish_tests::servers::{self, PUBLISHER_ADMIN, REGIONS};
use serde_json::{Value, json};

fn local(path: &Path, owner: &Owner) -> Local {
    Local::new(LocalSettings {
        target: "local".parse().unwrap(),
        owner: owner.clone(),
        path: path.to_path_buf(),
        formats: vec![FormatChoice::AsIs],
        base_url: None,
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn local_passes() {
    let folder = tempfile::tempdir().unwrap();
    let owner: Owner = "debian".parse().unwrap();
    let public = folder.path().join("public");
    let (again, whose) = (public.clone(), owner.clone());
    let fixture = Fixture::new(owner.clone(), "local1", folder.path(), move || {
        let publisher = local(&again, &whose);
        Box::pin(async move { Ok(Box::new(publisher) as Box<dyn Publisher>) })
    })
    .unwrap()
    .with_shortfall(
        "visibility_can_be_taken_back",
        "a published version's directory does not change; it is retired instead (the module `local` says why)",
    );
    let report = run_all(&local(&public, &owner), &fixture).await.unwrap();
    assert!(report.is_success(), "{report}");
}

fn openstack(clouds: &Path, owner: &Owner, config: &Value) -> OpenStack {
    OpenStack::new(OpenStackSettings {
        target: "openstack".parse().unwrap(),
        owner: owner.clone(),
        cloud: CloudsFile::read(clouds).unwrap().cloud(PUBLISHER_ADMIN).unwrap(),
        config: serde_json::from_value(config.clone()).unwrap(),
        regions: Some(Regions::These(REGIONS.iter().map(|name| name.parse().unwrap()).collect())),
        best_effort: Vec::new(),
        deny: Vec::new(),
    })
    .unwrap()
}

/// The whole suite, as project publisher of a cloud, against a target with these keys of its own. Tells what failed.
async fn openstack_report(clouds: &Path, word: &str, (mut config, consumer): (Value, String)) -> Report {
    config["cloud"] = json!(PUBLISHER_ADMIN);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let owner: Owner = word.parse().unwrap();
    let publisher = openstack(clouds, &owner, &config);
    let (again, whose) = (clouds.to_owned(), owner.clone());
    let run = word.rsplit('-').next().unwrap().to_owned();
    let fixture = Fixture::new(owner, &run, folder.path(), move || {
        let publisher = openstack(&again, &whose, &config);
        Box::pin(async move { Ok(Box::new(publisher) as Box<dyn Publisher>) })
    })
    .unwrap()
    .with_visibilities(vec![Visibility::Public, Visibility::Community, Visibility::SharedWith(vec![consumer])]);
    run_all(&publisher, &fixture).await.unwrap()
}

async fn openstack_passes_at_the_fake_with(config: Value) {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeOpenStack::start(Settings::default());
    let clouds = folder.path().join("clouds.yaml");
    fake.write_clouds(&clouds);
    let word = servers::unique_owner("conformance");
    let report = openstack_report(&clouds, &word, (config, project_id(CLOUD, "consumer"))).await;
    assert!(report.is_success(), "{report}");
}

async fn openstack_passes_with(config: Value) {
    let servers = servers::OpenStack::from_env();
    let word = servers::unique_owner("conformance");
    let report = openstack_report(&servers.clouds_file, &word, (config, servers.consumer_project)).await;
    foreign::wipe(&word);
    assert!(report.is_success(), "{report}");
}

/// Everything beyond a simple upload.
fn all_keys() -> Value {
    json!({"upload": "import", "stores": "all", "stable_name": "{owner}-{variant}-{arch}", "protected": ["release"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn openstack_passes_at_the_fake() {
    openstack_passes_at_the_fake_with(json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openstack_passes_at_the_fake_with_imports_stable_names_and_protection() {
    openstack_passes_at_the_fake_with(all_keys()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the servers that tests/run starts"]
async fn openstack_passes() {
    openstack_passes_with(json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the servers that tests/run starts"]
async fn openstack_passes_with_imports_stable_names_and_protection() {
    openstack_passes_with(all_keys()).await;
}
