//! One block to EBS, or from it: the call, its checksum, and what its failure means to the next try.
//!
//! Thousands of blocks make a snapshot, so that some of them fail is usual and no reason to fail the verb: they are tried
//! again here, a bounded number of times, with pauses, instead of by the SDK, which would not lower the number of blocks
//! under way meanwhile. AWS asks for just that:
//! <https://docs.aws.amazon.com/ebs/latest/userguide/error-retries.html>.

mod trouble;

use std::time::Duration;

use aws_sdk_ebs::Client;
use aws_sdk_ebs::operation::get_snapshot_block::GetSnapshotBlockError;
use aws_sdk_ebs::operation::put_snapshot_block::PutSnapshotBlockError;
use aws_sdk_ebs::types::ChecksumAlgorithm;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::RetryConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use self::trouble::pause;
pub(crate) use self::trouble::{Nature, Trouble};
use crate::error::classify;
use crate::publisher::Here;

/// Bytes of a block, of every snapshot: <https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-elements.html>.
pub(crate) const BLOCK: usize = 512 << 10;

/// [`BLOCK`] in an offset's type.
pub(crate) const BLOCK_SIZE: u64 = BLOCK as u64;

/// [`BLOCK`] in the API's type.
const LENGTH: i32 = BLOCK as i32;

/// The blocks of one snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    client: Client,
    snapshot: String,
    /// Until when, by the context's monotonic clock, the snapshot may not exist yet.
    missing_until: Duration,
}

impl Blocks {
    /// The blocks of a snapshot, which may not exist yet until the context's clock has come to `missing_until`.
    pub(crate) fn new(here: &Here, snapshot: &str, missing_until: Duration) -> Self {
        // From a copy of the region's client: connections and credentials are shared.
        let config = here.clients.ebs.config().to_builder().retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), snapshot: snapshot.to_owned(), missing_until }
    }

    /// Writes a block; `data` is [`BLOCK`] bytes long and `sha256` is theirs.
    pub(crate) async fn put(&self, index: u32, data: Bytes, sha256: [u8; 32]) -> Result<(), Trouble> {
        let checksum = encode(sha256);
        let call = self
            .client
            .put_snapshot_block()
            .snapshot_id(&self.snapshot)
            .block_index(number(index))
            .data_length(LENGTH)
            .checksum(&checksum)
            .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
            .block_data(ByteStream::from(data));
        match call.send().await {
            Ok(answer) if answer.checksum().is_some_and(|stored| stored != checksum) => {
                Err(Trouble::new(corrupt(index).during("PutSnapshotBlock"), None))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                let reason = error.as_service_error().and_then(|error| match error {
                    PutSnapshotBlockError::ValidationException(invalid) => invalid.reason(),
                    _ => None,
                });
                Err(Trouble::new(classify(&error, "PutSnapshotBlock").with("block", index), reason))
            }
        }
    }

    /// Reads a block, with the data that its checksum says.
    pub(crate) async fn get(&self, index: u32, token: &str) -> Result<Bytes, Trouble> {
        let call = self.client.get_snapshot_block().snapshot_id(&self.snapshot);
        let answer = call.block_index(number(index)).block_token(token).send().await.map_err(|error| {
            let reason = error.as_service_error().and_then(|error| match error {
                GetSnapshotBlockError::ValidationException(invalid) => invalid.reason(),
                _ => None,
            });
            Trouble::new(classify(&error, "GetSnapshotBlock").with("block", index), reason)
        })?;
        let checksum = answer.checksum.unwrap_or_default();
        let data = answer.block_data.collect().await.map_err(|error| {
            let cut_off = Error::new(Kind::Unavailable, "a block was cut off").during("GetSnapshotBlock");
            Trouble::new(cut_off.with("block", index).caused_by(error), None)
        })?;
        let data = data.into_bytes();
        let hashed = spawn_blocking(move || (encode(Sha256::digest(&data).into()), data)).await;
        let (found, data) =
            hashed.map_err(|error| Error::new(Kind::Unexpected, "hashing a block was abandoned").caused_by(error))?;
        if found == checksum && data.len() == BLOCK {
            return Ok(data);
        }
        Err(Trouble::new(corrupt(index).during("GetSnapshotBlock"), None))
    }

    /// Tries a block until it is through, hopeless or tried often enough. `hear` is told of every failed try.
    pub(crate) async fn persist<T, Fut: Future<Output = Result<T, Trouble>>>(
        &self,
        context: &Context,
        mut hear: impl FnMut(&Trouble),
        mut once: impl FnMut() -> Fut,
    ) -> Result<T, Trouble> {
        let mut tried = 1;
        loop {
            let trouble = match context.or_cancelled(once()).await? {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            hear(&trouble);
            let late = trouble.nature == Nature::Missing && context.clock().elapsed() >= self.missing_until;
            if late || tried >= trouble.tries() {
                return Err(trouble);
            }
            context.sleep(pause(tried)).await?;
            tried = tried.saturating_add(1);
        }
    }
}

