//! What was asked, what was answered, and who could see what when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

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

/// A change of who sees an image or a snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct Exposure {
    /// The request that changed it.
    pub seq: u64,
    /// When it took effect.
    pub time: Timestamp,
    /// `image` or `snapshot`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Where it is.
    pub region: String,
    /// Who sees it from now on, besides its owner: `all`, account numbers, ARNs.
    pub sharing: BTreeSet<String>,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    last: u64,
    /// Of before the last reset.
    earlier: Vec<Entry>,
    requests: BTreeMap<u64, Entry>,
    exposures: Vec<Exposure>,
}

/// What became of a request.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) fault: Option<String>,
}

impl Log {
    /// The number of the next request.
    pub(crate) fn next(&self) -> u64 {
        let mut pages = self.0.lock().expect("no test panics here");
        pages.last += 1;
        pages.last
    }

    /// Writes down a request that arrived; `uri` as sent.
    pub(crate) fn begin(&self, call: &Call, uri: &str) {
        let entry = Entry::of(call, uri);
        self.0.lock().expect("no test panics here").requests.insert(entry.seq, entry);
    }

    /// Writes down how it ended.
    pub(crate) fn end(&self, seq: u64, ended: Ended) {
        if let Some(entry) = self.0.lock().expect("no test panics here").requests.get_mut(&seq) {
            entry.status = ended.status;
            entry.code = ended.code;
            entry.fault = ended.fault;
        }
    }

    /// Writes down who sees an image or a snapshot (`kind`) from now on.
    pub(crate) fn expose(&self, call: &Call, kind: &'static str, id: &str, sharing: BTreeSet<String>) {
        let (seq, time) = (call.seq, call.now);
        let (id, region) = (id.to_owned(), call.region.clone());
        let exposure = Exposure { seq, time, kind, id, region, sharing };
        self.0.lock().expect("no test panics here").exposures.push(exposure);
    }

    /// All requests since the last reset, by number.
    pub(crate) fn requests(&self) -> Vec<Entry> {
        self.0.lock().expect("no test panics here").requests.values().cloned().collect()
    }

    /// All requests ever, by number.
    pub(crate) fn all_requests(&self) -> Vec<Entry> {
        let pages = self.0.lock().expect("no test panics here");
        pages.earlier.iter().chain(pages.requests.values()).cloned().collect()
    }

    /// All changes of sharing since the last reset, in their order.
    pub(crate) fn exposures(&self) -> Vec<Exposure> {
        self.0.lock().expect("no test panics here").exposures.clone()
    }

    /// Begins a new page. Numbers go on.
    pub(crate) fn turn(&self) {
        let mut pages = self.0.lock().expect("no test panics here");
        let requests = std::mem::take(&mut pages.requests);
        pages.earlier.extend(requests.into_values());
        pages.exposures.clear();
    }
}

impl Entry {
    fn of(call: &Call, uri: &str) -> Self {
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
