//! Signs in at Keystone v3 with a password, an application credential or a token, and keeps the token it gets.
//!
//! It is an [`osauth::AuthType`] of our own, because the one in `osauth` knows no user id and no domain id, hides the
//! project's id, takes an application credential by its id only, loses the HTTP status of a refusal, and does not renew a token that only the server considers dead.
//! <https://docs.openstack.org/api-ref/identity/v3/#password-authentication-with-scoped-authorization>

mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cloud_publish_core::publisher::Context;
use cloud_publish_core::secret::Secret;
use osauth::{AuthType, EndpointFilters};
use reqwest::{Client as Http, RequestBuilder, Url};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

pub(crate) use self::token::Token;
use crate::client::patiently;
use crate::clouds::{Auth, Cloud, Credential, Domain, Named};
use crate::error::{KEYSTONE, WireError, without};

/// Where every service looks for a token.
pub(crate) const TOKEN_HEADER: &str = "x-auth-token";

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
        // Signing in changes nothing that lasts: it may be asked again like a read.
        let token = Arc::new(patiently(context, || self.sign_in()).await?);
        let margin = MARGIN.min(token.lifetime / 4);
        let renew_at = now.saturating_add(token.lifetime.saturating_sub(margin));
        *kept = Some(Kept { token: token.clone(), renew_at });
        Ok(token)
    }

    /// Has a token that was not accepted renewed, unless somebody else has replaced it already.
    ///
    /// It stays until then: what others look up in its catalogue meanwhile is still true.
    pub(crate) async fn forget(&self, stale: &Arc<Token>) {
        let mut kept = self.0.token.lock().await;
        if let Some(kept) = kept.as_mut().filter(|kept| Arc::ptr_eq(&kept.token, stale)) {
            kept.renew_at = Duration::ZERO;
        }
    }

    async fn sign_in(&self) -> Result<Token, WireError> {
        tracing::debug!(cloud = self.0.cloud.name, "signing in");
        let request = self.0.http.post(self.0.endpoint.clone()).json(&self.question());
        let response = request.send().await.map_err(|source| WireError::Transport { service: KEYSTONE, source })?;
        if !response.status().is_success() {
            return Err(WireError::from_response(KEYSTONE, response, self.0.cloud.auth.secret()).await);
        }
        let unreadable = |problem: &str| WireError::Unreadable { service: KEYSTONE, problem: problem.to_owned() };
        let header = response.headers().get("x-subject-token").and_then(|value| value.to_str().ok());
        let value = Secret::new(header.ok_or_else(|| unreadable("no token in its answer"))?);
        let body = response.bytes().await.map_err(|source| WireError::Transport { service: KEYSTONE, source })?;
        Token::read(value, &body).map_err(|problem| unreadable(&without(&problem, self.0.cloud.auth.secret())))
    }

    fn question(&self) -> Value {
        let (method, fields, project) = match &self.0.cloud.auth {
            Auth::Password { user, password, project } => {
                let mut user = named(user);
                user.insert("password".to_owned(), json!(password.reveal()));
                ("password", json!({"user": user}), Some(project))
            }
            Auth::Token { token, project } => ("token", json!({"id": token.reveal()}), Some(project)),
            Auth::ApplicationCredential { credential, secret } => {
                let secret = secret.reveal();
                let fields = match credential {
                    Credential::Id(id) => json!({"id": id, "secret": secret}),
                    Credential::Name { name, user } => json!({"name": name, "user": named(user), "secret": secret}),
                };
                ("application_credential", fields, None)
            }
        };
        let identity = json!({"methods": [method], method: fields});
        json!({"auth": match project {
            Some(project) => json!({"identity": identity, "scope": {"project": named(project)}}),
            // A scope beside an application credential is refused: it has its own.
            None => json!({"identity": identity}),
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
        Ok(request.header(TOKEN_HEADER, kept.token.header().ok_or_else(signed_out)?))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloud_publish_core::publisher::Context;
    use osauth::{AuthType as _, EndpointFilters, InterfaceType};

    use super::Keystone;
    use crate::stub::Stub;

    #[tokio::test]
    async fn a_token_that_one_request_gives_up_is_renewed_without_signing_out_the_others() {
        let stub = Stub::start(3600, |_| (200, String::new(), String::new())).await;
        let cloud = stub.settings().cloud;
        let http = reqwest::Client::new();
        let keystone = Keystone::new(http.clone(), Arc::new(cloud));
        let context = Context::detached();
        let stale = keystone.token(&context).await.unwrap();
        keystone.forget(&stale).await;
        let filters = EndpointFilters::default().with_interfaces(InterfaceType::Public).with_region("One");
        let found = keystone.get_endpoint(&http, "image", &filters).await.map(|url| url.to_string());
        assert_eq!(found.unwrap(), format!("{}/", stub.url));
        let fresh = keystone.token(&context).await.unwrap();
        assert!(!Arc::ptr_eq(&stale, &fresh));
        keystone.forget(&stale).await;
        assert!(Arc::ptr_eq(&fresh, &keystone.token(&context).await.unwrap()));
    }
}
