//! How a request is written down.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::call::{Call, Service};
use super::permissions;
use super::query::Params;

/// The first words of operations that change nothing.
const READS: [&str; 6] = ["Describe", "Get", "List", "Head", "Search", "BatchGet"];

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Its number, from 1, in the order of arrival.
    pub seq: u64,
    /// When it arrived, by the clock of the world.
    pub time: Timestamp,
    /// Who called.
    pub account: String,
    /// With which key: sessions of a role have one each.
    pub access_key: String,
    /// With which role, if any.
    pub role: Option<String>,
    /// The region of the signature.
    pub region: String,
    /// Whom.
    pub service: Service,
    /// What.
    pub operation: String,
    /// The permissions that it makes use of, as policies name them.
    pub actions: Vec<String>,
    /// Whether it can change anything. A call with `DryRun` cannot.
    pub write: bool,
    /// The HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub uri: String,
    /// Headers, without the signature.
    pub headers: BTreeMap<String, String>,
    /// Of EC2, STS and IAM, as sent.
    pub params: Params,
    /// The body where it is JSON.
    pub json: Value,
    /// The body where it is XML.
    pub xml: Option<String>,
    /// The length of the body in bytes.
    pub body_bytes: usize,
    /// The sha256 of the body as the client declared it: base64 for EBS, hex for S3. The service checks it.
    pub body_sha256: Option<String>,
    /// Absent until it is answered, and for good if the connection ended before.
    pub status: Option<u16>,
    /// The code of the refusal, if it was one.
    pub code: Option<String>,
    /// The fault that struck it.
    pub fault: Option<String>,
}

impl Entry {
    /// A request that arrived; `uri` as sent.
    pub(crate) fn of(call: &Call, uri: &str) -> Self {
        let declared = call.header("x-amz-checksum").or_else(|| call.header("x-amz-content-sha256"));
        let secret = |name: &str| name == "authorization" || name == "x-amz-security-token";
        let is_data = ["PutObject", "UploadPart"].contains(&call.operation.as_str());
        let is_xml = call.service == Service::S3 && !is_data && !call.body.is_empty();
        Self {
            seq: call.seq,
            time: call.now,
            account: call.caller.account.clone(),
            access_key: call.caller.access_key.clone(),
            role: call.caller.role.clone(),
            region: call.region.clone(),
            service: call.service,
            operation: call.operation.clone(),
            actions: permissions::used(call),
            write: is_write(call),
            method: call.method.clone(),
            uri: uri.to_owned(),
            headers: call.headers.clone().into_iter().filter(|(name, _)| !secret(name)).collect(),
            params: call.params.clone(),
            json: call.json.clone(),
            xml: is_xml.then(|| String::from_utf8_lossy(&call.body).into_owned()),
            body_bytes: call.body.len(),
            body_sha256: declared.map(str::to_owned),
            status: None,
            code: None,
            fault: None,
        }
    }
}

fn is_write(call: &Call) -> bool {
    let reads = READS.iter().any(|read| call.operation.starts_with(read)) || call.service == Service::Sts;
    !reads && call.param("DryRun") != Some("true")
}
