//! Application credentials: those of the settings, and those that users make for themselves.
//! <https://docs.openstack.org/api-ref/identity/v3/#application-credentials>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{State, answer};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::settings::{Cloud, id, project_id, user_id};
use crate::openstack::world::Shared;

/// What a program signs in with.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) cloud: String,
    pub(super) user: String,
    pub(super) name: String,
    pub(super) project: String,
    pub(super) secret: String,
}

#[derive(Deserialize)]
struct Create {
    application_credential: Wanted,
}

#[derive(Deserialize)]
struct Wanted {
    name: String,
    secret: Option<String>,
}

/// All of a cloud, by id.
pub(super) fn all(state: &State, cloud: &Cloud, name: &str) -> BTreeMap<String, Credential> {
    let made = state.credentials.iter().filter(|(_, credential)| credential.cloud == name);
    let mut found: BTreeMap<String, Credential> =
        made.map(|(id, credential)| (id.clone(), credential.clone())).collect();
    for (user, known) in &cloud.users {
        for (credential, given) in &known.application_credentials {
            let id = id("application_credential", name, &format!("{user}/{credential}"));
            let (project, secret) = (given.project.clone(), given.secret.clone());
            let (cloud, user, name) = (name.to_owned(), user.clone(), credential.clone());
            found.insert(id, Credential { cloud, user, name, project, secret });
        }
    }
    found
}

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let cloud = shared.cloud(&call.cloud).ok_or_else(Refused::unauthorized)?;
    if call.name(0) != user_id(&call.cloud, &call.caller.user) {
        return Err(Refused::forbidden("You are not authorized to perform the requested action."));
    }
    let mut state = shared.state();
    let mut mine = all(&state.keystone, &cloud, &call.cloud);
    mine.retain(|_, credential| credential.user == call.caller.user);
    match call.operation {
        "ListApplicationCredentials" => {
            let list: Vec<Value> = mine.iter().map(|(id, credential)| describe(id, credential)).collect();
            Ok(answer(200, &json!({"application_credentials": list})))
        }
        "CreateApplicationCredential" => {
            let Wanted { name, secret } = call.json::<Create>()?.application_credential;
            if mine.values().any(|credential| credential.name == name) {
                return Err(Refused::conflict("Conflict occurred attempting to store application_credential"));
            }
            let secret = secret.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
            let id = Uuid::new_v4().simple().to_string();
            let (cloud, caller) = (call.cloud.clone(), &call.caller);
            let (user, project) = (caller.user.clone(), caller.project.clone());
            let made = Credential { cloud, user, name, project, secret };
            let mut body = describe(&id, &made);
            body["secret"] = json!(made.secret);
            state.keystone.credentials.insert(id, made);
            Ok(answer(201, &json!({"application_credential": body})))
        }
        _ if mine.contains_key(call.name(1)) => {
            state.keystone.credentials.remove(call.name(1));
            Ok(Reply::empty(204))
        }
        _ => Err(Refused::not_found(format!("Could not find Application Credential: {}.", call.name(1)))),
    }
}

fn describe(id: &str, credential: &Credential) -> Value {
    let project = project_id(&credential.cloud, &credential.project);
    json!({"id": id, "name": credential.name, "project_id": project, "description": null, "expires_at": null,
           "unrestricted": false, "roles": []})
}
