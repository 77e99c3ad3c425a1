//! How parameters may be called:
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html#sysman-parameter-name-constraints>.

use crate::aws::reply::Refused;

use super::validation;

/// The longest name, in characters.
const LENGTH: usize = 1011;

/// The most levels of a hierarchy, the last part of the name included.
const LEVELS: usize = 15;

/// Refuses what cannot be the name of a new parameter.
pub(super) fn check(name: &str) -> Result<(), Refused> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let lower = bare.to_ascii_lowercase();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let is_path = !name.contains('/') || (name.starts_with('/') && !name.ends_with('/') && !name.contains("//"));
    if lower.starts_with("aws/") {
        let message = format!("No access to reserved parameter name: {name}.");
        return Err(Refused::bad("AccessDeniedException", message));
    }
    if bare.is_empty()
        || lower.starts_with("aws")
        || lower.starts_with("ssm")
        || !name.chars().all(is_letter)
        || !is_path
    {
        return Err(validation(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it can \
             consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and \
             the following 3 symbols .-_",
        ));
    }
    if name.chars().count() > LENGTH {
        return Err(validation(format!("Parameter name must be no longer than {LENGTH} characters")));
    }
    if bare.split('/').count() > LEVELS {
        let message = format!("A parameter name can have a maximum of {LEVELS} levels");
        return Err(Refused::bad("HierarchyLevelLimitExceededException", message));
    }
    Ok(())
}

/// Splits what a reader asks for into the name and a version: `/a/b:3`, or the ARN of it.
pub(super) fn split(asked: &str) -> (String, Option<&str>) {
    let bare = asked.split_once(":parameter/").map_or(asked, |(_, rest)| rest);
    let (name, selector) = bare.split_once(':').map_or((bare, None), |(name, selector)| (name, Some(selector)));
    let slash = if bare == asked || !name.contains('/') { "" } else { "/" };
    (format!("{slash}{name}"), selector)
}

#[cfg(test)]
mod tests {
    use super::{check, split};

    #[test]
    fn a_hierarchy_has_fifteen_levels_and_no_more() {
        let name = |levels: usize| "/x".repeat(levels);
        assert!(check(&name(15)).is_ok());
        assert_eq!(check(&name(16)).unwrap_err().code, "HierarchyLevelLimitExceededException");
    }

    #[test]
    fn names_of_others_and_odd_names_are_refused() {
        for name in ["/aws/debian", "awsome", "/SSM/x", "debian/12", "/debian//12", "/debian/12/", "/debian 12", "/"] {
            assert!(check(name).is_err(), "{name}");
        }
        assert!(check("/debian/daily/bookworm/genericcloud_1.0-2/latest/amd64").is_ok());
    }

    #[test]
    fn a_reader_may_name_version_and_arn() {
        assert_eq!(split("/a/b:3"), ("/a/b".to_owned(), Some("3")));
        assert_eq!(split("arn:aws:ssm:us-east-1:111111111111:parameter/a/b"), ("/a/b".to_owned(), None));
        assert_eq!(split("arn:aws:ssm:us-east-1:111111111111:parameter/plain"), ("plain".to_owned(), None));
    }
}
