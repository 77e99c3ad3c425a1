//! Names the operation of a request.

use std::collections::BTreeMap;

use super::call::Service;
use super::query::Params;
use super::s3;

/// What a request says about its operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) query: &'r [(String, String)],
    pub(crate) headers: &'r BTreeMap<String, String>,
    pub(crate) params: &'r Params,
}

/// The name of the operation; `Unknown` if there is none.
pub(crate) fn operation(service: Service, line: Line<'_>) -> String {
    let name = match service {
        Service::Ec2 | Service::Sts | Service::Iam => line.params.get("Action").map(String::as_str),
        Service::Ssm | Service::ServiceQuotas => {
            line.headers.get("x-amz-target").and_then(|target| target.split_once('.')).map(|(_, name)| name)
        }
        Service::Marketplace => line.path.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/')),
        Service::Ebs => ebs(line),
        Service::S3 => Some(s3::operation(line)),
    };
    name.unwrap_or("Unknown").to_owned()
}

/// <https://docs.aws.amazon.com/ebs/latest/APIReference/API_Operations.html>
fn ebs(line: Line<'_>) -> Option<&'static str> {
    let parts: Vec<&str> = line.path.trim_start_matches('/').split('/').collect();
    match (line.method, &parts[..]) {
        ("POST", ["snapshots"]) => Some("StartSnapshot"),
        ("POST", ["snapshots", "completion", _]) => Some("CompleteSnapshot"),
        ("PUT", ["snapshots", _, "blocks", _]) => Some("PutSnapshotBlock"),
        ("GET", ["snapshots", _, "blocks", _]) => Some("GetSnapshotBlock"),
        ("GET", ["snapshots", _, "blocks"]) => Some("ListSnapshotBlocks"),
        ("GET", ["snapshots", _, "changedblocks"]) => Some("ListChangedBlocks"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Line, Service, operation};

    fn named(service: Service, method: &str, path: &str, query: &[(&str, &str)]) -> String {
        let query: Vec<(String, String)> = query.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let (headers, params) = (BTreeMap::new(), BTreeMap::new());
        operation(service, Line { method, path, query: &query, headers: &headers, params: &params })
    }

    #[test]
    fn blocks_are_put_and_listed_by_path() {
        assert_eq!(named(Service::Ebs, "PUT", "/snapshots/snap-1/blocks/7", &[]), "PutSnapshotBlock");
        assert_eq!(named(Service::Ebs, "GET", "/snapshots/snap-1/blocks", &[]), "ListSnapshotBlocks");
        assert_eq!(named(Service::Ebs, "GET", "/snapshots", &[]), "Unknown");
    }

    #[test]
    fn a_key_with_slashes_is_an_object() {
        assert_eq!(named(Service::S3, "PUT", "/bucket/a/b", &[("partNumber", "1")]), "UploadPart");
        assert_eq!(named(Service::S3, "GET", "/bucket", &[("list-type", "2")]), "ListObjectsV2");
    }
}
