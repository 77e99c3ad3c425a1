//! A state that several machines share: a bucket of S3, GCS or Azure, with each ecosystem's own variables.
//!
//! | address | credentials and endpoint |
//! |---|---|
//! | `s3://BUCKET/PREFIX` | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, web identity, container and instance roles; `AWS_REGION`, `AWS_ENDPOINT_URL` |
//! | `gs://BUCKET/PREFIX` | `GOOGLE_SERVICE_ACCOUNT`, `GOOGLE_APPLICATION_CREDENTIALS`, the metadata server |
//! | `az://CONTAINER/PREFIX` | `AZURE_STORAGE_ACCOUNT_NAME` with a key, a SAS, a client secret, workload or managed identity |
//!
//! A store must be able to create an object only if it is absent; that is what leases and receipts rest on.

use std::sync::Arc;
use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};

/// Opens the bucket that an address names; asks no server.
///
/// # Errors
/// [`Kind::InvalidInput`] when a setting is missing or wrong.
pub(crate) fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (_, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = Path::parse(prefix).map_err(|error| unusable(url, error))?;
    match scheme {
        "s3" => s3(url).map(|store| below(store, prefix)),
        "gs" => gs(url).map(|store| below(store, prefix)),
        _ => az(url).map(|store| below(store, prefix)),
    }
    .map_err(|error| unusable(url, error))
}

fn below(store: impl ObjectStore, prefix: Path) -> Arc<dyn ObjectStore> {
    Arc::new(PrefixStore::new(store, prefix))
}

fn s3(url: &str) -> object_store::Result<impl ObjectStore + use<>> {
    let builder = AmazonS3Builder::from_env().with_url(url);
    // A server of one's own without TLS was named on purpose; Amazon's is never asked that way.
    let endpoints = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let plain = endpoints.iter().filter_map(|key| builder.get_config_value(key)).any(|at| at.starts_with("http://"));
    let builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), PATIENCE);
    builder.with_allow_http(plain).with_retry(patience()).build()
}

fn gs(url: &str) -> object_store::Result<impl ObjectStore + use<>> {
    let builder = GoogleCloudStorageBuilder::from_env().with_url(url);
    let builder = builder.with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), PATIENCE);
    builder.with_retry(patience()).build()
}

fn az(url: &str) -> object_store::Result<impl ObjectStore + use<>> {
    let builder = MicrosoftAzureBuilder::from_env().with_url(url);
    let builder = builder.with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), PATIENCE);
    builder.with_retry(patience()).build()
}

/// How long a call may take. Objects of the state are small; one that never comes must not hold up the run for minutes.
const PATIENCE: &str = "15 seconds";

/// The ledger tries again by itself: a store that is away is said soon.
fn patience() -> RetryConfig {
    RetryConfig { max_retries: 0, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() }
}

fn unusable(url: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::InvalidInput, format!("the state `{url}` cannot be opened"))
        .hint("its credentials come from the environment, in the variables of its cloud")
        .caused_by(error)
}
