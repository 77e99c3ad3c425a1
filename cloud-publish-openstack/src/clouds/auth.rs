//! The part `auth` of an entry: which ways to sign in there are, and which keys each of them needs.
//!
//! The names are those of keystoneauth's plugins:
//! <https://docs.openstack.org/keystoneauth/latest/plugin-options.html>.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::did_you_mean;
use cloud_publish_core::secret::Secret;
use serde_yaml_ng::Value;

use super::yaml::{find, text};
use super::{Auth, Credential, Domain, Named};

const APPLICATION_CREDENTIAL: &str = "v3applicationcredential";

/// What `auth_type` may say.
const KNOWN: [&str; 5] = ["password", "v3password", "token", "v3token", APPLICATION_CREDENTIAL];

pub(super) fn read(entry: &Value) -> Result<Auth> {
    if find(entry, &["auth", "system_scope"]).is_some() {
        return Err(Error::new(Kind::InvalidInput, "`system_scope` is not supported: images belong to a project")
            .hint("name a project with project_name or project_id"));
    }
    match auth_type(entry)?.as_str() {
        "password" | "v3password" => Ok(Auth::Password {
            user: named(entry, "user", &["username"])?,
            password: secret(entry, "password")?,
            project: project(entry)?,
        }),
        "token" | "v3token" => Ok(Auth::Token { token: secret(entry, "token")?, project: project(entry)? }),
        APPLICATION_CREDENTIAL => Ok(Auth::ApplicationCredential {
            credential: credential(entry)?,
            secret: secret(entry, "application_credential_secret")?,
        }),
        other => {
            let near = did_you_mean(other, KNOWN).map(|near| near + " ").unwrap_or_default();
            Err(Error::new(Kind::InvalidInput, format!("`auth_type: {}` is not supported", other.escape_debug()))
                .hint(format!("{near}it may be {}", KNOWN.join(", "))))
        }
    }
}

/// The word, or what the other keys suggest when it is absent.
fn auth_type(entry: &Value) -> Result<String> {
    let has = |key: &str| find(entry, &["auth", key]).is_some();
    Ok(match text(entry, &["auth_type"])? {
        Some(word) => word,
        None if has("application_credential_id") || has("application_credential_name") => {
            APPLICATION_CREDENTIAL.to_owned()
        }
        None if has("token") => "token".to_owned(),
        None => "password".to_owned(),
    })
}

fn credential(entry: &Value) -> Result<Credential> {
    if let Some(id) = text(entry, &["auth", "application_credential_id"])? {
        return Ok(Credential::Id(id));
    }
    let name = text(entry, &["auth", "application_credential_name"])?.ok_or_else(|| {
        Error::new(Kind::InvalidInput, "`auth.application_credential_id` is missing")
            .hint("`auth.application_credential_name` with its user does as well")
    })?;
    Ok(Credential::Name { name, user: named(entry, "user", &["username"])? })
}

/// Keystone's second version called projects tenants, and many files still do.
fn project(entry: &Value) -> Result<Named> {
    if let Some(id) = text(entry, &["auth", "tenant_id"])? {
        return Ok(Named::Id(id));
    }
    named(entry, "project", &["project_name", "tenant_name"])
}

/// `user_id`, or `username` with its domain; likewise for the project.
fn named(entry: &Value, what: &str, name_keys: &[&str]) -> Result<Named> {
    let auth = |key: &str| text(entry, &["auth", key]);
    if let Some(id) = auth(&format!("{what}_id"))? {
        return Ok(Named::Id(id));
    }
    for key in name_keys {
        if let Some(name) = auth(key)? {
            return Ok(Named::Name { name, domain: domain(entry, what)? });
        }
    }
    Err(Error::new(Kind::InvalidInput, format!("`auth.{}` is missing", name_keys.first().unwrap_or(&what)))
        .hint(format!("`auth.{what}_id` does as well")))
}

/// The domain of a user or project, the one given for both, or what python-openstackclient assumes.
fn domain(entry: &Value, what: &str) -> Result<Domain> {
    for prefix in [format!("{what}_domain"), "domain".to_owned(), "default_domain".to_owned()] {
        if let Some(id) = text(entry, &["auth", &format!("{prefix}_id")])? {
            return Ok(Domain::Id(id));
        }
        if let Some(name) = text(entry, &["auth", &format!("{prefix}_name")])? {
            return Ok(Domain::Name(name));
        }
    }
    Ok(Domain::Id("default".to_owned()))
}

fn secret(entry: &Value, key: &str) -> Result<Secret> {
    let value = text(entry, &["auth", key])?.ok_or_else(|| {
        Error::new(Kind::InvalidInput, format!("`auth.{key}` is missing"))
            .hint("it may also stand in a secure.yaml beside clouds.yaml")
    })?;
    Ok(Secret::new(value))
}
