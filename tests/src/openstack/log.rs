//! How a request is written down.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::call::{Call, Service};

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Its number, from 1, in the order of arrival.
    pub seq: u64,
    /// When it arrived, by the clock of the world.
    pub time: Timestamp,
    /// Of which cloud.
    pub cloud: String,
    /// Whom.
    pub service: Service,
    /// Where; empty at Keystone.
    pub region: String,
    /// What: `CreateToken`, `ListImages`, `UploadImage`, ...
    pub operation: &'static str,
    /// Whether it can change anything; signing in does not.
    pub write: bool,
    /// The image, member and so on that the path names.
    pub names: Vec<String>,
    /// The user's name; empty if nobody signed in.
    pub user: String,
    /// The project's name.
    pub project: String,
    /// The HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub uri: String,
    /// Headers, without the tokens.
    pub headers: BTreeMap<String, String>,
    /// The body where it is JSON and no secret.
    pub json: Value,
    /// Absent until it is answered, and for good if the connection ended before.
    pub status: Option<u16>,
    /// The fault that struck it.
    pub fault: Option<String>,
}

impl Entry {
    /// A request that arrived; `uri` as sent.
    pub(crate) fn of(call: &Call, uri: &str) -> Self {
        let secret = |name: &str| name == "x-auth-token" || name == "x-subject-token";
        let json = match call.service {
            Service::Identity => Value::Null,
            Service::Image => serde_json::from_slice(&call.body).unwrap_or(Value::Null),
        };
        Self {
            seq: call.seq,
            time: call.now,
            cloud: call.cloud.clone(),
            service: call.service,
            region: call.region.clone(),
            operation: call.operation,
            write: call.method != "GET" && call.method != "HEAD" && !call.operation.ends_with("Token"),
            names: call.names.clone(),
            user: call.caller.user.clone(),
            project: call.caller.project.clone(),
            method: call.method.clone(),
            uri: uri.to_owned(),
            headers: call.headers.clone().into_iter().filter(|(name, _)| !secret(name)).collect(),
            json,
            status: None,
            fault: None,
        }
    }
}
