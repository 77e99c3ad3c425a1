//! One request as the services see it: who calls what where.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::refused::Refused;

/// A service, named as in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Keystone.
    Identity,
    /// Glance.
    Image,
}

impl Service {
    /// The type in the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Image => "image",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who calls; nobody is known by an empty user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The user's name.
    pub(crate) user: String,
    /// The project's name; empty without a scope.
    pub(crate) project: String,
    /// The project's id.
    pub(crate) project_id: String,
    pub(crate) roles: Vec<String>,
}

impl Caller {
    /// May do everything in its cloud.
    pub(crate) fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == "admin")
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its place in the log.
    pub(crate) seq: u64,
    pub(crate) cloud: String,
    pub(crate) service: Service,
    /// Empty at Keystone.
    pub(crate) region: String,
    pub(crate) operation: &'static str,
    /// What the path names, in its order: an image's id, a member, a tag.
    pub(crate) names: Vec<String>,
    pub(crate) caller: Caller,
    pub(crate) method: String,
    /// Percent-decoded, in the order sent.
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// Empty when the service takes the body from the socket itself.
    pub(crate) body: Bytes,
    pub(crate) now: Timestamp,
}

impl Call {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// What the path names at this place; empty if it names nothing.
    pub(crate) fn name(&self, at: usize) -> &str {
        self.names.get(at).map(String::as_str).unwrap_or_default()
    }

    /// A member of the query string.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Refused::bad(format!("Malformed JSON in request body: {error}")))
    }
}
