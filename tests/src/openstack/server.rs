//! A world that answers on a socket, and the clouds.yaml that leads clients there.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::{Map, Value, json};

use super::answer::answer;
use super::settings::{CLOUD, PASSWORD, Settings};
use super::world::Shared;
use crate::fake::{Ca, Server};

/// A running world; it ends with this value.
pub struct FakeOpenStack {
    /// Where it answers.
    pub url: String,
    /// What it knows.
    pub world: Arc<Shared>,
    _server: Server,
}

/// Who goes where: an entry of clouds.yaml.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The cloud.
    pub cloud: &'a str,
    /// The user.
    pub user: &'a str,
    /// The project.
    pub project: &'a str,
    /// The password.
    pub password: &'a str,
}

impl FakeOpenStack {
    /// Starts a world on a free loopback port, on threads of its own.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(settings: Settings) -> Self {
        Self::start_with(settings, None)
    }

    /// Starts a world that speaks TLS; its certificate is by this authority.
    ///
    /// # Panics
    /// Like [`Self::start`].
    pub fn start_with_tls(settings: Settings, ca: &Ca) -> Self {
        Self::start_with(settings, Some(ca.server()))
    }

    fn start_with(settings: Settings, tls: Option<Arc<ServerConfig>>) -> Self {
        let world = Arc::new(Shared::new(settings));
        let served = Arc::clone(&world);
        let server = Server::start(0, tls, move |received| answer(Arc::clone(&served), received));
        // Nobody else sets it.
        drop(world.url.set(server.url.clone()));
        Self { url: server.url.clone(), world, _server: server }
    }

    /// Keystone's address.
    pub fn keystone(&self, cloud: &str) -> String {
        format!("{}/{cloud}/identity/v3", self.url)
    }

    /// An entry of clouds.yaml that spans all regions of its cloud; the client chooses one.
    pub fn entry(&self, login: Login<'_>) -> Value {
        let settings = self.world.settings();
        let regions = settings.clouds.get(login.cloud).map(|cloud| cloud.regions.keys().collect::<Vec<_>>());
        json!({
            "auth_type": "password", "interface": "public", "identity_api_version": 3, "regions": regions,
            "auth": {
                "auth_url": self.keystone(login.cloud), "username": login.user, "password": login.password,
                "project_name": login.project, "user_domain_name": "Default", "project_domain_name": "Default",
            },
        })
    }

    /// Writes a clouds.yaml for the defaults, with the entries that the real servers of `tests/run` have too:
    /// `publisher-admin`, `member`, `consumer`, `smallquota` and, with a wrong password, `denied`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_clouds(&self, file: &Path) {
        let logins = [
            ("publisher-admin", "publisher-admin", "publisher", PASSWORD),
            ("member", "publisher", "publisher", PASSWORD),
            ("consumer", "consumer", "consumer", PASSWORD),
            ("smallquota", "smallquota", "smallquota", PASSWORD),
            ("denied", "publisher", "publisher", "a wrong password"),
        ];
        let entry = |(name, user, project, password): (&str, _, _, _)| {
            (name.to_owned(), self.entry(Login { cloud: CLOUD, user, project, password }))
        };
        write_clouds(file, logins.into_iter().map(entry).collect());
    }
}

/// Writes a clouds.yaml with these entries. JSON is YAML: <https://yaml.org/spec/1.2.2/#12-yaml-history>.
///
/// # Panics
/// If it cannot be written.
pub(crate) fn write_clouds(file: &Path, entries: Map<String, Value>) {
    let text = format!("{:#}\n", json!({"clouds": entries}));
    std::fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

impl fmt::Debug for FakeOpenStack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeOpenStack").field("url", &self.url).finish_non_exhaustive()
    }
}
