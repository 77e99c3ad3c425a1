//! What a good publish.toml means, and what only its providers refuse.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::local::{FormatChoice, LocalConfig};
use crate::manifest::examples::{CONFIG, CloudConfig, RELEASE, config, parse_config, providers, release};
use crate::manifest::{Config, GateRegions, Regions, Release, State, TargetConfig, Visibility};
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
fn formats_are_words_and_each_is_named_once() {
    let twice = parse_config(&CONFIG.replace("[\"as-is\"]", "[\"vhd\", \"vhd\"]")).unwrap_err();
    assert_eq!(
        twice.to_string(),
        "etc/publish.toml:11:11: `target.local.formats`: the format `vhd` is named twice; \
         name each format once, for example formats = [\"as-is\", \"raw\"]"
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

/// The example with a gate of its cloud.
fn with_gate(lines: &str) -> Result<Config, crate::manifest::Problems> {
    parse_config(&format!("{CONFIG}[target.cloud.gate]\n{lines}\n"))
}

#[test]
fn a_gate_is_a_command_found_from_the_folder_of_the_file() {
    let config = with_gate("command = [\"./boot-test\", \"--fast\"]").unwrap();
    let gate = target(&config, "cloud").gate.clone().unwrap();
    assert_eq!((gate.program.as_path(), gate.command[1].as_str()), (Path::new("etc/boot-test"), "--fast"));
    assert_eq!((gate.timeout.as_secs(), gate.concurrency, gate.regions), (3600, 1, GateRegions::All));
    assert!(target(&config, "local").gate.is_none() && !target(&config, "local").approve);
    let lines = "command = [\"boot-test\"]\ntimeout = \"30m\"\nregions = \"home\"\nconcurrency = 3";
    let other = target(&with_gate(lines).unwrap(), "cloud").gate.clone().unwrap();
    assert_eq!((other.program.as_path(), other.timeout.as_secs()), (Path::new("boot-test"), 1800));
    assert_eq!((other.regions, other.concurrency), (GateRegions::Home, 3));
    assert_ne!(gate.identity(), other.identity());
    let of_home = with_gate("command = [\"./boot-test\", \"--fast\"]\nregions = \"home\"").unwrap();
    let of_home = target(&of_home, "cloud").gate.clone().unwrap();
    assert_ne!(gate.identity(), of_home.identity(), "what passed at home has not passed everywhere");
    let here = format!("{CONFIG}[target.cloud.gate]\ncommand = [\"./boot-test\"]\n");
    let here = Config::parse(Path::new("publish.toml"), &here, &providers()).unwrap();
    let gate = target(&here, "cloud").gate.clone().unwrap();
    assert_eq!(gate.program.to_str(), Some("./boot-test"), "not one of PATH");
}

#[test]
fn what_is_wrong_with_a_gate_is_said_at_its_key() {
    let wrong = |lines: &str| with_gate(lines).unwrap_err().to_string();
    assert_eq!(wrong("timeout = 5"), "etc/publish.toml:18:1: missing key `command` in `target.cloud.gate`");
    let sayings = [
        ("command = []", "`target.cloud.gate.command` is empty"),
        ("command = [\"\"]", "`target.cloud.gate.command[0]` names no program"),
        ("command = \"./boot-test --fast\"", "`target.cloud.gate.command` is a text, expected a list"),
        ("command = [\"a\"]\ntimeout = \"30\"", "`30` is not a length of time; write a whole number with its unit"),
        ("command = [\"a\"]\ntimeout = 0", "`target.cloud.gate.timeout` is 0; it may be 1 to"),
        ("command = [\"a\"]\nregions = \"hom\"", "did you mean `home`?"),
        ("command = [\"a\"]\ntimout = 5", "unknown key `timout`; did you mean `timeout`?"),
        ("command = [\"a\\u0000\"]", "cannot hold the character NUL"),
    ];
    for (lines, says) in sayings {
        assert!(wrong(lines).contains(says), "{lines}: {}", wrong(lines));
    }
}

#[test]
fn approval_is_a_switch_of_any_target() {
    let config = parse_config(&CONFIG.replace("visibility =", "approve = true\nvisibility =")).unwrap();
    assert!(target(&config, "cloud").approve && !target(&config, "local").approve);
}
