//! The SDK's clients: one set per region, made from one configuration.
//!
//! Owns credentials (the SDK's whole chain, then the roles of publish.toml), the one HTTP client, time-outs and the SDK's
//! own few retries. The SDK itself reads its environment and files: credentials, profiles, endpoint variables
//! (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_EC2`, ...: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>)
//! and, where it trusts the system's certificates, `SSL_CERT_FILE`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use cloud_publish_core::names::Region;
use tokio::sync::OnceCell;

use crate::config::AwsConfig;

/// The first try and two more: enough for a lost packet. What lasts longer is the executor's matter.
const TRIES: u32 = 3;

/// An answer to one try. Listing calls of full accounts take several seconds.
const ATTEMPT: Duration = Duration::from_secs(30);

/// One call with all its tries.
const OPERATION: Duration = Duration::from_secs(100);

const CONNECT: Duration = Duration::from_secs(10);

/// One block: what coldsnap learnt from stalled connections.
/// <https://github.com/awslabs/coldsnap/blob/develop/src/upload.rs>
const BLOCK_ATTEMPT: Duration = Duration::from_secs(20);
const BLOCK_OPERATION: Duration = Duration::from_secs(120);

/// The clients of one target.
#[derive(Debug)]
pub(crate) struct Clients {
    config: AwsConfig,
    given: Option<SdkConfig>,
    base: OnceCell<SdkConfig>,
    regions: Mutex<BTreeMap<Region, Arc<RegionClients>>>,
}

/// The clients of one region.
#[derive(Debug)]
pub(crate) struct RegionClients {
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) ebs: aws_sdk_ebs::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    /// For clients that only one verb needs: IAM, Marketplace Catalog.
    pub(crate) sdk: SdkConfig,
}

impl Clients {
    pub(crate) fn new(config: AwsConfig, given: Option<SdkConfig>) -> Self {
        Self { config, given, base: OnceCell::new(), regions: Mutex::default() }
    }

    /// The clients of a region; asks no server.
    pub(crate) async fn region(&self, region: &Region) -> Arc<RegionClients> {
        if let Some(known) = self.known().get(region) {
            return known.clone();
        }
        let base = self.base.get_or_init(|| self.load()).await;
        let made = Arc::new(RegionClients::new(&self.in_region(base, region).await));
        self.known().entry(region.clone()).or_insert(made).clone()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Region, Arc<RegionClients>>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self) -> SdkConfig {
        let home = sdk_region(&self.config.home_region);
        let loaded = match &self.given {
            Some(given) => completed(given.clone(), &home).await,
            None => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
                if let Some(profile) = &self.config.profile {
                    loader = loader.profile_name(profile);
                }
                loader.region(home.clone()).load().await
            }
        };
        let timed = loaded
            .into_builder()
            .region(home)
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
            .timeout_config(timeouts(ATTEMPT, OPERATION))
            .build();
        self.assume(timed, &self.config.roles).await
    }

    /// Opted-in regions have an STS of their own whose tokens are not everywhere good, so roles are asked of the home
    /// region's: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html>.
    async fn in_region(&self, base: &SdkConfig, region: &Region) -> SdkConfig {
        let roles = self.config.region_roles.get(region.as_str());
        let assumed = self.assume(base.clone(), roles.map(Vec::as_slice).unwrap_or_default()).await;
        assumed.into_builder().region(sdk_region(region)).build()
    }

    async fn assume(&self, mut sdk: SdkConfig, roles: &[String]) -> SdkConfig {
        for role in roles {
            let mut builder = AssumeRoleProvider::builder(role)
                .session_name("cloud-publish")
                .region(sdk_region(&self.config.home_region))
                .configure(&sdk);
            if let Some(id) = &self.config.external_id {
                builder = builder.external_id(id);
            }
            let credentials = match sdk.credentials_provider() {
                Some(provider) => builder.build_from_provider(provider).await,
                None => builder.build().await,
            };
            sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        }
        sdk
    }
}

impl RegionClients {
    fn new(sdk: &SdkConfig) -> Self {
        let blocks =
            aws_sdk_ebs::config::Builder::from(sdk).timeout_config(timeouts(BLOCK_ATTEMPT, BLOCK_OPERATION)).build();
        Self {
            ec2: aws_sdk_ec2::Client::new(sdk),
            ebs: aws_sdk_ebs::Client::from_conf(blocks),
            ssm: aws_sdk_ssm::Client::new(sdk),
            sts: aws_sdk_sts::Client::new(sdk),
            quotas: aws_sdk_servicequotas::Client::new(sdk),
            sdk: sdk.clone(),
        }
    }

    /// A client for S3. On this machine buckets are folders of one server, not names below its own.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let local = self.sdk.endpoint_url().is_some_and(is_local);
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(local).build())
    }
}

/// Whether a URL leads to this machine by name; for bare addresses the SDK knows by itself.
fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.ends_with(".localhost")
}

/// With the ring that the rest of the program uses, and the system's certificates.
fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// A program's own configuration may lack parts without which the SDK panics (a behaviour version; for roles a clock) or
/// asks for credentials once per client (a cache of them).
async fn completed(given: SdkConfig, home: &aws_config::Region) -> SdkConfig {
    let usual = aws_config::defaults(BehaviorVersion::latest()).no_credentials().http_client(http_client());
    let usual = usual.region(home.clone()).load().await;
    let mut builder = given.clone().into_builder();
    builder.set_behavior_version(given.behavior_version().or_else(|| usual.behavior_version()));
    builder.set_time_source(given.time_source().or_else(|| usual.time_source()));
    builder.set_sleep_impl(given.sleep_impl().or_else(|| usual.sleep_impl()));
    builder.set_http_client(given.http_client().or_else(|| usual.http_client()));
    builder.set_identity_cache(given.identity_cache().or_else(|| usual.identity_cache()));
    builder.build()
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_has_buckets_as_folders() {
        assert!(is_local("http://localhost:4566/") && is_local("https://s3.localhost"));
        assert!(!is_local("https://s3.example.org") && !is_local("https://localhost.example.org"));
    }
}
