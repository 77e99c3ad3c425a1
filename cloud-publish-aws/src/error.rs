//! What AWS's codes mean to a caller. The one place where they are known.
//!
//! Codes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-errors.html>.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;
use cloud_publish_core::error::{Error, Kind};

/// What one call of the SDK failed with, as far as we look at it.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("{code}: {message}")]
    Answered { code: String, message: String },
    #[error("{0}")]
    NoAnswer(String),
}

/// The code that AWS answered with, if it answered.
pub(crate) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Turns a failed call into an error of ours. `operation` is the API's own name for the call: `RegisterImage`.
pub(crate) fn classify<E, R>(error: &SdkError<E, R>, operation: &'static str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error.as_service_error().and_then(|service| service.code().map(|code| (code, service.message()))) {
        Some((code, message)) => {
            let cause = CallError::Answered { code: code.to_owned(), message: message.unwrap_or("").to_owned() };
            answered(code, operation).caused_by(cause)
        }
        None => no_answer(error, operation),
    }
}

fn no_answer<E, R>(error: &SdkError<E, R>, operation: &'static str) -> Error
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let text = CallError::NoAnswer(causes(error));
    let (kind, message) = match error {
        SdkError::TimeoutError(_) => (Kind::TimedOut, "AWS did not answer in time"),
        SdkError::DispatchFailure(_) => match unsigned(error) {
            Some(Unsigned::ForNow) => (Kind::Unavailable, "whoever gives the AWS credentials could not be reached"),
            Some(Unsigned::Lasting) => (Kind::Unauthenticated, "there are no usable AWS credentials"),
            None => (Kind::Unavailable, "AWS could not be reached"),
        },
        SdkError::ConstructionFailure(_) => (Kind::InvalidInput, "the request could not be made"),
        _ => (Kind::Unavailable, "AWS's answer could not be read"),
    };
    let made = Error::new(kind, message).during(operation).caused_by(text);
    match kind {
        Kind::Unauthenticated => made.hint(SIGN_IN),
        Kind::Unavailable | Kind::TimedOut => {
            made.hint("check network, proxy and AWS_ENDPOINT_URL; then run the same command again")
        }
        _ => made,
    }
}

/// What went wrong below the SDK, each cause once; the SDK's own text for it has its internals, headers too.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if said.iter().all(|before| !before.contains(&text)) {
            said.push(text);
        }
        next = cause.source();
    }
    said.join(": ")
}

/// Why nobody could sign a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsigned {
    /// Whoever gives the credentials was slow or out of reach: another try may do.
    ForNow,
    /// They are missing, wrong, or refused.
    Lasting,
}

