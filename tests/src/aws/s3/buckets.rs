//! Buckets: made, found, listed and removed.

use super::refusals;
use super::route::Target;
use super::state::Bucket;
use super::xml::{Element, document, time};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;
use crate::aws::xml::Xml;

/// The region that a location without a name means.
const CLASSIC: &str = "us-east-1";

/// ListBuckets, all at once: real accounts have up to 10,000 in one answer unless a client asks for pages.
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.state();
    Ok(document("ListAllMyBucketsResult", |xml| {
        xml.node("Owner", |owner| {
            owner.text("ID", &call.caller.account);
        });
        xml.node("Buckets", |xml| {
            for (name, bucket) in world.s3.buckets().filter(|(_, bucket)| bucket.account == call.caller.account) {
                xml.node("Bucket", |xml| {
                    xml.text("Name", name).text("CreationDate", time(bucket.created));
                    xml.text("BucketRegion", &bucket.region);
                });
            }
        });
    }))
}

/// CreateBucket. Outside us-east-1 the body must name the region that is asked.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub(super) fn create(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    check_name(&target.bucket)?;
    check_location(call)?;
    let mut world = shared.state();
    match world.s3.any_bucket(&target.bucket) {
        Some(bucket) if bucket.account != call.caller.account => {
            return Err(Refused::new(409, "BucketAlreadyExists", "The requested bucket name is not available."));
        }
        Some(bucket) if bucket.region != call.region || call.region != CLASSIC => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(Refused::new(409, "BucketAlreadyOwnedByYou", message));
        }
        Some(_) => {}
        None => world.s3.insert_bucket(&target.bucket, Bucket::new(&call.caller.account, &call.region, call.now)),
    }
    Ok(Reply::empty(200).header("location", format!("/{}", target.bucket)))
}

fn check_location(call: &Call) -> Result<(), Refused> {
    let root = if call.body.is_empty() { Element::default() } else { Element::parse(&call.body)? };
    match root.value("LocationConstraint").filter(|region| !region.is_empty()) {
        None if call.region == CLASSIC => Ok(()),
        Some(CLASSIC) => {
            Err(Refused::bad("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        Some(region) if region == call.region => Ok(()),
        wanted => {
            let wanted = wanted.unwrap_or("unspecified");
            let why = "is incompatible for the region specific endpoint this request was sent to.";
            let message = format!("The {wanted} location constraint {why}");
            Err(Refused::bad("IllegalLocationConstraintException", message))
        }
    }
}

/// HeadBucket: tells the region, and redirects to it from others.
pub(super) fn head(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    Ok(Reply::empty(200).header("x-amz-bucket-region", &bucket.region).header("x-amz-access-point-alias", "false"))
}

/// GetBucketLocation answers in every region.
pub(super) fn location(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let world = shared.state();
    let bucket = world.s3.any_bucket(&target.bucket).ok_or_else(|| refusals::no_such_bucket(&target.bucket))?;
    if bucket.account != call.caller.account {
        return Err(refusals::access_denied());
    }
    let region = if bucket.region == CLASSIC { "" } else { bucket.region.as_str() };
    // The one answer whose root is a text.
    let mut xml = Xml::new();
    xml.text("LocationConstraint", region);
    Ok(Reply::xml(xml))
}

/// DeleteBucket: only an empty one.
pub(super) fn delete(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    if !bucket.objects.is_empty() {
        return Err(Refused::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
    }
    world.s3.remove_bucket(&target.bucket);
    Ok(Reply::empty(204))
}

/// Makes the answer to a request in the wrong region, which carries the right one in a header.
pub(super) fn redirect(refused: &Refused, target: &Target) -> Reply {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint.";
    let mut xml = Xml::new();
    xml.node("Error", |xml| {
        xml.text("Code", &refused.code).text("Message", message);
        xml.text("Bucket", &target.bucket).text("Region", &refused.message);
    });
    Reply::xml(xml).status(refused.status).header("x-amz-bucket-region", &refused.message)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(plain) && name.bytes().last().is_some_and(plain);
    let inside = name.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'.');
    if (3..=63).contains(&name.len()) && ends && inside && !name.contains("..") {
        return Ok(());
    }
    Err(Refused::bad("InvalidBucketName", "The specified bucket is not valid."))
}
