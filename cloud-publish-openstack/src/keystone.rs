//! Signs in at Keystone v3 with a password, and keeps the token.
//!
//! It is an [`osauth::AuthType`] of our own, because the one in `osauth` knows no user id and no domain id, hides the
//! project's id, loses the HTTP status of a refusal, and does not renew a token that only the server considers dead.
//! <https://docs.openstack.org/api-ref/identity/v3/#password-authentication-with-scoped-authorization>

mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cloud_publish_core::publisher::Context;
use cloud_publish_core::secret::Secret;
use osauth::{AuthType, EndpointFilters};
use reqwest::header::HeaderValue;
use reqwest::{Client as Http, RequestBuilder, Url};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

pub(crate) use self::token::Token;
use crate::clouds::{Cloud, Domain, Named};
use crate::error::WireError;

const SERVICE: &str = "Keystone";

/// A token is renewed this long before its end, or in the last quarter of its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(300);

/// Who we are at one cloud; shared by the sessions of all its regions.
#[derive(Clone, Debug)]
pub(crate) struct Keystone(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Http,
    endpoint: Url,
    cloud: Arc<Cloud>,
    token: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    token: Arc<Token>,
    /// On the context's clock.
    renew_at: Duration,
}

impl Keystone {
    pub(crate) fn new(http: Http, cloud: Arc<Cloud>) -> Self {
        let mut endpoint = cloud.auth_url.clone();
        if let Ok(mut path) = endpoint.path_segments_mut() {
            path.pop_if_empty();
        }
        if !endpoint.path().ends_with("/v3")
            && let Ok(mut path) = endpoint.path_segments_mut()
        {
            path.push("v3");
        }
        if let Ok(mut path) = endpoint.path_segments_mut() {
            path.extend(["auth", "tokens"]);
        }
        Self(Arc::new(Inner { http, endpoint, cloud, token: Mutex::new(None) }))
    }

    /// The current token; a new one when there is none or it is about to end.
    pub(crate) async fn token(&self, context: &Context) -> Result<Arc<Token>, WireError> {
        let mut kept = self.0.token.lock().await;
        let now = context.clock().elapsed();
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.renew_at) {
            return Ok(kept.token.clone());
        }
        let token = Arc::new(self.sign_in().await?);
        let margin = MARGIN.min(token.lifetime / 4);
        let renew_at = now.saturating_add(token.lifetime.saturating_sub(margin));
        *kept = Some(Kept { token: token.clone(), renew_at });
        Ok(token)
    }

    /// Forgets a token that was not accepted, unless somebody else has replaced it already.
    pub(crate) async fn forget(&self, stale: &Arc<Token>) {
        let mut kept = self.0.token.lock().await;
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.token, stale)) {
            *kept = None;
        }
    }

    async fn sign_in(&self) -> Result<Token, WireError> {
        tracing::debug!(cloud = self.0.cloud.name, "signing in");
        let request = self.0.http.post(self.0.endpoint.clone()).json(&self.question());
        let response = request.send().await.map_err(|source| WireError::Transport { service: SERVICE, source })?;
        if !response.status().is_success() {
            return Err(self.without_password(WireError::from_response(SERVICE, response).await));
        }
        let unreadable = |problem: &str| WireError::Unreadable { service: SERVICE, problem: problem.to_owned() };
        let header = response.headers().get("x-subject-token").and_then(|value| value.to_str().ok());
        let value = Secret::new(header.ok_or_else(|| unreadable("no token in its answer"))?);
        let body = response.bytes().await.map_err(|source| WireError::Transport { service: SERVICE, source })?;
        Token::read(value, &body).map_err(|problem| WireError::Unreadable { service: SERVICE, problem })
    }

    /// A server may quote what it was sent.
    fn without_password(&self, error: WireError) -> WireError {
        let password = self.0.cloud.password.reveal();
        match error {
            WireError::Status { service, status, message, retry_after } if message.contains(password) => {
                let message = message.replace(password, "***");
                WireError::Status { service, status, message, retry_after }
            }
            other => other,
        }
    }

    fn question(&self) -> Value {
        let cloud = &self.0.cloud;
        let mut user = named(&cloud.user);
        user.insert("password".to_owned(), json!(cloud.password.reveal()));
        json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": named(&cloud.project)},
        }})
    }
}

fn named(named: &Named) -> Map<String, Value> {
    let pairs = match named {
        Named::Id(id) => vec![("id", json!(id))],
        Named::Name { name, domain: Domain::Id(id) } => vec![("name", json!(name)), ("domain", json!({"id": id}))],
        Named::Name { name, domain: Domain::Name(domain) } => {
            vec![("name", json!(name)), ("domain", json!({"name": domain}))]
        }
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[async_trait]
impl AuthType for Keystone {
    async fn authenticate(&self, _http: &Http, request: RequestBuilder) -> Result<RequestBuilder, osauth::Error> {
        let kept = self.0.token.lock().await;
        let Some(kept) = kept.as_ref() else { return Err(signed_out()) };
        let mut value = HeaderValue::from_str(kept.token.value.reveal()).map_err(|_| signed_out())?;
        // Keeps it out of every log of headers.
        value.set_sensitive(true);
        Ok(request.header("x-auth-token", value))
    }

    async fn get_endpoint(
        &self,
        _http: &Http,
        service_type: &str,
        filters: &EndpointFilters,
    ) -> Result<Url, osauth::Error> {
        let kept = self.0.token.lock().await;
        let Some(kept) = kept.as_ref() else { return Err(signed_out()) };
        let interface = filters.interfaces.iter().next().map(ToString::to_string).unwrap_or_default();
        let region = filters.region.as_deref().unwrap_or_default();
        kept.token.endpoint(service_type, region, &interface).ok_or_else(|| {
            let text = format!("the catalogue has no {interface} endpoint of type {service_type} in region {region}");
            osauth::Error::new(osauth::ErrorKind::EndpointNotFound, text)
        })
    }

    /// Signing in needs a [`Context`], so it is [`Keystone::token`]'s matter; a session starts without.
    async fn refresh(&self, _http: &Http) -> Result<(), osauth::Error> {
        Ok(())
    }
}

fn signed_out() -> osauth::Error {
    osauth::Error::new(osauth::ErrorKind::AuthenticationFailed, "not signed in")
}
