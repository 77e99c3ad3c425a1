//! One entry of `clouds.yaml`: which keys count, what they default to, which are refused by name.

use std::path::PathBuf;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::secret::Secret;
use reqwest::Url;
use serde_yaml_ng::Value;

use super::yaml::{find, flag, text};
use super::{Cloud, Domain, Named};
use crate::config::Interface;

pub(super) fn read(name: &str, entry: &Value) -> Result<Cloud> {
    let at = |error: Error| error.with("cloud", name);
    refuse_other_auth(entry).map_err(at)?;
    let cloud = || -> Result<Cloud> {
        Ok(Cloud {
            name: name.to_owned(),
            auth_url: auth_url(entry)?,
            user: named(entry, "user", "username")?,
            password: Secret::new(required(entry, &["auth", "password"])?),
            project: named(entry, "project", "project_name")?,
            regions: regions(entry)?,
            interface: interface(entry)?,
            image_endpoint: text(entry, &["image_endpoint_override"])?
                .map(|text| url("image_endpoint_override", &text))
                .transpose()?,
            cacert: text(entry, &["cacert"])?.map(PathBuf::from),
            verify: flag(entry, &["verify"])?.unwrap_or(true),
        })
    };
    cloud().map_err(at)
}

fn refuse_other_auth(entry: &Value) -> Result<()> {
    let kind = text(entry, &["auth_type"])?.unwrap_or_else(|| "password".to_owned());
    if !matches!(kind.as_str(), "password" | "v3password") {
        return Err(Error::new(Kind::Unsupported, format!("`auth_type: {kind}` is not supported yet"))
            .hint("use `auth_type: password` with auth_url, username, password and project_name"));
    }
    if find(entry, &["auth", "system_scope"]).is_some() {
        return Err(Error::new(Kind::Unsupported, "`system_scope` is not supported: images belong to a project")
            .hint("name a project with project_name or project_id"));
    }
    Ok(())
}

fn auth_url(entry: &Value) -> Result<Url> {
    let missing = || {
        let error = Error::new(Kind::InvalidInput, "`auth.auth_url` is missing");
        match find(entry, &["profile"]) {
            Some(_) => error.hint("vendor profiles are not read: write the auth_url into the entry itself"),
            None => error.hint("it is Keystone's URL, such as https://keystone.example.org/v3"),
        }
    };
    let text = text(entry, &["auth", "auth_url"])?.ok_or_else(missing)?;
    url("auth.auth_url", &text)
}

fn url(key: &str, text: &str) -> Result<Url> {
    let bad = |why: &str| Error::new(Kind::InvalidInput, format!("`{key}` {why}"));
    let url: Url = text.parse().map_err(|_| bad("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad("is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("has a user in it").hint("put user and password under `auth`"));
    }
    Ok(url)
}

/// `user_id`, or `username` with its domain; likewise for the project.
fn named(entry: &Value, what: &str, name_key: &str) -> Result<Named> {
    let auth = |key: &str| text(entry, &["auth", key]);
    if let Some(id) = auth(&format!("{what}_id"))? {
        return Ok(Named::Id(id));
    }
    let name = auth(name_key)?.ok_or_else(|| {
        Error::new(Kind::InvalidInput, format!("`auth.{name_key}` is missing"))
            .hint(format!("`auth.{what}_id` does as well"))
    })?;
    let domain = match (auth(&format!("{what}_domain_id"))?, auth(&format!("{what}_domain_name"))?) {
        (Some(id), _) => Domain::Id(id),
        (None, Some(name)) => Domain::Name(name),
        (None, None) => match (auth("domain_id")?, auth("domain_name")?) {
            (Some(id), _) => Domain::Id(id),
            (None, Some(name)) => Domain::Name(name),
            // What python-openstackclient assumes.
            (None, None) => Domain::Id("default".to_owned()),
        },
    };
    Ok(Named::Name { name, domain })
}

fn required(entry: &Value, path: &[&str]) -> Result<String> {
    text(entry, path)?.ok_or_else(|| {
        Error::new(Kind::InvalidInput, format!("`{}` is missing", path.join(".")))
            .hint("it may also stand in a secure.yaml beside clouds.yaml")
    })
}

/// `region_name`, else `regions`: a list of names or of mappings with a `name`.
fn regions(entry: &Value) -> Result<Vec<String>> {
    if let Some(region) = text(entry, &["region_name"])? {
        return Ok(vec![region]);
    }
    let Some(list) = find(entry, &["regions"]) else { return Ok(Vec::new()) };
    let bad = || Error::new(Kind::InvalidInput, "`regions` is not a list of names");
    let name = |value: &Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(ToOwned::to_owned);
    list.as_sequence().ok_or_else(bad)?.iter().map(|value| name(value).ok_or_else(bad)).collect()
}

fn interface(entry: &Value) -> Result<Interface> {
    let word = match text(entry, &["interface"])? {
        Some(word) => Some(word),
        None => text(entry, &["endpoint_type"])?,
    };
    match word.as_deref().map(|word| word.trim_end_matches("URL")) {
        None | Some("public") => Ok(Interface::Public),
        Some("internal") => Ok(Interface::Internal),
        Some("admin") => Ok(Interface::Admin),
        Some(other) => Err(Error::new(Kind::InvalidInput, format!("`interface: {other}` is no interface"))
            .hint("it is public, internal or admin")),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
