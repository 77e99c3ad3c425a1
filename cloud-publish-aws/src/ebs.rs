//! One block to EBS, or from it: the call, its checksum, and what its failure means to the next try.
//!
//! Thousands of blocks make a snapshot, so that some of them fail is usual and no reason to fail the verb: they are tried
//! again here, a bounded number of times, with pauses, instead of by the SDK, which would not lower the number of blocks
//! under way meanwhile. AWS asks for just that:
//! <https://docs.aws.amazon.com/ebs/latest/userguide/error-retries.html>.

use std::time::Duration;

use aws_sdk_ebs::Client;
use aws_sdk_ebs::operation::get_snapshot_block::GetSnapshotBlockError;
use aws_sdk_ebs::operation::put_snapshot_block::PutSnapshotBlockError;
use aws_sdk_ebs::types::{ChecksumAlgorithm, ValidationExceptionReason as Reason};
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::RetryConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;

use crate::error::classify;
use crate::publisher::Here;

/// Bytes of a block, of every snapshot: <https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-elements.html>.
pub(crate) const BLOCK: usize = 512 << 10;

/// [`BLOCK`] in an offset's type.
pub(crate) const BLOCK_SIZE: u64 = BLOCK as u64;

/// [`BLOCK`] in the API's type.
const LENGTH: i32 = BLOCK as i32;

/// How often a block is tried while AWS is slow or fails. With the pauses below that is about two minutes.
const TRIES: u32 = 12;

/// How often a block is tried that AWS does not take as it is: it may have been damaged on its way.
const REFUSALS: u32 = 3;

/// The first pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The blocks of one snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    client: Client,
    snapshot: String,
    /// Until when, by the context's monotonic clock, the snapshot may not exist yet.
    missing_until: Duration,
}

/// What a failed try means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Too much at once, or too slow: try again, and send less at a time.
    Slow,
    /// Try again.
    Passing,
    /// The snapshot is not there, or not yet.
    Missing,
    /// AWS does not take the request: the snapshot is complete already, or the block arrived damaged.
    Refused,
    /// A block token has expired; the blocks must be listed again.
    Expired,
    /// Trying again cannot help.
    Final,
}

/// A failed try, or, after the last one, a failed block.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) error: Error,
    pub(crate) nature: Nature,
}

impl Trouble {
    /// What an error means, for which AWS gave this reason, if it gave one.
    pub(crate) fn new(error: Error, reason: Option<&Reason>) -> Self {
        let nature = match (error.kind(), reason) {
            (Kind::Throttled | Kind::TimedOut, _) => Nature::Slow,
            (Kind::Unavailable, _) => Nature::Passing,
            // Two publishers write the same block of the same snapshot.
            (Kind::InvalidInput, Some(Reason::ConflictingBlockUpdate | Reason::WriteRequestTimeout)) => Nature::Passing,
            (Kind::InvalidInput, Some(Reason::InvalidBlockToken)) => Nature::Expired,
            (Kind::InvalidInput | Kind::Corrupt, _) => Nature::Refused,
            (Kind::NotFound, _) => Nature::Missing,
            _ => Nature::Final,
        };
        Self { error, nature }
    }

    /// How often such a block is tried altogether.
    fn tries(&self) -> u32 {
        match self.nature {
            Nature::Slow | Nature::Passing => TRIES,
            Nature::Missing => u32::MAX,
            Nature::Refused => REFUSALS,
            Nature::Expired | Nature::Final => 1,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, nature: Nature::Final }
    }
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

    /// Reads a block, and the checksum that EBS gives for it.
    pub(crate) async fn get(&self, index: u32, token: &str) -> Result<(Bytes, String), Trouble> {
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
        Ok((data.into_bytes(), checksum))
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
pub(crate) fn corrupt(index: u32) -> Error {
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

fn pause(tried: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;
    use std::sync::Arc;
    use std::time::Duration;

    use cloud_publish_core::clock::FastClock;
    use cloud_publish_core::error::{Error, Kind};
    use cloud_publish_core::publisher::Context;
    use jiff::Timestamp;

    use super::{Blocks, Nature, Reason, Trouble, pause};

    fn blocks(missing_until: Duration) -> Blocks {
        let config = aws_sdk_ebs::Config::builder()
            .behavior_version(aws_sdk_ebs::config::BehaviorVersion::latest())
            .http_client(aws_smithy_runtime_api::client::http::SharedHttpClient::new(Nobody))
            .build();
        Blocks { client: aws_sdk_ebs::Client::from_conf(config), snapshot: "snap-1".to_owned(), missing_until }
    }

    #[derive(Debug)]
    struct Nobody;

    impl aws_smithy_runtime_api::client::http::HttpClient for Nobody {
        fn http_connector(
            &self,
            _settings: &aws_smithy_runtime_api::client::http::HttpConnectorSettings,
            _components: &aws_smithy_runtime_api::client::runtime_components::RuntimeComponents,
        ) -> aws_smithy_runtime_api::client::http::SharedHttpConnector {
            unreachable!("nothing is sent here")
        }
    }

    async fn tries(kind: Kind, reason: Option<Reason>) -> u32 {
        let context = Context::with_clock(Arc::new(FastClock::new(Timestamp::UNIX_EPOCH, 100_000)));
        let tried = Cell::new(0);
        let once = || {
            tried.set(tried.get() + 1);
            ready(Err::<(), _>(Trouble::new(Error::new(kind, "no"), reason.as_ref())))
        };
        blocks(Duration::from_secs(120)).persist(&context, |_| {}, once).await.unwrap_err();
        tried.get()
    }

    #[tokio::test]
    async fn what_cannot_pass_is_tried_once_and_what_may_pass_is_not_tried_for_ever() {
        assert_eq!(tries(Kind::PermissionDenied, None).await, 1);
        assert_eq!(tries(Kind::QuotaExceeded, None).await, 1);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::InvalidBlockToken)).await, 1);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::InvalidSnapshotId)).await, super::REFUSALS);
        assert_eq!(tries(Kind::InvalidInput, Some(Reason::ConflictingBlockUpdate)).await, super::TRIES);
        assert_eq!(tries(Kind::Throttled, None).await, super::TRIES);
        assert_eq!(tries(Kind::Unavailable, None).await, super::TRIES);
    }

    #[tokio::test]
    async fn a_snapshot_may_be_missing_until_it_must_be_there() {
        assert!(tries(Kind::NotFound, None).await > 4);
    }

    #[tokio::test]
    async fn a_cancelled_block_is_not_tried_again() {
        let context = Context::detached();
        let once = || {
            context.cancellation().cancel();
            ready(Err::<(), _>(Trouble::new(Error::new(Kind::Throttled, "slow down"), None)))
        };
        let stopped = blocks(Duration::ZERO).persist(&context, |_| {}, once).await.unwrap_err();
        assert_eq!((stopped.error.kind(), stopped.nature), (Kind::Cancelled, Nature::Final));
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!(pause(1), Duration::from_millis(200));
        assert_eq!(pause(3), Duration::from_millis(800));
        assert_eq!(pause(40), Duration::from_secs(15));
    }
}
