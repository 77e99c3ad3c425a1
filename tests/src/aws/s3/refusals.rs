//! What S3 refuses in more than one place, in its own codes.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use crate::aws::reply::Refused;

pub(super) fn access_denied() -> Refused {
    Refused::new(403, "AccessDenied", "Access Denied")
}

pub(super) fn no_such_bucket(name: &str) -> Refused {
    Refused::new(404, "NoSuchBucket", format!("The specified bucket does not exist: {name}"))
}

pub(super) fn no_such_key(key: &str) -> Refused {
    Refused::new(404, "NoSuchKey", format!("The specified key does not exist: {key}"))
}

pub(super) fn no_such_upload(id: &str) -> Refused {
    let why = "The upload ID may be invalid, or the upload may have been aborted or completed";
    Refused::new(404, "NoSuchUpload", format!("The specified upload does not exist. {why}: {id}"))
}

/// The message is the region alone: [`super::buckets::redirect`] makes the answer of it, which needs a header.
pub(super) fn wrong_region(region: &str) -> Refused {
    Refused::new(301, "PermanentRedirect", region)
}

pub(super) fn invalid_request(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidRequest", message)
}

pub(super) fn invalid_argument(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidArgument", message)
}

pub(super) fn bad_digest(name: &str) -> Refused {
    Refused::bad("BadDigest", format!("The {name} you specified did not match the calculated checksum."))
}

pub(super) fn precondition_failed() -> Refused {
    Refused::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}
