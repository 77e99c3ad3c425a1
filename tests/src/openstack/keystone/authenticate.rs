//! Signing in: with a password, with a token, with an application credential.
//! <https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management>

use serde::Deserialize;
use serde_json::Value;

use super::credentials;
use super::token::{self, Token};
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::settings::{Cloud, project_id, user_id};
use crate::openstack::world::Shared;

#[derive(Deserialize)]
struct Request {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Identity,
    scope: Option<Value>,
}

#[derive(Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
    token: Option<Given>,
    application_credential: Option<Application>,
}

#[derive(Deserialize)]
struct Password {
    user: PasswordUser,
}

#[derive(Deserialize)]
struct PasswordUser {
    #[serde(flatten)]
    who: Who,
    password: String,
}

#[derive(Deserialize)]
struct Given {
    id: String,
}

#[derive(Deserialize)]
struct Application {
    id: Option<String>,
    name: Option<String>,
    secret: String,
    user: Option<Who>,
}

/// A user or a project, by its id or by its name within a domain.
#[derive(Deserialize)]
struct Who {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Domain>,
}

#[derive(Deserialize)]
struct Domain {
    id: Option<String>,
    name: Option<String>,
}

/// Who it turned out to be.
struct Found {
    user: String,
    /// The project that an application credential is for, or that the token was for.
    project: Option<String>,
    /// A token made with a token ends with it.
    ends: Option<jiff::Timestamp>,
    may_choose_scope: bool,
}

pub(super) fn create(shared: &Shared, call: &Call) -> Outcome {
    let request: Request = call.json()?;
    let cloud = shared.cloud(&call.cloud).ok_or_else(Refused::unauthorized)?;
    let Auth { identity, scope } = request.auth;
    let [method] = identity.methods.as_slice() else {
        return Err(Refused::bad("one method at a time"));
    };
    let found = match (method.as_str(), &identity.password, &identity.token, &identity.application_credential) {
        ("password", Some(password), _, _) => by_password(call, &cloud, &password.user),
        ("token", _, Some(token), _) => by_token(shared, call, &token.id)?,
        ("application_credential", _, _, Some(given)) => by_credential(shared, call, &cloud, given)?,
        _ => return Err(Refused::bad(format!("Invalid input for field 'identity/{method}'"))),
    };
    let found = found.ok_or_else(Refused::unauthorized)?;
    let scope = scope.filter(|scope| scope != "unscoped");
    if scope.is_some() && !found.may_choose_scope {
        return Err(Refused::new(401, "Application credentials cannot request a scope."));
    }
    let project = match scope {
        Some(scope) => Some(scoped(call, &cloud, scope)?),
        None => found.project,
    };
    let roles = match &project {
        None => Vec::new(),
        Some(project) => {
            let user = cloud.users.get(&found.user).ok_or_else(Refused::unauthorized)?;
            implied(user.roles.get(project).ok_or_else(Refused::unauthorized)?)
        }
    };
    let expires = call.now + jiff::SignedDuration::from_secs(cloud.token_seconds);
    let token = Token {
        cloud: call.cloud.clone(),
        user: found.user,
        project,
        roles,
        method: method.clone(),
        issued: call.now,
        expires: found.ends.unwrap_or(expires),
    };
    Ok(token::issue(shared, call, token))
}

fn by_password(call: &Call, cloud: &Cloud, given: &PasswordUser) -> Option<Found> {
    let user = find(&given.who, cloud.users.keys(), |name| user_id(&call.cloud, name))?;
    let known = cloud.users.get(&user)?;
    (known.password == given.password).then_some(Found { user, project: None, ends: None, may_choose_scope: true })
}

/// A token that is unknown, or no longer one, is not found.
fn by_token(shared: &Shared, call: &Call, token: &str) -> Result<Option<Found>, Refused> {
    let state = shared.state();
    let found = state.keystone.token(&call.cloud, token, call.now);
    let token = found.ok_or_else(|| Refused::not_found("Could not recognize Fernet token"))?;
    let may_choose_scope = token.method != "application_credential";
    let (user, project) = (token.user.clone(), token.project.clone());
    Ok(Some(Found { user, project, ends: Some(token.expires), may_choose_scope }))
}

/// An unknown id is not found; an unknown name is not let in, unless already its user is unknown.
fn by_credential(shared: &Shared, call: &Call, cloud: &Cloud, given: &Application) -> Result<Option<Found>, Refused> {
    let whose = given.user.as_ref().and_then(|who| find(who, cloud.users.keys(), |name| user_id(&call.cloud, name)));
    let known = credentials::all(&shared.state().keystone, cloud, &call.cloud);
    if let (None, Some(_), None) = (&given.id, &given.user, &whose) {
        return Err(Refused::not_found("Could not find user."));
    }
    let found = known.into_iter().find(|(id, credential)| match (&given.id, &given.name) {
        (Some(wanted), _) => wanted == id,
        (None, Some(name)) => *name == credential.name && Some(&credential.user) == whose.as_ref(),
        (None, None) => false,
    });
    let credential = match (found, &given.id) {
        (Some((_, credential)), _) => credential,
        (None, Some(id)) => return Err(Refused::not_found(format!("Could not find Application Credential: {id}."))),
        (None, None) => return Ok(None),
    };
    let found = Found { user: credential.user, project: Some(credential.project), ends: None, may_choose_scope: false };
    Ok((credential.secret == given.secret).then_some(found))
}

/// Each role brings those after it: <https://docs.openstack.org/keystone/latest/admin/service-api-protection.html>.
const HIERARCHY: [&str; 4] = ["admin", "manager", "member", "reader"];

fn implied(roles: &[String]) -> Vec<String> {
    let highest = HIERARCHY.iter().position(|role| roles.iter().any(|own| own == role)).unwrap_or(HIERARCHY.len());
    let others = roles.iter().filter(|role| !HIERARCHY.contains(&role.as_str())).cloned();
    HIERARCHY.iter().skip(highest).map(|role| (*role).to_owned()).chain(others).collect()
}

/// The project of a scope.
fn scoped(call: &Call, cloud: &Cloud, scope: Value) -> Result<String, Refused> {
    let Some(project) = scope.get("project").cloned() else {
        return Err(Refused::new(401, "The user has no role in the system, nor in a domain."));
    };
    let who: Who = serde_json::from_value(project).map_err(|error| Refused::bad(error.to_string()))?;
    find(&who, cloud.projects.keys(), |name| project_id(&call.cloud, name)).ok_or_else(Refused::unauthorized)
}

/// The name of what somebody means.
fn find<'n>(who: &Who, names: impl Iterator<Item = &'n String>, id: impl Fn(&str) -> String) -> Option<String> {
    let in_domain = who
        .domain
        .as_ref()
        .is_some_and(|domain| domain.id.as_deref() == Some("default") || domain.name.as_deref() == Some("Default"));
    let is = |name: &&String| match (&who.id, &who.name) {
        (Some(wanted), _) => *wanted == id(name),
        (None, Some(wanted)) => wanted == *name && in_domain,
        (None, None) => false,
    };
    let mut names = names;
    names.find(is).cloned()
}
