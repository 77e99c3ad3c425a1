//! Which templates and targets are refused together.

use crate::manifest::examples::{CONFIG, RELEASE, config, parse_config, parse_release, release};
use crate::manifest::{Release, collisions};
use crate::names::Arch;

fn found(config: &str, releases: &[Release]) -> Vec<String> {
    let config = parse_config(config).unwrap_or_else(|problems| panic!("{problems}"));
    collisions(&config, releases).iter().map(ToString::to_string).collect()
}

fn with_image(template: &str) -> String {
    CONFIG.replace("debian-{suite_id}-{variant}-{arch}{class_suffix}-{version}", template)
}

fn with_family(template: &str) -> String {
    CONFIG.replace("\"debian-{suite_id}-{variant}-{arch}{class_suffix}\"", &format!("{template:?}"))
}

/// The example release with a second architecture.
fn two_archs() -> Release {
    let mut release = release();
    let mut other = release.artifacts[0].clone();
    other.arch = Arch::new("arm64").unwrap();
    release.artifacts.push(other);
    release
}

#[test]
fn the_example_and_the_default_templates_collide_nowhere() {
    let mut daily = release();
    daily.class = crate::names::Class::Daily;
    assert!(collisions(&config(), &[two_archs(), daily]).is_empty());
    let defaults: String = CONFIG
        .lines()
        .filter(|line| !line.contains("naming") && !line.contains("{arch}"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(found(&defaults, &[two_archs()]).is_empty());
}

#[test]
fn a_template_without_version_is_refused_before_there_is_a_second_release() {
    let text = with_image("{suite}-{variant}-{arch}{class_suffix}-{date}");
    assert_eq!(
        found(&text, &[]),
        ["etc/publish.toml:6:9: two releases of a line would get one image name; add `{version}`"]
    );
    assert!(found(&with_image("{release}-{variant}-{arch}"), &[]).is_empty());
}

#[test]
fn a_template_without_class_is_refused_where_a_target_takes_several() {
    let text = with_image("{suite}-{variant}-{arch}-{version}");
    let problems = found(&text, &[]);
    assert!(problems[0].starts_with("etc/publish.toml:6:9: a release and a daily of one version"), "{problems:?}");
    let only = text.replace("provider =", "classes = [\"release\"]\nprovider =");
    assert!(found(&only, &[]).is_empty());
    let family = found(&with_family("{suite}-{variant}-{arch}"), &[]);
    assert!(family[0].starts_with("etc/publish.toml:7:10: releases and dailies would move one pointer"), "{family:?}");
}

#[test]
fn a_pointer_that_changes_with_each_release_is_refused() {
    for template in ["{version}{class}", "{date}{class}", "{release}{class}"] {
        let problems = found(&with_family(template), &[]);
        assert!(problems[0].starts_with("etc/publish.toml:7:10: each release would get a pointer"), "{problems:?}");
    }
}

#[test]
fn two_artifacts_with_one_name_are_refused_at_each_target_that_takes_both() {
    let text = with_image("{suite}-{variant}{class_suffix}-{version}");
    assert_eq!(
        found(&text, &[two_archs()]),
        [
            "etc/publish.toml:6:9: `bookworm-genericcloud-20240101-1614` at `cloud` would be both genericcloud amd64 of \
             `bookworm-20240101` and genericcloud arm64 of `bookworm-20240101`; add the placeholder that tells them apart",
            "etc/publish.toml:6:9: `bookworm-genericcloud-20240101-1614` at `local` would be both genericcloud amd64 of \
             `bookworm-20240101` and genericcloud arm64 of `bookworm-20240101`; add the placeholder that tells them apart",
        ]
    );
    let split = text.replace("provider =", "archs = [\"amd64\"]\nprovider =");
    assert!(found(&split, &[two_archs()]).is_empty());
}

#[test]
fn two_lines_with_one_pointer_are_refused() {
    let trixie =
        RELEASE.replace("bookworm", "trixie").replace("\"12\"", "\"13\"").replace("-1614\"\nclass", "-1700\"\nclass");
    let releases = [release(), parse_release(&trixie).unwrap()];
    let problems = found(&with_family("debian-{variant}-{arch}{class_suffix}"), &releases);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0]
            .contains("at `cloud` would be both the pointer of bookworm genericcloud amd64 release and of trixie")
    );
}

#[test]
fn two_targets_that_are_one_place_are_refused() {
    let twice = format!("{CONFIG}[target.again]\nprovider = \"local\"\npath = \"./public/\"\n");
    let problems = found(&twice, &[]);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .starts_with("etc/publish.toml:18:1: `target.again` is the same place as `target.local`: `etc/public`")
    );
    assert!(found(&twice.replace("./public/", "other"), &[]).is_empty());
}
