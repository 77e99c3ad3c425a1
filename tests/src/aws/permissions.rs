//! The permissions that calls need, named as in policies.

use serde_json::Value;

use super::call::{Call, Service};
use super::caller::is_denied;
use super::query;
use super::reply::Refused;
use super::world::Shared;

/// Refuses a caller to whom a permission is missing.
pub(crate) fn permit(shared: &Shared, call: &Call) -> Result<(), Refused> {
    let missing = needed(call).into_iter().find(|action| is_denied(shared, call, action));
    missing.map_or(Ok(()), |action| {
        let message = format!("User: {} is not authorized to perform: {action}", call.caller.arn);
        Err(Refused::denied(call.service, message))
    })
}

/// Every permission that a call makes use of: a policy for a program is the union over its calls.
pub(crate) fn used(call: &Call) -> Vec<String> {
    let mut used = needed(call);
    // Without it the call is accepted, and nothing comes of it:
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
    if call.operation == "PutParameter" && call.text("DataType") == Some("aws:ec2:image") {
        used.push("ec2:DescribeImages".to_owned());
    }
    // Without it the image goes and its snapshots stay: the answer says `missing-permissions` for each.
    if call.operation == "DeregisterImage" && is_on(call, "DeleteAssociatedSnapshots") {
        used.push("ec2:DeleteSnapshot".to_owned());
    }
    used
}

fn is_on(call: &Call, name: &str) -> bool {
    call.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The permissions without which a call is refused.
fn needed(call: &Call) -> Vec<String> {
    // Nobody needs a permission to ask who one is, and a token of one's own is permission enough.
    if ["GetCallerIdentity", "AssumeRoleWithWebIdentity"].contains(&call.operation.as_str()) {
        return Vec::new();
    }
    let mut needed = vec![action(call.service, &call.operation)];
    needed.extend(further(call).map(str::to_owned));
    needed
}

/// What a parameter of a call asks for besides.
fn further(call: &Call) -> Option<&'static str> {
    let tags_json = call.json.get("Tags").and_then(Value::as_array).is_some_and(|tags| !tags.is_empty());
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    let tags_ec2 = !query::items(&call.params, "TagSpecification").is_empty() || is_on(call, "CopyImageTags");
    match (call.service, call.operation.as_str()) {
        (Service::Ec2, _) if tags_ec2 => Some("ec2:CreateTags"),
        (Service::Ebs, "StartSnapshot") if tags_json => Some("ec2:CreateTags"),
        (Service::Ssm, "PutParameter") if tags_json => Some("ssm:AddTagsToResource"),
        _ => None,
    }
}

/// The permission that an operation is named by. S3's are named otherwise than its operations:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/using-with-s3-policy-actions.html>
fn action(service: Service, operation: &str) -> String {
    let name = match (service, operation) {
        (Service::S3, "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        (Service::S3, "HeadObject") => "GetObject",
        (Service::S3, "UploadPart" | "CreateMultipartUpload" | "CompleteMultipartUpload" | "CopyObject") => "PutObject",
        (Service::S3, "ListParts") => "ListMultipartUploadParts",
        (Service::S3, "ListMultipartUploads") => "ListBucketMultipartUploads",
        (Service::S3, "DeleteObjects") => "DeleteObject",
        (Service::S3, "ListBuckets") => "ListAllMyBuckets",
        _ => operation,
    };
    format!("{}:{name}", service.name())
}
