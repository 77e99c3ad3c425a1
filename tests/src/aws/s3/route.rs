//! Which operation a request is: S3 tells them apart by method, depth of the path and the names in the query.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use crate::aws::route::Line;

/// What a path of the form `/bucket/key` names. Both are empty where the path ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Target {
    /// Reads the path of a request, decoded.
    pub(crate) fn of(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }
}

/// Names the operation as the API reference does, `Unknown` for what this server does not have.
pub(crate) fn operation(line: Line<'_>) -> &'static str {
    let target = Target::of(line.path);
    let has = |name: &str| line.query.iter().any(|(key, _)| key == name);
    match (target.bucket.is_empty(), target.key.is_empty()) {
        (true, _) if line.method == "GET" => "ListBuckets",
        (true, _) => "Unknown",
        (false, true) => of_bucket(line, &has),
        (false, false) if line.headers.contains_key("x-amz-copy-source") => "Unknown",
        (false, false) => of_object(line.method, &has),
    }
}

/// Sub-resources of buckets that only this server lacks: a request for one must not pass for a plain one.
const OTHER_BUCKET_PARTS: [&str; 24] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "session",
    "tagging",
    "versioning",
    "versions",
    "website",
];

fn of_bucket(line: Line<'_>, has: &dyn Fn(&str) -> bool) -> &'static str {
    if OTHER_BUCKET_PARTS.iter().any(|part| has(part)) {
        return "Unknown";
    }
    match line.method {
        "PUT" => "CreateBucket",
        "HEAD" => "HeadBucket",
        "DELETE" => "DeleteBucket",
        "POST" if has("delete") => "DeleteObjects",
        "GET" if has("location") => "GetBucketLocation",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if line.query.contains(&("list-type".to_owned(), "2".to_owned())) => "ListObjectsV2",
        _ => "Unknown",
    }
}

/// Sub-resources of objects that only this server lacks.
const OTHER_OBJECT_PARTS: [&str; 10] = [
    "acl",
    "attributes",
    "legal-hold",
    "object-lock",
    "renameObject",
    "restore",
    "retention",
    "select",
    "torrent",
    "versionId",
];

fn of_object(method: &str, has: &dyn Fn(&str) -> bool) -> &'static str {
    if OTHER_OBJECT_PARTS.iter().any(|part| has(part)) {
        return "Unknown";
    }
    match (method, has("tagging"), has("uploadId")) {
        ("GET", true, _) => "GetObjectTagging",
        ("PUT", true, _) => "PutObjectTagging",
        ("DELETE", true, _) => "DeleteObjectTagging",
        ("PUT", _, true) => "UploadPart",
        ("GET", _, true) => "ListParts",
        ("POST", _, true) => "CompleteMultipartUpload",
        ("DELETE", _, true) => "AbortMultipartUpload",
        ("POST", ..) if has("uploads") => "CreateMultipartUpload",
        ("PUT", ..) if has("partNumber") => "UploadPart",
        ("PUT", ..) => "PutObject",
        ("GET", ..) => "GetObject",
        ("HEAD", ..) => "HeadObject",
        ("DELETE", ..) => "DeleteObject",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Line, Target};

    fn operation(method: &str, path: &str, query: &str) -> &'static str {
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (headers, params) = (BTreeMap::new(), BTreeMap::new());
        super::operation(Line { method, path, query: &query, headers: &headers, params: &params })
    }

    #[test]
    fn the_query_tells_operations_of_one_path_apart() {
        assert_eq!(operation("GET", "/b", "list-type=2&prefix=x"), "ListObjectsV2");
        assert_eq!(operation("GET", "/b/", "uploads"), "ListMultipartUploads");
        assert_eq!(operation("POST", "/b/k", "uploads="), "CreateMultipartUpload");
        assert_eq!(operation("PUT", "/b/k", "partNumber=1&uploadId=u&x-id=UploadPart"), "UploadPart");
        assert_eq!(operation("PUT", "/b/k/l", "x-id=PutObject"), "PutObject");
    }

    #[test]
    fn a_part_that_is_missing_here_is_never_taken_for_the_whole() {
        assert_eq!(operation("PUT", "/b", "versioning"), "Unknown");
        assert_eq!(operation("GET", "/b/k", "acl"), "Unknown");
        assert_eq!(operation("GET", "/b", ""), "Unknown");
    }

    #[test]
    fn keys_keep_their_slashes() {
        let target = Target::of("/bucket/a b/c+d/");
        assert_eq!((target.bucket.as_str(), target.key.as_str()), ("bucket", "a b/c+d/"));
    }
}
