//! Keystone v3: tokens, the catalogue, and what clients look up about themselves.
//! <https://docs.openstack.org/api-ref/identity/v3/>

mod authenticate;
mod credentials;
mod directory;
mod token;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::credentials::Credential;
use self::token::Token;
use super::call::{Call, Caller};
use super::refused::{Outcome, Refused};
use super::world::Shared;
use crate::fake::Reply;

/// What it remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    tokens: BTreeMap<String, Token>,
    /// Application credentials that users made, by id.
    credentials: BTreeMap<String, Credential>,
}

impl State {
    /// Who a token belongs to, if it is good in this cloud now.
    pub(crate) fn caller(&self, cloud: &str, token: &str, now: Timestamp) -> Option<Caller> {
        let token = self.token(cloud, token, now)?;
        Some(token.caller())
    }

    fn token(&self, cloud: &str, token: &str, now: Timestamp) -> Option<&Token> {
        self.tokens.get(token).filter(|token| token.cloud == cloud && token.expires > now)
    }

    /// Ends every token.
    pub(crate) fn revoke_all(&mut self) {
        self.tokens.clear();
    }
}

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    match call.operation {
        "ListVersions" => {
            let versions = json!({"versions": {"values": [version(shared, call)]}});
            return Ok(answer(300, &versions));
        }
        "ShowVersion" => return Ok(answer(200, &json!({"version": version(shared, call)}))),
        "CreateToken" => return authenticate::create(shared, call),
        "Unknown" => return Err(Refused::not_found("Not Found")),
        _ => {}
    }
    if call.caller.user.is_empty() {
        return Err(Refused::unauthorized());
    }
    match call.operation {
        "ValidateToken" => token::validate(shared, call),
        "RevokeToken" => token::revoke(shared, call),
        "ShowCatalogue" => {
            let links = json!({"self": shared.address(&format!("{}/identity/v3/auth/catalog", call.cloud))});
            Ok(answer(200, &json!({"catalog": token::catalogue(shared, &call.cloud), "links": links})))
        }
        "ListOwnProjects" | "ListProjects" | "ShowProject" => directory::projects(shared, call),
        _ => credentials::handle(shared, call),
    }
}

/// <https://docs.openstack.org/api-ref/identity/v3/#show-v3-api-details>
fn version(shared: &Shared, call: &Call) -> Value {
    let href = shared.address(&format!("{}/identity/v3/", call.cloud));
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": href}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

fn answer(status: u16, body: &Value) -> Reply {
    Reply::bytes(Bytes::from(body.to_string())).status(status).header("content-type", "application/json")
}

/// The only domain.
fn domain() -> Value {
    json!({"id": "default", "name": "Default"})
}
