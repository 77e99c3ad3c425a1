//! What a `Build` says of itself, and that its labels say the same.

use serde_json::Value;

use super::Wrong;
use crate::names::{Arch, Suite, Variant, Version};

/// The facts of a build that a release manifest needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    /// The suite.
    pub(super) suite: Suite,
    /// The suite as names of images write it.
    pub(super) suite_id: String,
    /// The version.
    pub(super) version: Version,
    /// Debian's "vendor".
    pub(super) variant: Variant,
    /// The architecture.
    pub(super) arch: Arch,
    /// Whether it is somebody's try.
    pub(super) is_dev: bool,
}

/// Labels that repeat a field of the build's info.
const REPEATED: [(&str, &str); 4] = [
    ("debian.org/arch", "arch"),
    ("debian.org/release", "release"),
    ("cloud.debian.org/vendor", "vendor"),
    ("cloud.debian.org/version", "version"),
];

impl Info {
    /// Reads the facts of a `Build`; everything missing or contradictory is told.
    pub(super) fn read(file: &str, build: &Value, wrong: &mut Wrong) -> Option<Self> {
        let field = |name: &str| build.get("data")?.get("info")?.get(name)?.as_str();
        let label = |name: &str| build.get("metadata")?.get("labels")?.get(name)?.as_str();
        for (name, repeats) in REPEATED {
            if let (Some(label), Some(said)) = (label(name), field(repeats))
                && label != said
            {
                wrong.push(format!("{file}: the label {name} is `{label}`, the build's {repeats} is `{said}`"));
            }
        }
        let mut missing = Vec::new();
        let mut needed = |name: &'static str| {
            let found = field(name).unwrap_or_default();
            if found.is_empty() {
                missing.push(name);
            }
            found
        };
        let (release, id) = (needed("release"), needed("release_id"));
        let (version, variant, arch) = (needed("version"), needed("vendor"), needed("arch"));
        if !missing.is_empty() {
            wrong.push(format!("{file}: the build's info has no {}", missing.join(", ")));
            return None;
        }
        let suite = suite(release, id, field("release_baseid").unwrap_or(id));
        let mut named = |error: crate::error::Error| wrong.push(format!("{file}: {error}"));
        let id = id.parse::<Suite>().map_err(&mut named);
        let info = Self {
            suite: suite.parse().map_err(&mut named).ok()?,
            suite_id: id.ok()?.to_string(),
            version: version.parse().map_err(&mut named).ok()?,
            variant: variant.parse().map_err(&mut named).ok()?,
            arch: arch.parse().map_err(&mut named).ok()?,
            is_dev: field("type") == Some("dev"),
        };
        Some(info)
    }
}

/// The suite of a build: backports call themselves after the release that they are for, and tell themselves apart in
/// the id only.
fn suite(release: &str, id: &str, base: &str) -> String {
    let more = id.strip_prefix(base).filter(|more| more.starts_with('-') && !release.ends_with(more));
    format!("{release}{}", more.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::suite;

    #[test]
    fn backports_are_a_suite_of_their_own() {
        assert_eq!(suite("bookworm", "12", "12"), "bookworm");
        assert_eq!(suite("bookworm", "12-backports", "12"), "bookworm-backports");
        assert_eq!(suite("bookworm-backports", "12-backports", "12"), "bookworm-backports");
        assert_eq!(suite("sid", "sid", "sid"), "sid");
    }
}
