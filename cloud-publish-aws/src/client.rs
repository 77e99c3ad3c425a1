//! The SDK's clients: one set per region, made from one configuration.
//!
//! Owns credentials (the SDK's whole chain, then the roles of publish.toml), the HTTP client, time-outs and the SDK's
//! own few retries. The endpoint variables (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_EC2`, ...) are the SDK's:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.

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
    /// For clients that only one verb needs: S3, IAM, Marketplace Catalog.
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
        let loaded = match &self.given {
            Some(given) => given.clone(),
            None => {
                let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
                let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
                if let Some(profile) = &self.config.profile {
                    loader = loader.profile_name(profile);
                }
                loader.region(sdk_region(&self.config.home_region)).load().await
            }
        };
        let timed = loaded
            .into_builder()
            .region(sdk_region(&self.config.home_region))
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
