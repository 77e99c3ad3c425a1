//! Objects: written and removed.

use std::collections::BTreeMap;

use super::checksum::{Algorithm, Kind};
use super::route::Target;
use super::state::{About, Bucket, Checksum, Object};
use super::xml::{Element, document};
use super::{payload, refusals, tagging};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// A single upload holds at most 5 GiB.
const LARGEST: usize = 5 << 30;

/// PutObject. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(super) fn put(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let about = about(call)?;
    let payload = payload::read(call)?;
    if payload.content.len() > LARGEST {
        return Err(Refused::bad("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."));
    }
    // What comes without one gets CRC-64/NVME from S3 itself.
    let (algorithm, value) = payload.checksum.unwrap_or_else(|| {
        let own = Algorithm::Crc64nvme;
        (own, own.base64([payload.content.as_ref()]))
    });
    let checksum = Checksum { algorithm, kind: Kind::FullObject, value };
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    check_preconditions(call, bucket, &target.key)?;
    let mut reply = Reply::empty(200).header("etag", &payload.etag);
    reply.headers.extend(checksum.headers());
    let object = Object { content: vec![payload.content], etag: payload.etag, modified: call.now, checksum, about };
    bucket.objects.insert(target.key.clone(), object);
    Ok(reply)
}

/// DeleteObject: what is not there is deleted too.
pub(super) fn delete(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    bucket.objects.remove(&target.key);
    Ok(Reply::empty(204))
}

/// DeleteObjects: up to 1,000 keys, with an integrity header.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(super) fn delete_many(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let payload = payload::read(call)?;
    if payload.checksum.is_none() && !call.headers.contains_key("content-md5") {
        return Err(refusals::invalid_request("Missing required header for this request: Content-MD5"));
    }
    let root = Element::parse(&payload.content)?;
    let keys: Vec<&str> = root.all("Object").filter_map(|object| object.value("Key")).collect();
    if keys.is_empty() || keys.len() > 1000 {
        return Err(Refused::bad("MalformedXML", "The number of keys must lie between 1 and 1000"));
    }
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    for key in &keys {
        bucket.objects.remove(*key);
    }
    let quiet = root.value("Quiet") == Some("true");
    Ok(document("DeleteResult", |xml| {
        for key in keys.iter().filter(|_| !quiet) {
            xml.node("Deleted", |xml| {
                xml.text("Key", key);
            });
        }
    }))
}

/// Reads what comes along with an object.
pub(super) fn about(call: &Call) -> Result<About, Refused> {
    let metadata: BTreeMap<String, String> = call
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-amz-meta-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let tags = call.header("x-amz-tagging").unwrap_or_default();
    let tags = tagging::from_pairs(form_urlencoded::parse(tags.as_bytes()).into_owned())?;
    Ok(About { content_type: call.header("content-type").map(str::to_owned), metadata, tags })
}

/// A conditional write. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(super) fn check_preconditions(call: &Call, bucket: &Bucket, key: &str) -> Result<(), Refused> {
    let there = bucket.objects.get(key);
    match call.header("if-none-match") {
        Some("*") if there.is_some() => return Err(refusals::precondition_failed()),
        None | Some("*") => {}
        Some(_) => return Err(refusals::invalid_argument("If-None-Match takes only * here")),
    }
    match (call.header("if-match"), there) {
        (Some(_), None) => Err(refusals::no_such_key(key)),
        (Some(wanted), Some(object)) if wanted.trim_matches('"') != object.etag.trim_matches('"') => {
            Err(refusals::precondition_failed())
        }
        _ => Ok(()),
    }
}

impl Checksum {
    /// The headers that tell it.
    pub(super) fn headers(&self) -> [(String, String); 2] {
        [
            (self.algorithm.header().to_owned(), self.value.clone()),
            ("x-amz-checksum-type".to_owned(), self.kind.name().to_owned()),
        ]
    }
}