/// Whether a request was never sent because nobody could sign it: the causes alone tell, the SDK has no kind for it.
fn unsigned(error: &(dyn std::error::Error + 'static)) -> Option<Unsigned> {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    let first = causes.find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
    let passes = std::iter::successors(Some(first as &(dyn std::error::Error + 'static)), |cause| cause.source())
        .find_map(passes);
    Some(if passes == Some(true) { Unsigned::ForNow } else { Unsigned::Lasting })
}

/// Whether a cause passes; `None` when it does not tell. On a machine without an instance's role its lack shows as a
/// connection that failed, too: what a provider has "not loaded" lasts.
fn passes(cause: &(dyn std::error::Error + 'static)) -> Option<bool> {
    match cause.downcast_ref::<CredentialsError>() {
        Some(CredentialsError::ProviderTimedOut(_)) => return Some(true),
        Some(CredentialsError::CredentialsNotLoaded(_)) => return Some(false),
        _ => {}
    }
    let connection = cause.downcast_ref::<ConnectorError>();
    let is_cut = |error: &ConnectorError| {
        error.is_io() || error.is_timeout() || error.as_other() == Some(ErrorKind::TransientError)
    };
    (connection.is_some_and(is_cut) || cause.to_string() == TIMED_OUT).then_some(true)
}

/// How each service's own `SdkError` says it; their types are as many as calls, and most of them are not public.
const TIMED_OUT: &str = "request has timed out";

const SIGN_IN: &str = "check who you are with `aws sts get-caller-identity`; sign in, or set `profile` or `roles`";

fn answered(code: &str, operation: &'static str) -> Error {
    let (kind, message) = kind(code);
    let error = Error::new(kind, message).during(operation);
    match kind {
        Kind::Unauthenticated => error.hint(SIGN_IN),
        Kind::PermissionDenied => error.hint(format!("allow `{operation}` in the policy of who publishes")),
        Kind::QuotaExceeded => {
            error.hint("ask for more at Service Quotas, or remove what is not needed; then run the same command again")
        }
        _ => error,
    }
}

fn kind(code: &str) -> (Kind, &'static str) {
    match code {
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" | "ThrottledException"
        | "RequestThrottledException" | "RequestThrottled" | "TooManyRequestsException" | "SlowDown"
        | "BandwidthLimitExceeded" | "TooManyUpdates" | "PriorRequestNotComplete" | "EC2ThrottledException"
        // Limits on what runs at one time: they pass.
        | "ConcurrentLimitExceededException" | "ConcurrentCopyLimitExceeded" | "ConcurrentSnapshotLimitExceeded"
        | "ConcurrentCopySnapshotLimitExceeded"
        | "PendingSnapshotLimitExceeded" | "SnapshotCreationPerVolumeRateExceeded" | "ConcurrentTagAccess" => {
            (Kind::Throttled, "AWS asks us to slow down")
        }
        "ResourceLimitExceeded" | "SnapshotLimitExceeded" | "ServiceQuotaExceededException" | "LimitExceededException"
        | "TagLimitExceeded" | "ParameterLimitExceeded" | "HierarchyLevelLimitExceededException"
        | "AMIQuotaExceeded" | "PublicAMILimitExceeded" => (Kind::QuotaExceeded, "a limit of the account is reached"),
        "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch"
        | "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "IncompleteSignature" | "MissingAuthenticationToken"
        | "InvalidAccessKeyId" | "InvalidIdentityToken" | "IDPRejectedClaim" => {
            (Kind::Unauthenticated, "AWS does not accept the credentials")
        }
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "OperationNotPermitted"
        | "Forbidden" | "UnauthorizedAccess" => (Kind::PermissionDenied, "the credentials may not do this"),
        "OptInRequired" => (Kind::PermissionDenied, "the region is not enabled for the account"),
        // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        "PermanentRedirect" => (Kind::InvalidInput, "the bucket is in another region than the target's home"),
        "InvalidAMIName.Duplicate" => (Kind::NameTaken, "the name is taken"),
        "InvalidSnapshot.InUse" | "ResourceInUse" | "ResourceInUseException" => (Kind::InUse, "it is in use"),
        "IdempotentParameterMismatch" | "ConflictException" | "ParameterAlreadyExists" | "IncorrectState"
        | "IncorrectStateException" => (Kind::Conflict, "it is not in the state that the call needs"),
        "InternalError" | "InternalFailure" | "InternalServerException" | "InternalServiceError" | "InternalServerError"
        | "ServiceUnavailable" | "ServiceUnavailableException" | "Unavailable" | "RequestTimeout"
        | "RequestTimeoutException" | "InsufficientCapacity" => (Kind::Unavailable, "AWS failed"),
        code if is_missing(code) => (Kind::NotFound, "it is not there"),
        code if code.starts_with("Invalid") || code.starts_with("Malformed") || code.contains("Validation")
            || code.starts_with("Missing") || code.starts_with("UnknownParameter") || code.starts_with("Unsupported") => {
            (Kind::InvalidInput, "AWS does not accept the request")
        }
        _ => (Kind::Unexpected, "AWS refused for a reason that we do not know"),
    }
}

/// Whether a code says that an object is not there: also said of an id that was made a moment ago, and of one that AWS
/// has retired.
pub(crate) fn is_missing(code: &str) -> bool {
    matches!(
        code,
        "ParameterNotFound"
            | "ResourceNotFoundException"
            | "NoSuchBucket"
            | "NoSuchKey"
            | "NoSuchUpload"
            | "NotFound"
            | "NoSuchEntity"
            | "InvalidAMIID.Unavailable"
            | "ParameterVersionNotFound"
    ) || code.ends_with(".NotFound")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::provider::error::CredentialsError;
    use aws_sdk_ebs::operation::start_snapshot::StartSnapshotError;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
    use aws_smithy_types::retry::ErrorKind;
    use cloud_publish_core::error::{Kind, Retry};

    use super::{answered, classify};

    fn not_sent(cause: ConnectorError) -> Kind {
        let error: SdkError<StartSnapshotError, HttpResponse> = SdkError::dispatch_failure(cause);
        classify(&error, "StartSnapshot").kind()
    }

    #[test]
    fn a_lost_connection_is_no_lack_of_credentials() {
        assert_eq!(not_sent(ConnectorError::io("reset".into())), Kind::Unavailable);
        let cut_off = ConnectorError::other("incomplete".into(), Some(ErrorKind::TransientError));
        assert_eq!(not_sent(cut_off), Kind::Unavailable);
        let unsigned = ConnectorError::other(CredentialsError::not_loaded("nobody").into(), None);
        assert_eq!(not_sent(unsigned), Kind::Unauthenticated);
    }

    #[test]
    fn credentials_that_cannot_be_fetched_just_now_are_not_missing() {
        let asked = |error: SdkError<StartSnapshotError, HttpResponse>| CredentialsError::provider_error(error);
        let lost = || ConnectorError::io("connection reset".into());
        let nested = ConnectorError::other(CredentialsError::not_loaded("nobody").into(), None);
        for (trouble, kind) in [
            (CredentialsError::provider_timed_out(Duration::from_secs(5)), Kind::Unavailable),
            (asked(SdkError::timeout_error("after 3 s")), Kind::Unavailable),
            (asked(SdkError::dispatch_failure(lost())), Kind::Unavailable),
            (asked(SdkError::dispatch_failure(ConnectorError::timeout("slow".into()))), Kind::Unavailable),
            (asked(SdkError::dispatch_failure(nested)), Kind::Unauthenticated),
            (CredentialsError::not_loaded(lost()), Kind::Unauthenticated),
            (CredentialsError::invalid_configuration("a loop of roles"), Kind::Unauthenticated),
            (CredentialsError::provider_error("the role may not be assumed"), Kind::Unauthenticated),
        ] {
            let said = format!("{trouble:?}");
            assert_eq!(not_sent(ConnectorError::other(trouble.into(), None)), kind, "{said}");
        }
    }

    #[test]
    fn codes_are_what_a_caller_can_decide_on() {
        for (code, kind) in [
            ("RequestLimitExceeded", Kind::Throttled),
            ("RequestThrottledException", Kind::Throttled),
            ("ResourceLimitExceeded", Kind::QuotaExceeded),
            ("ServiceQuotaExceededException", Kind::QuotaExceeded),
            ("AuthFailure", Kind::Unauthenticated),
            ("ExpiredToken", Kind::Unauthenticated),
            ("UnauthorizedOperation", Kind::PermissionDenied),
            ("AccessDeniedException", Kind::PermissionDenied),
            ("OptInRequired", Kind::PermissionDenied),
            ("PermanentRedirect", Kind::InvalidInput),
            ("InvalidAMIName.Duplicate", Kind::NameTaken),
            ("InvalidSnapshot.InUse", Kind::InUse),
            ("IdempotentParameterMismatch", Kind::Conflict),
            ("InvalidAMIID.NotFound", Kind::NotFound),
            ("InvalidSnapshot.NotFound", Kind::NotFound),
            ("ParameterNotFound", Kind::NotFound),
            ("InvalidParameterValue", Kind::InvalidInput),
            ("ValidationException", Kind::InvalidInput),
            ("InternalError", Kind::Unavailable),
            ("SomethingNew", Kind::Unexpected),
        ] {
            assert_eq!(answered(code, "RegisterImage").kind(), kind, "{code}");
        }
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        assert_ne!(answered("RequestLimitExceeded", "x").retry(), Retry::Never);
        assert_ne!(answered("InternalError", "x").retry(), Retry::Never);
        for lasting in ["UnauthorizedOperation", "ResourceLimitExceeded", "InvalidAMIName.Duplicate", "SomethingNew"] {
            assert_eq!(answered(lasting, "x").retry(), Retry::Never, "{lasting}");
        }
    }
}
