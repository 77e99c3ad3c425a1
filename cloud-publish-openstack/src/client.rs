//! Requests to one region's Glance: finding the endpoint, authenticating, renewing a token once, time-outs, and asking
//! again for what failed in passing.
//!
//! Only reads are asked again here, each at most twice ([`patience`] says why and how); so are version discovery and
//! signing in, which come before a request and have their own tries, so that the tries do not multiply. Writes are sent
//! once, and uploads: repeating those is the executor's matter.
//!
//! It knows nothing of images: those are [`crate::glance`]'s.

mod http;
mod patience;
mod upload;

use std::sync::Arc;

use bytes::Bytes;
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
pub(crate) use self::patience::patiently;
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
        let body = self.send(context, call).await?;
        serde_json::from_slice(&body)
            .map_err(|error| WireError::Unreadable { service: GLANCE, problem: error.to_string() })
    }

    /// Sends a request and takes the whole answer; one that is no success is an error.
    pub(crate) async fn send(&self, context: &Context, call: Call<'_>) -> Result<Bytes, WireError> {
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

    async fn attempt(&self, context: &Context, call: &Call<'_>) -> Result<Bytes, Attempt> {
        let work = async {
            let token = self.keystone.token(context).await?;
            let tried = async {
                let url = self.url(context, call.path).await?;
                let ask = || self.ask(call, &url, &token);
                if call.method.is_safe() { patiently(context, ask).await } else { ask().await }
            };
            let answer = tried.await;
            answer.map_err(|error| Attempt { error, token: Some(token) })
        };
        context.or_cancelled(work).await.unwrap_or_else(|cancelled| Err(WireError::Own(cancelled).into()))
    }

    async fn ask(&self, call: &Call<'_>, url: &Url, token: &Token) -> Result<Bytes, WireError> {
        tracing::debug!(region = %self.region, method = %call.method, path = ?call.path, "asking Glance");
        let request = self.request(call, url.clone(), token)?;
        let response = self.execute(&self.https.calls, request, token).await?;
        response.bytes().await.map_err(|source| WireError::Transport { service: GLANCE, source })
    }

    fn request(&self, call: &Call<'_>, url: Url, token: &Token) -> Result<Request, WireError> {
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

    /// Asks the endpoint for its versions the first time.
    async fn url(&self, context: &Context, path: &[&str]) -> Result<Url, WireError> {
        let session = self.session().await?;
        let find = || async { session.get_endpoint(IMAGE_V2, path).await.map_err(WireError::Endpoint) };
        patiently(context, find).await
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
