//! How findings are put.

use cloud_publish_core::error::{Error, Retry};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Finding, Severity};

/// What refuses the run.
pub(super) fn refusal(region: Option<&Region>, message: impl Into<String>, hint: impl Into<String>) -> Finding {
    made(Severity::Error, region, (message.into(), Some(hint.into())))
}

/// What the run may live with.
pub(super) fn warning(region: Option<&Region>, message: impl Into<String>, hint: impl Into<String>) -> Finding {
    made(Severity::Warning, region, (message.into(), Some(hint.into())))
}

/// What could not be looked at: a failure that may pass does not refuse the run.
pub(super) fn unreadable(region: Option<&Region>, what: &str, error: &Error) -> Finding {
    let severity = if error.retry() == Retry::Never { Severity::Error } else { Severity::Warning };
    let message = format!("{what} could not be checked: {}", error.chain().join(": "));
    made(severity, region, (message, error.advice().map(ToOwned::to_owned)))
}

fn made(severity: Severity, region: Option<&Region>, (message, hint): (String, Option<String>)) -> Finding {
    Finding { severity, region: region.cloned(), message, hint }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::{Error, Kind};
    use cloud_publish_core::publisher::Severity;

    use super::unreadable;

    #[test]
    fn a_failure_that_may_pass_does_not_refuse_the_run() {
        let found = |kind| unreadable(None, "it", &Error::new(kind, "AWS failed")).severity;
        assert_eq!(found(Kind::Throttled), Severity::Warning);
        assert_eq!(found(Kind::PermissionDenied), Severity::Error);
    }
}