/// What a checksum that is not the block's means.
fn corrupt(index: u32) -> Error {
    Error::new(Kind::Corrupt, "a block's checksum is not that of its data")
        .with("block", index)
        .hint("run the same command again; if it happens again, something on the way changes data")
}

/// A checksum as the API writes it.
pub(crate) fn encode(sha256: [u8; 32]) -> String {
    STANDARD.encode(sha256)
}

/// An index as the API has it. The largest volume has 2^27 blocks.
fn number(index: u32) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;
    use std::sync::Arc;
    use std::time::Duration;

    use aws_sdk_ebs::Config;
    use aws_sdk_ebs::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_ebs::types::ValidationExceptionReason as Reason;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use bytes::Bytes;
    use cloud_publish_core::clock::FastClock;
    use cloud_publish_core::error::{Error, Kind};
    use cloud_publish_core::publisher::Context;
    use jiff::Timestamp;
    use sha2::{Digest as _, Sha256};

    use super::trouble::{REFUSALS, TRIES};
    use super::{BLOCK, Blocks, Client, Nature, Trouble, encode};

    /// Answers everything with these bytes and this checksum.
    #[derive(Clone, Debug)]
    struct Stub {
        checksum: String,
        data: Vec<u8>,
    }

    impl HttpConnector for Stub {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            let mut answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(self.data.clone()));
            answer.headers_mut().insert("x-amz-checksum", self.checksum.clone());
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    fn blocks(checksum: [u8; 32], data: &[u8]) -> Blocks {
        let stub = SharedHttpConnector::new(Stub { checksum: encode(checksum), data: data.to_vec() });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("AKIA", "any", None, None, "test"))
            .http_client(http_client_fn(move |_, _| stub.clone()))
            .build();
        let missing_until = Duration::from_secs(120);
        Blocks { client: Client::from_conf(config), snapshot: "snap-1".to_owned(), missing_until }
    }

    fn context() -> Context {
        Context::with_clock(Arc::new(FastClock::new(Timestamp::UNIX_EPOCH, 1000)))
    }

    async fn tries(kind: Kind, reason: Option<Reason>) -> u32 {
        let tried = Cell::new(0);
        let once = || {
            tried.set(tried.get() + 1);
            ready(Err::<(), _>(Trouble::new(Error::new(kind, "no"), reason.as_ref())))
        };
        blocks([0; 32], &[]).persist(&context(), |_| {}, once).await.unwrap_err();
        tried.get()
    }

    #[tokio::test]
    async fn what_cannot_pass_is_tried_once_and_what_may_pass_is_not_tried_for_ever() {
        assert_eq!(tries(Kind::PermissionDenied, None).await, 1);
        assert_eq!(tries(Kind::QuotaExceeded, None).await, 1);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::InvalidBlockToken)).await, 1);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::InvalidSnapshotId)).await, REFUSALS);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::ConflictingBlockUpdate)).await, TRIES);
        assert_eq!(tries(Kind::Throttled, None).await, TRIES);
        assert_eq!(tries(Kind::Unavailable, None).await, TRIES);
    }

    #[tokio::test]
    async fn a_snapshot_may_be_missing_until_it_must_be_there() {
        assert!(tries(Kind::NotFound, None).await > REFUSALS);
    }

    #[tokio::test]
    async fn a_cancelled_block_is_not_tried_again() {
        let context = Context::detached();
        let once = || {
            context.cancellation().cancel();
            ready(Err::<(), _>(Trouble::new(Error::new(Kind::Throttled, "slow down"), None)))
        };
        let stopped = blocks([0; 32], &[]).persist(&context, |_| {}, once).await.unwrap_err();
        assert_eq!((stopped.error.kind(), stopped.nature), (Kind::Cancelled, Nature::Final));
    }

    #[tokio::test]
    async fn a_block_that_is_stored_with_another_checksum_is_corrupt() {
        let data = vec![7; BLOCK];
        let sha256 = Sha256::digest(&data).into();
        let put = |stored| async move {
            let data = Bytes::from(vec![7; BLOCK]);
            blocks(stored, b"").put(3, data, sha256).await.map_err(|trouble| (trouble.error.kind(), trouble.nature))
        };
        assert_eq!(put(sha256).await, Ok(()));
        assert_eq!(put([0; 32]).await, Err((Kind::Corrupt, Nature::Refused)));
    }

    #[tokio::test]
    async fn a_block_that_is_not_what_its_checksum_says_is_corrupt() {
        let data = vec![7; BLOCK];
        let sha256 = Sha256::digest(&data).into();
        assert_eq!(blocks(sha256, &data).get(3, "token").await.unwrap(), data);
        for (checksum, data) in [([0; 32], data.as_slice()), (Sha256::digest(&data[1..]).into(), &data[1..])] {
            let trouble = blocks(checksum, data).get(3, "token").await.unwrap_err();
            assert_eq!((trouble.error.kind(), trouble.nature), (Kind::Corrupt, Nature::Refused));
        }
    }
}
