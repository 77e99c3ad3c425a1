//! One entry of `clouds.yaml`: which keys count, what they default to, which are refused by name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cloud_publish_core::error::{Error, Kind, Result};
use reqwest::Url;
use serde_yaml_ng::Value;

use super::yaml::{find, flag, text};
use super::{ClientCertificate, Cloud, auth};
use crate::config::Interface;

pub(super) fn read(name: &str, entry: &Value) -> Result<Cloud> {
    let cloud = || -> Result<Cloud> {
        let (regions, image_endpoints) = regions(entry)?;
        Ok(Cloud {
            name: name.to_owned(),
            auth_url: auth_url(entry)?,
            auth: auth::read(entry)?,
            regions,
            interface: interface(entry)?,
            image_endpoint: image_endpoint(entry)?,
            image_endpoints,
            cacert: text(entry, &["cacert"])?.map(PathBuf::from),
            client: client(entry)?,
            verify: verify(entry)?,
        })
    };
    cloud().map_err(|error| error.with("cloud", name))
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

fn image_endpoint(values: &Value) -> Result<Option<Url>> {
    let key = "image_endpoint_override";
    text(values, &[key])?.map(|text| url(key, &text)).transpose()
}

/// `cert` and `key`, as the library `requests` takes them.
fn client(entry: &Value) -> Result<Option<ClientCertificate>> {
    let key = text(entry, &["key"])?.map(PathBuf::from);
    match text(entry, &["cert"])? {
        Some(certificate) => Ok(Some(ClientCertificate { certificate: certificate.into(), key })),
        None if key.is_some() => Err(Error::new(Kind::InvalidInput, "`key` is there and `cert` is missing")),
        None => Ok(None),
    }
}

/// `insecure` is the older word.
fn verify(entry: &Value) -> Result<bool> {
    Ok(flag(entry, &["verify"])?.unwrap_or(true) && !flag(entry, &["insecure"])?.unwrap_or(false))
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

type Regions = (Vec<String>, BTreeMap<String, Url>);

/// `region_name`, else `regions`: a list of names or of mappings with a `name` and `values`.
fn regions(entry: &Value) -> Result<Regions> {
    let bad = || Error::new(Kind::InvalidInput, "`regions` is not a list of names");
    let mut endpoints = BTreeMap::new();
    let mut names = Vec::new();
    let listed = match find(entry, &["regions"]) {
        None | Some(Value::Null) => &Vec::new(),
        Some(list) => list.as_sequence().ok_or_else(bad)?,
    };
    for region in listed {
        let name = region.as_str().or_else(|| region.get("name")?.as_str()).ok_or_else(bad)?;
        let values = region.get("values").unwrap_or(&Value::Null);
        if find(values, &["auth"]).is_some() {
            return Err(Error::new(Kind::InvalidInput, format!("region `{name}` has an `auth` of its own"))
                .hint("make another entry of clouds.yaml and another target of it"));
        }
        if let Some(endpoint) = image_endpoint(values)? {
            endpoints.insert(name.to_owned(), endpoint);
        }
        names.push(name.to_owned());
    }
    if let Some(region) = text(entry, &["region_name"])? {
        names = vec![region];
    }
    Ok((names, endpoints))
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
