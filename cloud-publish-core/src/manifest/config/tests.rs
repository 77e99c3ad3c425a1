//! What a good publish.toml means, and what only its providers refuse.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::local::{FormatChoice, LocalConfig};
use crate::manifest::examples::{CONFIG, CloudConfig, RELEASE, config, parse_config, providers, release};
use crate::manifest::{Config, Regions, Release, State, TargetConfig, Visibility};
use crate::names::{Class, Region, TargetName};

fn target<'c>(config: &'c Config, name: &str) -> &'c TargetConfig {
    &config.targets[&TargetName::new(name).unwrap()]
}

fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

/// The same document as JSON, as another program would write it.
fn as_json(toml: &str) -> String {
    let mut value: Value = serde_json::to_value(toml::from_str::<toml::Value>(toml).unwrap()).unwrap();
    if let Some(date) = value.get_mut("date") {
        *date = json!("2024-01-01T00:00:00Z");
    }
    format!("{value:#}")
}

#[test]
fn paths_are_seen_from_the_folder_of_the_file() {
    let config = config();
    assert_eq!(config.releases, Path::new("etc/releases"));
    assert_eq!(config.state, State::Folder("etc/state".into()));
    assert_eq!(config.work_dir, Path::new("etc"));
    let local: LocalConfig = target(&config, "local").own().unwrap();
    assert_eq!(
        local,
        LocalConfig { path: PathBuf::from("etc/public"), formats: vec![FormatChoice::AsIs], base_url: None }
    );
}

#[test]
fn common_and_own_keys_lie_flat_beside_each_other() {
    let config = config();
    let cloud = target(&config, "cloud");
    assert_eq!(cloud.regions, Some(Regions::These(vec![region("us-east-1"), region("eu-west-1")])));
    assert_eq!(cloud.best_effort, [region("me-central-1")]);
    assert_eq!(cloud.own::<CloudConfig>().unwrap().home_region, "us-east-1");
    let wrong = cloud.own::<LocalConfig>().unwrap_err();
    assert!(wrong.message().starts_with("etc/publish.toml:12:1: `home_region`: unknown field"), "{wrong}");
}

#[test]
fn visibility_is_private_unless_the_provider_or_the_target_says_otherwise() {
    let config = parse_config(&CONFIG.replace("visibility = \"public\"\n", "")).unwrap();
    assert_eq!(target(&config, "cloud").visibility(Class::Release), Visibility::Private);
    assert_eq!(target(&config, "local").visibility(Class::Release), Visibility::Public);
    let table = "visibility = { release = \"public\", daily = { shared_with = [\"1\"] } }";
    let config = parse_config(&CONFIG.replace("visibility = \"public\"", table)).unwrap();
    assert_eq!(target(&config, "cloud").visibility(Class::Release), Visibility::Public);
    assert_eq!(target(&config, "cloud").visibility(Class::Daily), Visibility::SharedWith(vec!["1".to_owned()]));
    assert_eq!(target(&config, "cloud").visibility(Class::Dev), Visibility::Private);
}

#[test]
fn all_regions_is_a_word_and_lists_say_which_artifacts_are_taken() {
    let text = CONFIG
        .replace("regions = [\"us-east-1\", \"eu-west-1\"]", "regions = \"all\"\ndeny = [\"x\"]\nclasses = [\"dev\"]");
    let config = parse_config(&text).unwrap();
    let (cloud, release) = (target(&config, "cloud"), release());
    assert_eq!(cloud.regions, Some(Regions::All));
    assert!(!cloud.takes(&release, &release.artifacts[0]));
    assert!(target(&config, "local").takes(&release, &release.artifacts[0]));
}

#[test]
fn a_region_is_named_once() {
    let text = CONFIG.replace("[\"me-central-1\"]", "[\"me-central-1\", \"eu-west-1\"]");
    let problems = parse_config(&text).unwrap_err();
    let first = problems.iter().next().unwrap();
    assert_eq!((first.place.line, first.path.as_str()), (16, "target.cloud.best_effort[1]"));
    assert_eq!(first.message, "region `eu-west-1` is named twice in `target.cloud`");
}

#[test]
fn a_format_that_cannot_be_made_yet_is_refused_at_its_word() {
    let problems = parse_config(&CONFIG.replace("[\"as-is\"]", "[\"as-is\", \"vhd\"]")).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "etc/publish.toml:11:21: `target.local.formats[1]`: `vhd` is not supported yet, only `as-is` is"
    );
    let unknown = parse_config(&CONFIG.replace("[\"as-is\"]", "[\"vdh\"]")).unwrap_err();
    assert!(unknown.to_string().ends_with("did you mean `vhd`?"), "{unknown}");
}

#[test]
fn what_a_provider_refuses_is_shown_at_its_key() {
    let problems = parse_config(&CONFIG.replace("\"public\"\nformats", "\"/\"\nformats")).unwrap_err();
    assert!(
        problems.to_string().starts_with("etc/publish.toml:10:8: `target.local.path`: `/` is not a usable"),
        "{problems}"
    );
}

#[test]
fn json_means_the_same_as_toml() {
    let json = Config::parse(Path::new("etc/publish.json"), &as_json(CONFIG), &providers()).unwrap();
    let toml = config();
    assert_eq!((&json.owner, &json.state, &json.tags), (&toml.owner, &toml.state, &toml.tags));
    assert_eq!(json.naming.image, toml.naming.image);
    for (name, target) in &toml.targets {
        assert_eq!(json.targets[name].table, target.table);
        assert_eq!(json.targets[name].regions, target.regions);
    }
    let release = Release::parse(Path::new("releases/x.json"), &as_json(RELEASE)).unwrap();
    assert_eq!(release, self::release());
}

#[test]
fn a_configuration_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("publish.toml");
    assert_eq!(Config::read(&file, &providers()).unwrap_err().kind(), crate::error::Kind::NotFound);
    std::fs::write(&file, CONFIG).unwrap();
    assert_eq!(Config::read(&file, &providers()).unwrap().releases, folder.path().join("releases"));
}
