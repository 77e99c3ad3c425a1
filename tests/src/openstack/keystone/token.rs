//! Tokens and what they say: who, for which project, until when, and where the services are.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{answer, domain};
use crate::fake::Reply;
use crate::openstack::call::{Call, Caller};
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::settings::{id, project_id, user_id};
use crate::openstack::world::Shared;

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) cloud: String,
    pub(super) user: String,
    /// None: it belongs to no project.
    pub(super) project: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) method: String,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
}

impl Token {
    pub(super) fn caller(&self) -> Caller {
        let project = self.project.clone().unwrap_or_default();
        let project_id = if project.is_empty() { String::new() } else { project_id(&self.cloud, &project) };
        Caller { user: self.user.clone(), project, project_id, roles: self.roles.clone() }
    }

    fn describe(&self, shared: &Shared, with_catalogue: bool) -> Value {
        let mut body = json!({
            "methods": [self.method],
            "user": {"id": user_id(&self.cloud, &self.user), "name": self.user, "domain": domain(), "password_expires_at": null},
            "audit_ids": [Uuid::new_v5(&Uuid::NAMESPACE_URL, self.issued.to_string().as_bytes()).simple().to_string()],
            "issued_at": time(self.issued), "expires_at": time(self.expires),
        });
        if let Some(project) = &self.project {
            let role = |role: &String| json!({"id": id("role", &self.cloud, role), "name": role});
            body["project"] = json!({"id": project_id(&self.cloud, project), "name": project, "domain": domain()});
            body["is_domain"] = json!(false);
            body["roles"] = self.roles.iter().map(role).collect();
            if with_catalogue {
                body["catalog"] = catalogue(shared, &self.cloud);
            }
        }
        json!({"token": body})
    }
}

/// Hands out a new token.
pub(super) fn issue(shared: &Shared, call: &Call, token: Token) -> Reply {
    let value = format!("gAAAAA{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let body = token.describe(shared, call.query("nocatalog").is_none());
    shared.state().keystone.tokens.insert(value.clone(), token);
    answer(201, &body).header("x-subject-token", value).header("vary", "X-Auth-Token")
}

pub(super) fn validate(shared: &Shared, call: &Call) -> Outcome {
    let token = subject(shared, call)?;
    let value = call.header("x-subject-token").unwrap_or_default().to_owned();
    Ok(answer(200, &token.describe(shared, call.query("nocatalog").is_none())).header("x-subject-token", value))
}

pub(super) fn revoke(shared: &Shared, call: &Call) -> Outcome {
    subject(shared, call)?;
    shared.state().keystone.tokens.remove(call.header("x-subject-token").unwrap_or_default());
    Ok(Reply::empty(204))
}

/// One's own token, or anybody's for an administrator.
fn subject(shared: &Shared, call: &Call) -> Result<Token, Refused> {
    let value = call.header("x-subject-token").ok_or_else(|| Refused::bad("X-Subject-Token is missing"))?;
    let found = shared.state().keystone.token(&call.cloud, value, call.now).cloned();
    let found = found.ok_or_else(|| Refused::not_found("Could not find token."))?;
    if found.user != call.caller.user && !call.caller.is_admin() {
        return Err(Refused::forbidden("You are not authorized to perform the requested action."));
    }
    Ok(found)
}

/// Where the services of a cloud are.
pub(super) fn catalogue(shared: &Shared, cloud: &str) -> Value {
    let known = shared.cloud(cloud).unwrap_or_default();
    let endpoints = |kind: &str, region: &str, url: &str| -> Vec<Value> {
        let endpoint = |interface: &&str| {
            let id = id("endpoint", cloud, &format!("{kind}/{region}/{interface}"));
            json!({"id": id, "interface": interface, "region_id": region, "region": region, "url": url})
        };
        ["public", "internal", "admin"].iter().map(endpoint).collect()
    };
    let service = |kind: &str, name: &str, url: &dyn Fn(&str) -> String| {
        let regions = known.regions.keys();
        let all: Vec<Value> = regions.flat_map(|region| endpoints(kind, region, &url(region))).collect();
        json!({"id": id("service", cloud, kind), "type": kind, "name": name, "endpoints": all})
    };
    json!([
        service("identity", "keystone", &|_| shared.address(&format!("{cloud}/identity/v3"))),
        service("image", "glance", &|region| shared.address(&format!("{cloud}/image/{region}"))),
    ])
}

/// With microseconds, as Keystone writes times.
fn time(time: Timestamp) -> String {
    format!("{time:.6}")
}
