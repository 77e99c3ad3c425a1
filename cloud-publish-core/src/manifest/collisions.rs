//! Names that would meet: templates that do not tell apart what must be, and targets that are one place.
//!
//! Pure: the configuration and the releases at hand are compared, no cloud is asked. What another owner already has
//! under a name is found by each target's preflight.

use std::collections::BTreeMap;

use super::config::Config;
use super::naming::Values;
use super::problem::{Place, Problem, Problems};
use super::release::Release;
use super::target::TargetConfig;
use super::words::quote;
use crate::names::{Class, ImageName};

/// Everything by which two artifacts, lines or targets would get one name, pointer or place.
///
/// # Behaviour
/// The templates are tried on two made-up releases, so that a missing `{version}` is found before the second release
/// is written; then the names of all given releases are compared at each target that takes them.
pub fn collisions(config: &Config, releases: &[Release]) -> Problems {
    let mut problems = Problems::default();
    same_places(config, &mut problems);
    templates(config, &mut problems);
    for target in config.targets.values() {
        names(config, target, releases, &mut problems);
    }
    problems
}

fn same_places(config: &Config, problems: &mut Problems) {
    let mut seen: BTreeMap<_, &TargetConfig> = BTreeMap::new();
    let mut targets: Vec<_> = config.targets.values().collect();
    targets.sort_by(|a, b| a.at.cmp(&b.at));
    for target in targets {
        if let Some(first) = seen.get(&(&target.provider, &target.place)) {
            let message = format!(
                "`target.{}` is the same place as `target.{}`: {}",
                target.name,
                first.name,
                quote(&target.place)
            );
            problems.push(
                Problem::new(target.at.clone(), format!("target.{}", target.name), message)
                    .suggest("make one target of them: it has regions, classes, variants and archs"),
            );
        } else {
            seen.insert((&target.provider, &target.place), target);
        }
    }
}

/// The templates alone, on releases that any line may have.
fn templates(config: &Config, problems: &mut Problems) {
    let one = Values {
        owner: config.owner.as_str(),
        release: "release-one",
        suite: "suite",
        suite_id: "id",
        variant: "variant",
        arch: "arch",
        class: Class::Release,
        version: "version-one",
        date: "20240101",
        target: "target",
    };
    let naming = &config.naming;
    let mut wrong = |place: &Place, key: &str, message: &str, suggestion: &str| {
        problems.push(Problem::new(place.clone(), format!("naming.{key}"), message).suggest(suggestion));
    };
    let same_day = Values { release: "release-two", version: "version-two", ..one };
    if one.fill(&naming.image) == same_day.fill(&naming.image) {
        wrong(&naming.image_at, "image", "two releases of a line would get one image name", "add `{version}`");
    }
    let later = Values { date: "20240102", ..same_day };
    if one.fill(&naming.family) != later.fill(&naming.family) {
        let message = "each release would get a pointer of its own, and none would ever move";
        wrong(&naming.family_at, "family", message, "leave out `{version}`, `{date}` and `{release}`");
    }
    let classes = [Class::Release, Class::Daily, Class::Dev];
    let several = |target: &TargetConfig| classes.iter().filter(|class| target.takes_class(**class)).count() > 1;
    if !config.targets.values().any(several) {
        return;
    }
    let daily = Values { class: Class::Daily, release: "release-two", ..one };
    let suggestion = "add `{class_suffix}`, or give each target one of `classes`";
    if one.fill(&naming.image) == daily.fill(&naming.image) {
        let message = "a release and a daily of one version would get one image name";
        wrong(&naming.image_at, "image", message, suggestion);
    }
    if one.fill(&naming.family) == daily.fill(&naming.family) {
        wrong(&naming.family_at, "family", "releases and dailies would move one pointer", suggestion);
    }
}

/// The names that the given releases get at a target.
fn names(config: &Config, target: &TargetConfig, releases: &[Release], problems: &mut Problems) {
    let mut images: BTreeMap<ImageName, String> = BTreeMap::new();
    let mut families: BTreeMap<String, String> = BTreeMap::new();
    let naming = &config.naming;
    let both = |name: &str, first: &str, second: &str| {
        format!("{} at `{}` would be both {first} and {second}", quote(name), target.name)
    };
    let apart = "add the placeholder that tells them apart";
    let artifacts =
        releases.iter().flat_map(|release| release.artifacts.iter().map(move |artifact| (release, artifact)));
    for (release, artifact) in artifacts.filter(|(release, artifact)| target.takes(release, artifact)) {
        let words = format!("{} {}", artifact.variant, artifact.arch);
        let image = format!("{words} of `{}`", release.name);
        let at = |message: String| Problem::new(naming.image_at.clone(), "naming.image", message).suggest(apart);
        match naming.image(release, artifact, &target.name) {
            Err(error) => problems.push(at(error.to_string())),
            Ok(name) => match images.get(&name) {
                Some(first) => problems.push(at(both(name.as_str(), first, &image))),
                None => drop(images.insert(name, image)),
            },
        }
        let line = format!("{} {words} {}", release.suite, release.class);
        let family = naming.family(release, artifact, &target.name);
        match families.get(&family) {
            Some(first) if *first != line => {
                let message = both(&family, &format!("the pointer of {first}"), &format!("of {line}"));
                problems.push(Problem::new(naming.family_at.clone(), "naming.family", message).suggest(apart));
            }
            Some(_) => {}
            None => drop(families.insert(family, line)),
        }
    }
}

#[cfg(test)]
mod tests;
