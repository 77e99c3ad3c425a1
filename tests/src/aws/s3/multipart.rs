//! Multipart uploads: begun, filled and given up. [`super::complete`] ends them.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::collections::BTreeMap;

use super::checksum::{Algorithm, Kind};
use super::route::Target;
use super::state::{Part, Upload};
use super::xml::document;
use super::{objects, payload, refusals};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// CreateMultipartUpload. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
pub(super) fn create(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let about = objects::about(call)?;
    let checksum = checksum(call)?;
    let mut world = shared.state();
    let id = world.s3.next_upload_id();
    let bucket = world.s3.bucket(call, target)?;
    let upload = Upload { started: call.now, about, checksum, parts: BTreeMap::new() };
    bucket.uploads.insert((target.key.clone(), id.clone()), upload);
    let reply = document("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", &target.bucket).text("Key", &target.key).text("UploadId", &id);
    });
    Ok(match checksum {
        None => reply,
        Some((algorithm, kind)) => {
            reply.header("x-amz-checksum-algorithm", algorithm.name()).header("x-amz-checksum-type", kind.name())
        }
    })
}

fn checksum(call: &Call) -> Result<Option<(Algorithm, Kind)>, Refused> {
    let invalid = |message: &str| refusals::invalid_request(message);
    let kind = call.header("x-amz-checksum-type");
    let Some(name) = call.header("x-amz-checksum-algorithm") else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(invalid(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let algorithm = Algorithm::parse(name).ok_or_else(|| {
        let names = Algorithm::ALL.map(Algorithm::name).join(", ");
        invalid(&format!("Checksum algorithm provided is unsupported. Please try again with any of: [{names}]"))
    })?;
    let kind = match kind {
        None => algorithm.default_kind(),
        Some("FULL_OBJECT") => Kind::FullObject,
        Some("COMPOSITE") => Kind::Composite,
        Some(_) => return Err(invalid("Value for x-amz-checksum-type header is invalid.")),
    };
    if !algorithm.allows(kind) {
        let message = format!("The {} checksum type cannot be used with the {name} checksum algorithm.", kind.name());
        return Err(invalid(&message));
    }
    Ok(Some((algorithm, kind)))
}

/// UploadPart. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
pub(super) fn part(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let number: u32 = call
        .query("partNumber")
        .and_then(|text| text.parse().ok())
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| refusals::invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))?;
    let payload = payload::read(call)?;
    let mut world = shared.state();
    let upload = world.s3.bucket(call, target)?.upload(&target.key, call.query("uploadId").unwrap_or_default())?;
    let name = |algorithm: Option<Algorithm>| {
        algorithm.map_or_else(|| "null".to_owned(), |algorithm| algorithm.name().to_lowercase())
    };
    let (expected, actual) =
        (upload.checksum.map(|(algorithm, _)| algorithm), payload.checksum.as_ref().map(|(algorithm, _)| *algorithm));
    // An upload for a checksum of the whole computes what is missing of it itself.
    let may_miss = actual.is_none() && upload.checksum.is_some_and(|(_, kind)| kind == Kind::FullObject);
    if expected != actual && !may_miss {
        let (expected, actual) = (name(expected), name(actual));
        let message = format!(
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        );
        return Err(refusals::invalid_request(message));
    }
    let mut reply = Reply::empty(200).header("etag", &payload.etag);
    let checksum = payload.checksum.map(|(algorithm, value)| {
        reply.headers.push((algorithm.header().to_owned(), value.clone()));
        value
    });
    upload.parts.insert(number, Part { content: payload.content, etag: payload.etag, checksum, modified: call.now });
    Ok(reply)
}

/// AbortMultipartUpload.
pub(super) fn abort(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let id = call.query("uploadId").unwrap_or_default();
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    bucket.upload(&target.key, id)?;
    bucket.uploads.remove(&(target.key.clone(), id.to_owned()));
    Ok(Reply::empty(204))
}
