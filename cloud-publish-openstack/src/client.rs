//! Requests to one region's Glance: finding the endpoint, authenticating, renewing a token once, time-outs.
//!
//! It knows nothing of images: those are [`crate::glance`]'s.

mod http;
mod upload;

use std::sync::Arc;

use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::Context;
use osauth::client::AuthenticatedClient;
use osauth::services::{GenericService, VersionSelector};
use osauth::{InterfaceType, Session};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

pub(crate) use self::http::Https;
pub(crate) use self::upload::Payload;
use crate::clouds::Cloud;
use crate::config::Interface;
use crate::error::{KEYSTONE, WireError};
use crate::keystone::{Keystone, TOKEN_HEADER, Token};

pub(crate) const GLANCE: &str = "Glance";

/// The image service's type in the catalogue.
pub(crate) const IMAGE: &str = "image";

/// Version discovery picks the highest 2.x: <https://docs.openstack.org/api-ref/image/versions/>.
const IMAGE_V2: GenericService = GenericService::new(IMAGE, VersionSelector::Major(2));

/// One region of one cloud.
#[derive(Debug)]
pub(crate) struct Client {
    region: Region,
    https: Https,
    keystone: Keystone,
    cloud: Arc<Cloud>,
    interface: Interface,
    session: OnceCell<Session>,
}

/// One request, as data, so that it can be sent again with another token.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'a str, String)>,
    /// Content type and text.
    pub(crate) body: Option<(&'static str, String)>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self { method, path, query: Vec::new(), body: None }
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        Self { body: Some(("application/json", body.to_string())), ..self }
    }
}

impl Client {
    pub(crate) fn new(region: Region, https: Https, keystone: Keystone, at: (Arc<Cloud>, Interface)) -> Self {
        let (cloud, interface) = at;
        Self { region, https, keystone, cloud, interface, session: OnceCell::new() }
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// Sends a request and reads its answer as JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, context: &Context, call: Call<'_>) -> Result<T, WireError> {
        let response = self.send(context, call).await?;
        let body = context.or_cancelled(response.bytes()).await?;
        let body = body.map_err(|source| WireError::Transport { service: GLANCE, source })?;
        serde_json::from_slice(&body)
            .map_err(|error| WireError::Unreadable { service: GLANCE, problem: error.to_string() })
    }

    /// Sends a request; an answer that is no success is an error.
    pub(crate) async fn send(&self, context: &Context, call: Call<'_>) -> Result<Response, WireError> {
        let first = self.attempt(context, &call).await;
        match first {
            Err(Attempt { error, token: Some(token) }) if error.is_unauthorized() => {
                tracing::debug!(region = %self.region, "the token is not accepted any more: signing in again");
                self.keystone.forget(&token).await;
                self.attempt(context, &call).await.map_err(|failed| failed.error)
            }
            other => other.map_err(|failed| failed.error),
        }
    }

    async fn attempt(&self, context: &Context, call: &Call<'_>) -> Result<Response, Attempt> {
        let work = async {
            let token = self.keystone.token(context).await?;
            let tried = async {
                let request = self.request(call, &token).await?;
                tracing::debug!(region = %self.region, method = %call.method, path = ?call.path, "asking Glance");
                self.execute(&self.https.calls, request, &token).await
            };
            let answer = tried.await;
            answer.map_err(|error| Attempt { error, token: Some(token) })
        };
        context.or_cancelled(work).await.unwrap_or_else(|cancelled| Err(WireError::Own(cancelled).into()))
    }

    async fn request(&self, call: &Call<'_>, token: &Token) -> Result<Request, WireError> {
        let url = self.url(call.path).await?;
        let mut builder = self.https.calls.request(call.method.clone(), url).query(&call.query);
        if let Some((content_type, text)) = &call.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static(content_type)).body(text.clone());
        }
        authenticated(builder, token)
    }

    async fn execute(&self, http: &reqwest::Client, request: Request, token: &Token) -> Result<Response, WireError> {
        let response =
            http.execute(request).await.map_err(|source| WireError::Transport { service: GLANCE, source })?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(WireError::from_response(GLANCE, response, &token.value).await)
    }

    async fn url(&self, path: &[&str]) -> Result<Url, WireError> {
        self.session().await?.get_endpoint(IMAGE_V2, path).await.map_err(WireError::Endpoint)
    }

    async fn session(&self) -> Result<&Session, WireError> {
        let start = || async {
            let client = AuthenticatedClient::new(self.https.calls.clone(), self.keystone.clone()).await?;
            let mut session = Session::new_with_authenticated_client(client);
            session.set_region(self.region.as_str());
            session.set_endpoint_interface(interface(self.interface));
            if let Some(endpoint) = self.cloud.image_endpoint_in(&self.region) {
                session.set_endpoint_override(IMAGE_V2, endpoint.clone());
            }
            Ok(session)
        };
        self.session.get_or_try_init(start).await.map_err(WireError::Endpoint)
    }
}

/// With this very token: the one that is kept may be another by now, or none.
fn authenticated(builder: RequestBuilder, token: &Token) -> Result<Request, WireError> {
    let unusable =
        || WireError::Unreadable { service: KEYSTONE, problem: "a token that no header can hold".to_owned() };
    let builder = builder.header(TOKEN_HEADER, token.header().ok_or_else(unusable)?);
    builder.build().map_err(|source| WireError::Transport { service: GLANCE, source })
}

/// A try that failed, and the token it was made with.
struct Attempt {
    error: WireError,
    token: Option<Arc<Token>>,
}

impl From<WireError> for Attempt {
    fn from(error: WireError) -> Self {
        Self { error, token: None }
    }
}

fn interface(interface: Interface) -> InterfaceType {
    match interface {
        Interface::Public => InterfaceType::Public,
        Interface::Internal => InterfaceType::Internal,
        Interface::Admin => InterfaceType::Admin,
    }
}

#[cfg(test)]
mod tests;
