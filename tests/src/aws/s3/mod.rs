//! S3, as far as importing a disk needs it: buckets, objects and multipart uploads, addressed by path.
//!
//! It is strict where a wrong upload could pass for a right one: a checksum that is sent is verified (in a header, or
//! in the trailer of an `aws-chunked` body), a part is at least 5 MiB unless it is the last, the list that completes an
//! upload must name what was uploaded, and a bucket answers only in its own region and to its own account. There are no
//! policies, no access lists, no versions and no life-cycle rules.
//!
//! | module | owns |
//! |---|---|
//! | [`route`] | which operation a request is |
//! | [`seed`] | buckets that are there from the beginning |
//! | [`state`] | buckets, objects, uploads |
//! | [`payload`] | the body as it was meant, verified |
//! | [`checksum`] | the algorithms, and how the checksum of a whole follows from its parts |
//! | [`buckets`], [`objects`], [`read`], [`tagging`], [`list`], [`multipart`], [`complete`] | the operations |
//! | [`xml`] | the few elements that S3 reads and writes |

mod buckets;
mod checksum;
mod chunked;
mod complete;
mod list;
mod multipart;
mod objects;
mod payload;
mod read;
mod refusals;
mod route;
mod seed;
mod state;
mod tagging;
mod xml;

pub(crate) use route::operation;
pub use seed::Seed;
pub(crate) use state::{Object, State};

use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused};
use crate::aws::world::Shared;
use route::Target;

/// Answers one request to S3.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let target = Target::of(&call.path);
    match dispatch(shared, call, &target) {
        Err(refused) if refused.status == 301 => Ok(buckets::redirect(&refused, &target)),
        outcome => outcome,
    }
}

fn dispatch(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    match call.operation.as_str() {
        "ListBuckets" => buckets::list(shared, call),
        "CreateBucket" => buckets::create(shared, call, target),
        "HeadBucket" => buckets::head(shared, call, target),
        "GetBucketLocation" => buckets::location(shared, call, target),
        "DeleteBucket" => buckets::delete(shared, call, target),
        "PutObject" => objects::put(shared, call, target),
        "GetObject" | "HeadObject" => read::get(shared, call, target),
        "DeleteObject" => objects::delete(shared, call, target),
        "DeleteObjects" => objects::delete_many(shared, call, target),
        "GetObjectTagging" => tagging::get(shared, call, target),
        "PutObjectTagging" => tagging::put(shared, call, target),
        "DeleteObjectTagging" => tagging::delete(shared, call, target),
        "ListObjectsV2" => list::objects(shared, call, target),
        "ListMultipartUploads" => list::uploads(shared, call, target),
        "CreateMultipartUpload" => multipart::create(shared, call, target),
        "UploadPart" => multipart::part(shared, call, target),
        "ListParts" => list::parts(shared, call, target),
        "CompleteMultipartUpload" => complete::complete(shared, call, target),
        "AbortMultipartUpload" => multipart::abort(shared, call, target),
        _ => Err(Refused::unknown_operation(call)),
    }
}
