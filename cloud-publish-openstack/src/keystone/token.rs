//! A token and what Keystone says with it: the project, how long it lives, where the services are.

use std::time::Duration;

use cloud_publish_core::secret::Secret;
use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

/// A project-scoped token.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) value: Secret,
    /// The id of the project.
    pub(crate) project: String,
    /// From issue to expiry, both by the server's clock.
    pub(super) lifetime: Duration,
    catalogue: Vec<Service>,
}

#[derive(Deserialize)]
struct Answer {
    token: Body,
}

#[derive(Deserialize)]
struct Body {
    project: Option<Project>,
    issued_at: Timestamp,
    expires_at: Timestamp,
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Service {
    r#type: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    #[serde(default, alias = "region")]
    region_id: Option<String>,
    interface: String,
    url: String,
}

impl Token {
    /// Reads the body of Keystone's answer; fails with a sentence.
    pub(super) fn read(value: Secret, body: &[u8]) -> Result<Self, String> {
        let body: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let answer: Answer = serde_json::from_value(without_old_names(body)).map_err(|error| error.to_string())?;
        let token = answer.token;
        let project = token.project.ok_or("the token belongs to no project")?.id;
        let lifetime = token.expires_at.duration_since(token.issued_at);
        let lifetime = Duration::try_from(lifetime).map_err(|_| "the token ends before it begins")?;
        Ok(Self { value, project, lifetime, catalogue: token.catalog })
    }

    /// The token as the value of a header that no log shows; `None` when it cannot be one.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.value.reveal()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Where a service is in a region.
    pub(crate) fn endpoint(&self, service_type: &str, region: &str, interface: &str) -> Option<Url> {
        let fits = |endpoint: &&Endpoint| endpoint.interface == interface && endpoint.region() == region;
        self.endpoints(service_type).find(fits)?.url.parse().ok()
    }

    /// The regions that have a service, sorted.
    pub(crate) fn regions(&self, service_type: &str, interface: &str) -> Vec<String> {
        let here = self.endpoints(service_type).filter(|endpoint| endpoint.interface == interface);
        let mut regions: Vec<String> = here.map(|endpoint| endpoint.region().to_owned()).collect();
        regions.retain(|region| !region.is_empty());
        regions.sort();
        regions.dedup();
        regions
    }

    fn endpoints(&self, service_type: &str) -> impl Iterator<Item = &Endpoint> {
        self.catalogue.iter().filter(move |service| service.r#type == service_type).flat_map(|s| &s.endpoints)
    }
}

impl Endpoint {
    fn region(&self) -> &str {
        self.region_id.as_deref().unwrap_or_default()
    }
}

/// Endpoints carry their region twice, as `region_id` and under its old name `region`.
fn without_old_names(mut body: serde_json::Value) -> serde_json::Value {
    let services = body.pointer_mut("/token/catalog").and_then(|catalogue| catalogue.as_array_mut());
    let endpoints = services.into_iter().flatten().filter_map(|service| service.get_mut("endpoints")?.as_array_mut());
    for endpoint in endpoints.flatten().filter_map(|endpoint| endpoint.as_object_mut()) {
        if endpoint.contains_key("region_id") {
            endpoint.remove("region");
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud_publish_core::secret::Secret;

    use super::Token;

    const BODY: &str = r#"{"token": {
        "project": {"id": "p1", "name": "images", "domain": {"id": "default"}},
        "issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2026-01-01T01:00:00.000000Z",
        "catalog": [{"type": "image", "name": "glance", "endpoints": [
            {"region": "Two", "region_id": "Two", "interface": "public", "url": "http://two:9292"},
            {"region": "One", "interface": "public", "url": "http://one:9292"},
            {"region": "One", "region_id": "One", "interface": "internal", "url": "http://inside:9292"}]}]}}"#;

    #[test]
    fn the_project_the_life_and_the_endpoints_are_read() {
        let token = Token::read(Secret::new("canary-token"), BODY.as_bytes()).unwrap();
        assert_eq!((token.project.as_str(), token.lifetime), ("p1", Duration::from_secs(3600)));
        assert_eq!(token.regions("image", "public"), ["One", "Two"]);
        assert_eq!(token.endpoint("image", "One", "internal").unwrap().as_str(), "http://inside:9292/");
        assert!(token.endpoint("image", "Two", "internal").is_none());
        assert!(!format!("{token:?}").contains("canary-token"));
    }

    #[test]
    fn a_token_without_a_project_is_refused() {
        let body = BODY.replace(r#""project""#, r#""domain""#);
        let problem = Token::read(Secret::new("t"), body.as_bytes()).unwrap_err();
        assert_eq!(problem, "the token belongs to no project");
    }
}
