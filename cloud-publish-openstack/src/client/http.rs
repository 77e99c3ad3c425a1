//! The HTTP clients: whom they trust and how long they wait.

use std::path::Path;
use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use reqwest::{Certificate, Client, ClientBuilder, Identity};

use crate::clouds::{ClientCertificate, Cloud};

const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(120);

/// Two clients with one set of rules.
///
/// Neither has a total time-out. Uploads need one without a read time-out as well, because `reqwest` lets that run
/// while the body is still being sent; [`super::upload`] watches their progress itself.
#[derive(Clone, Debug)]
pub(crate) struct Https {
    pub(crate) calls: Client,
    pub(crate) uploads: Client,
}

impl Https {
    /// Makes the clients; reads the certificate file, asks no server.
    pub(crate) fn new(cloud: &Cloud) -> Result<Self> {
        let calls = build(cloud, |builder| builder.read_timeout(READ))?;
        let uploads = build(cloud, |builder| builder)?;
        Ok(Self { calls, uploads })
    }
}

fn build(cloud: &Cloud, waits: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    let mut builder = waits(Client::builder())
        .connect_timeout(CONNECT)
        .user_agent(concat!("cloud-publish/", env!("CARGO_PKG_VERSION")))
        // A redirect would carry the token to wherever it points.
        .redirect(reqwest::redirect::Policy::none());
    if !cloud.verify {
        builder = builder.danger_accept_invalid_certs(true);
    }
    if let Some(path) = &cloud.cacert {
        let bad = |message: &'static str| {
            Error::new(Kind::InvalidInput, message).with("file", path.display()).with("cloud", &cloud.name)
        };
        let pem = std::fs::read(path).map_err(|error| bad("could not read `cacert`").caused_by(error))?;
        let certificates = Certificate::from_pem_bundle(&pem);
        let certificates = certificates.map_err(|error| bad("`cacert` is no PEM bundle").caused_by(error))?;
        if certificates.is_empty() {
            return Err(bad("`cacert` has no certificate"));
        }
        builder = certificates.into_iter().fold(builder, ClientBuilder::add_root_certificate);
    }
    if let Some(client) = &cloud.client {
        builder = builder.identity(identity(client).map_err(|error| error.with("cloud", &cloud.name))?);
    }
    builder.build().map_err(|error| Error::new(Kind::InvalidInput, "could not set up HTTPS").caused_by(error))
}

/// Our own certificate, for servers that ask for one.
fn identity(client: &ClientCertificate) -> Result<Identity> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            let message = "could not read a file of `cert` and `key`";
            Error::new(Kind::InvalidInput, message).with("file", path.display()).caused_by(error)
        })
    };
    let mut pem = read(&client.certificate)?;
    if let Some(key) = &client.key {
        pem.push(b'\n');
        pem.extend(read(key)?);
    }
    Identity::from_pem(&pem).map_err(|_| {
        Error::new(Kind::InvalidInput, "`cert` and `key` are not a certificate and its key")
            .with("file", client.certificate.display())
            .hint("both are PEM files, and the key must not be encrypted")
    })
}
