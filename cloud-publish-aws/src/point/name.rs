//! Which names a parameter can have:
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>.

use cloud_publish_core::error::{Error, Kind, Result};

/// Characters of a name; its ARN, which AWS counts, is longer.
const LENGTH: usize = 1011;

/// Levels between slashes.
const LEVELS: usize = 15;

/// Refuses what AWS would refuse, naming the reason.
///
/// # Errors
/// [`Kind::InvalidInput`].
pub(super) fn check(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let bare = name.strip_prefix('/').unwrap_or(name);
    let first = bare.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let problem = if !name.chars().all(allowed) {
        "has characters other than letters, digits and _ . - /"
    } else if bare.is_empty() || bare.split('/').any(str::is_empty) {
        "has an empty level between its slashes"
    } else if bare.contains('/') && !name.starts_with('/') {
        "has levels, and so must begin with a slash"
    } else if bare.split('/').count() > LEVELS {
        "has more than 15 levels"
    } else if name.len() > LENGTH {
        "is longer than 1,011 characters"
    } else if first.starts_with("aws") || first.starts_with("ssm") {
        "begins with `aws` or `ssm`, which AWS keeps for itself"
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::InvalidInput, format!("the parameter name `{name}` {problem}"))
        .hint("change the template in `parameters`"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_that_aws_takes_pass() {
        for good in ["latest", "/debian/release/bookworm/genericcloud/latest/amd64", "/a/b_c.d-e"] {
            check(good).unwrap();
        }
    }

    #[test]
    fn each_rule_is_named() {
        let deep = "/x".repeat(16);
        let long = format!("/{}", "x".repeat(1011));
        for (bad, reason) in [
            ("/debian/a b", "characters"),
            ("", "empty level"),
            ("/debian//x", "empty level"),
            ("/debian/", "empty level"),
            ("debian/x", "begin with a slash"),
            (deep.as_str(), "15 levels"),
            (long.as_str(), "longer"),
            ("/aws/x", "keeps for itself"),
            ("/AwsThings/x", "keeps for itself"),
            ("ssm-x", "keeps for itself"),
        ] {
            let error = check(bad).unwrap_err();
            assert!(error.message().contains(reason), "{bad}: {error}");
        }
    }
}
