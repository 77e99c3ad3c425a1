//! What all builds of a release have in common: suite, version, class, date and name.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::build::Build;
use super::{Wishes, Wrong};
use crate::names::{Class, ReleaseName, Suite, Version};

/// The head of a release manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Common {
    pub(super) name: ReleaseName,
    pub(super) suite: Suite,
    pub(super) suite_id: String,
    pub(super) version: Version,
    pub(super) class: Class,
    pub(super) date: Timestamp,
}

/// Finds it; everything on which builds do not agree is told.
pub(super) fn settle(builds: &[&Build], wishes: &Wishes, wrong: &mut Wrong) -> Option<Common> {
    if builds.is_empty() {
        return None;
    }
    let suite = one("suite", builds.iter().map(|build| (&build.info.suite, build.file.as_str())), wrong);
    let suite_id = one("suite id", builds.iter().map(|build| (&build.info.suite_id, build.file.as_str())), wrong);
    let version = one("version", builds.iter().map(|build| (&build.info.version, build.file.as_str())), wrong);
    let class = class(builds, wishes, wrong);
    let date = wishes.date.or_else(|| version.as_ref().and_then(|version| day(version.as_str())));
    if let (None, Some(version)) = (date, &version) {
        wrong.push(format!("the version `{version}` begins with no date, and none was given"));
    }
    let (suite, suite_id, version, class, date) = (suite?, suite_id?, version?, class?, date?);
    let name = match &wishes.name {
        Some(name) => Some(name.clone()),
        None => {
            let name = ReleaseName::new(format!("{suite}{}-{version}", class.suffix()));
            name.map_err(|error| wrong.push(error.to_string())).ok()
        }
    };
    Some(Common { name: name?, suite, suite_id, version, class, date })
}

/// The one value, with a file that has it; several are told.
fn one<'a, T: Ord + Clone + Display + 'a>(
    what: &str,
    values: impl Iterator<Item = (&'a T, &'a str)>,
    wrong: &mut Wrong,
) -> Option<T> {
    let mut found: BTreeMap<&T, &str> = BTreeMap::new();
    for (value, file) in values {
        found.entry(value).or_insert(file);
    }
    match found.len() {
        0 | 1 => found.into_keys().next().cloned(),
        _ => {
            let list: Vec<String> = found.iter().map(|(value, file)| format!("`{value}` ({file})")).collect();
            wrong.push(format!("builds of more than one {what}: {}", list.join(", ")));
            None
        }
    }
}

fn class(builds: &[&Build], wishes: &Wishes, wrong: &mut Wrong) -> Option<Class> {
    let uploads =
        builds.iter().flat_map(|build| build.uploads.iter().map(|upload| (upload.class, build.file.as_str())));
    let tries = builds.iter().filter(|build| build.info.is_dev).map(|build| (Some(Class::Dev), build.file.as_str()));
    let told: Vec<(Class, &str)> = uploads.chain(tries).filter_map(|(class, file)| Some((class?, file))).collect();
    match (told.first(), wishes.class) {
        (None, Some(wished)) => Some(wished),
        (None, None) => {
            wrong.push("no build tells its class (release, daily or dev), and none was given".to_owned());
            None
        }
        (Some(_), wished) => {
            let wished = wished.as_ref().map(|class| (class, "as given"));
            one("class", told.iter().map(|(class, file)| (class, *file)).chain(wished), wrong)
        }
    }
}

/// The day with which a version begins: `20240101-1614`.
fn day(version: &str) -> Option<Timestamp> {
    let digits = version.get(..8).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    if version.chars().nth(8).is_some_and(|next| next.is_ascii_alphanumeric()) {
        return None;
    }
    let (year, day) = digits.split_at_checked(4)?;
    let (month, day) = day.split_at_checked(2)?;
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn the_day_is_the_version_s_first_eight_digits() {
        let midnight = Some("2024-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(day("20240101-1614"), midnight);
        assert_eq!(day("20240101"), midnight);
        for none in ["1614", "20241301-1", "202401011614", "v20240101", "2024010é"] {
            assert_eq!(day(none), None, "{none}");
        }
    }
}
