//! The example files are what the program reads: a stale one fails here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use cloud_publish_aws::{AwsConfig, SnapshotVisibility};
use cloud_publish_core::local::LocalConfig;
use cloud_publish_core::manifest::{Config, ProviderSchema, Release, Visibility, collisions};
use cloud_publish_core::names::{Class, TargetName};
use cloud_publish_openstack::{CloudsFile, OpenStackConfig};

fn providers() -> [ProviderSchema; 5] {
    [
        ProviderSchema::of::<LocalConfig>(),
        cloud_publish_aws::provider_schema(),
        cloud_publish_azure::provider_schema(),
        cloud_publish_gce::provider_schema(),
        cloud_publish_openstack::provider_schema(),
    ]
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn config(path: &str) -> Config {
    Config::read(&example(path), &providers()).unwrap()
}

/// Every manifest of a configuration's releases folder, found by its name as the command finds it.
fn releases(config: &Config) -> Vec<Release> {
    let names = Release::list(&config.releases).unwrap();
    names.iter().map(|name| Release::find(&config.releases, &name.parse().unwrap()).unwrap()).collect()
}

fn target(name: &str) -> TargetName {
    name.parse().unwrap()
}

#[test]
fn the_annotated_files_load_and_their_names_do_not_meet() {
    let config = config("configs/publish.toml");
    let releases = releases(&config);
    assert_eq!(releases.len(), 3);
    assert!(collisions(&config, &releases).is_empty(), "{}", collisions(&config, &releases));
}

#[test]
fn the_annotated_target_takes_what_its_comments_say() {
    let config = config("configs/publish.toml");
    let release = Release::find(&config.releases, &"bookworm-20240101".parse().unwrap()).unwrap();
    let openstack = &config.targets[&target("openstack")];
    let taken = release.artifacts.iter().filter(|artifact| openstack.takes(&release, artifact));
    assert_eq!(taken.map(|artifact| artifact.variant.as_str()).collect::<Vec<_>>(), ["genericcloud"]);
    let seen = [Class::Release, Class::Daily, Class::Dev].map(|class| openstack.visibility(class));
    assert_eq!(seen, [Visibility::Public, Visibility::Community, Visibility::Private]);
}

#[test]
fn the_cloud_of_the_annotated_target_is_in_clouds_yaml() {
    let own: OpenStackConfig = config("configs/publish.toml").targets[&target("openstack")].own().unwrap();
    let cloud = CloudsFile::read(&example("configs/clouds.yaml")).unwrap().cloud(&own.cloud).unwrap();
    assert_eq!(cloud.auth_url.as_str(), "https://keystone.example.org/v3");
}

#[test]
fn the_gated_target_asks_a_program_that_is_there_and_a_person() {
    let config = config("configs/gated.toml");
    let openstack = &config.targets[&target("openstack")];
    let gate = openstack.gate.clone().unwrap();
    assert!(openstack.approve && gate.program.is_file(), "{}", gate.program.display());
    assert_eq!((gate.timeout.as_secs(), gate.command[1].as_str()), (1800, "mycloud"));
    assert!(collisions(&config, &releases(&config)).is_empty());
}

#[test]
fn one_target_of_each_kind_loads() {
    let config = config("configs/all-targets.toml");
    let mut kinds: Vec<&str> = config.targets.values().map(|target| target.provider.as_str()).collect();
    kinds.sort_unstable();
    let mut known = providers().map(|known| known.provider);
    known.sort_unstable();
    assert_eq!(kinds, known);
    assert!(collisions(&config, &releases(&config)).is_empty());
}

#[test]
fn the_distribution_at_aws_keeps_releases_and_dailies_apart() {
    let config = config("configs/aws-distribution.toml");
    let releases = releases(&config);
    assert!(collisions(&config, &releases).is_empty(), "{}", collisions(&config, &releases));
    let takers = |class: Class| -> Vec<&str> {
        let of_class = config.targets.values().filter(|target| target.takes_class(class));
        of_class.map(|target| target.name.as_str()).collect()
    };
    assert_eq!(takers(Class::Release), ["aws", "aws-cn"]);
    assert_eq!(takers(Class::Daily), ["aws-daily"]);
    let own: AwsConfig = config.targets[&target("aws")].own().unwrap();
    assert_eq!((own.snapshots, own.parameters.len()), (SnapshotVisibility::AsImage, 2));
}

#[test]
fn a_manifest_may_be_json() {
    let release = Release::read(&example("configs/releases/trixie-20250809.json")).unwrap();
    assert_eq!((release.suite_id.as_str(), release.artifacts.len()), ("13", 1));
}

#[test]
fn the_quickstart_loads_and_has_its_files() {
    let config = Config::read(&example("quickstart/publish.toml"), &[ProviderSchema::of::<LocalConfig>()]).unwrap();
    let releases = releases(&config);
    assert_eq!(releases.len(), 1);
    let [artifact] = releases[0].artifacts.as_slice() else { panic!("the quickstart has one image") };
    releases[0].check_paths(artifact).unwrap();
}
