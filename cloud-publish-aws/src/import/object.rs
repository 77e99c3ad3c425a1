//! The staged object: its name, whether it is what it should be, and its removal.
//!
//! The name is made from owner and content, so that it is found again by any run and never holds anything else. The
//! metadata carries the tags of the image that it was staged for first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::timeout::TimeoutConfig;
use cloud_publish_core::digest::Digest;
use cloud_publish_core::disk::Disk;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::claims_owner;
use cloud_publish_core::names::Owner;
use cloud_publish_core::publisher::{Context, ImageSpec};

use super::parts;
use crate::config::Import as Keys;
use crate::error::classify;
use crate::publisher::Here;

/// One part over a slow line: 16 MiB at 0.5 Mbit/s; and the whole call with the SDK's tries.
const ATTEMPT: Duration = Duration::from_secs(300);
const OPERATION: Duration = Duration::from_secs(900);

/// Our place in a bucket, as one owner.
pub(super) struct Bucket<'a> {
    pub(super) client: Client,
    pub(super) context: &'a Context,
    pub(super) account: &'a str,
    name: String,
    prefix: String,
    owner: Owner,
}

/// Between the configured prefix and the owner.
const FOLDER: &str = "cloud-publish/";

impl<'a> Bucket<'a> {
    pub(super) fn new(here: &'a Here, context: &'a Context, (keys, owner): (&Keys, &Owner)) -> Self {
        let account = here.place.account.as_str();
        let (name, prefix, owner) = (keys.bucket.clone(), keys.prefix.clone(), owner.clone());
        Self { client: client(here), context, account, name, prefix, owner }
    }

    /// The bucket of a staged object and the object's key, if `url` (`s3://BUCKET/KEY`) names one as we do.
    pub(super) fn of_url(here: &'a Here, context: &'a Context, url: &str) -> Option<(Self, String)> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
        let (prefix, rest) = key.rsplit_once(FOLDER)?;
        let (owner, file) = rest.split_once('/')?;
        let digits = file.strip_suffix(".raw")?;
        format!("sha256:{digits}").parse::<Digest>().ok()?;
        let keys = Keys { bucket: bucket.to_owned(), prefix: prefix.to_owned(), role: String::new() };
        Some((Self::new(here, context, (&keys, &owner.parse().ok()?)), key.to_owned()))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// In front of the names of everything that this owner stages.
    pub(super) fn prefix(&self) -> String {
        format!("{}{FOLDER}{}/", self.prefix, self.owner)
    }

    /// The name of a content's object.
    pub(super) fn key(&self, digest: &Digest) -> String {
        format!("{}{}.raw", self.prefix(), digest.hex())
    }

    /// Brings the disk's content into the bucket, or finds it there; answers how many bytes were sent, or `None` when
    /// something has changed under our hands: look again.
    ///
    /// # Errors
    /// [`Kind::NameTaken`] for an object that is not ours, [`Kind::Corrupt`] when what arrived is not what was sent.
    pub(super) async fn stage(&self, disk: &Arc<Disk>, of: (&ImageSpec, &Here)) -> Result<Option<u64>> {
        let key = self.key(&of.0.tags.digest);
        let Some(head) = self.head(&key).await? else { return self.send(disk, (&key, of)).await };
        let wanted = parts::sums(self.context, disk).await?;
        if self.is_whole(&head, disk, &wanted) {
            return Ok(Some(0));
        }
        // A stray of an earlier version of this program, or cut off by somebody: it is ours, and useless.
        self.remove(&key).await?;
        Ok(None)
    }

    /// Whether the object is this disk, by the checksums that S3 computed itself.
    pub(super) fn is_whole(&self, head: &HeadObjectOutput, disk: &Disk, wanted: &[parts::Sum]) -> bool {
        let size = head.content_length().and_then(|length| u64::try_from(length).ok());
        size == Some(disk.virtual_size()) && head.checksum_sha256() == Some(parts::composite(wanted).as_str())
    }

    /// What S3 says of an object. Its refusals have no body and so no code: the status is all there is.
    pub(super) async fn head(&self, key: &str) -> Result<Option<HeadObjectOutput>> {
        let call = self.client.head_object().bucket(self.name()).key(key).expected_bucket_owner(self.account);
        match self.context.or_cancelled(call.checksum_mode(ChecksumMode::Enabled).send()).await? {
            Ok(head) => Ok(Some(head)),
            Err(error) => match error.raw_response().map(|answer| answer.status().as_u16()) {
                Some(404) => Ok(None),
                status => {
                    let told = status.and_then(refusal).unwrap_or_else(|| classify(&error, "HeadObject"));
                    Err(self.named(told))
                }
            },
        }
    }

    /// Removes an object of ours; gone already is success.
    pub(super) async fn remove(&self, key: &str) -> Result<()> {
        let Some(head) = self.head(key).await? else { return Ok(()) };
        if !claims_owner(&about(head.metadata()), &self.owner) {
            return Err(Error::new(Kind::NameTaken, "the staged object belongs to somebody else")
                .with("object", format!("s3://{}/{key}", self.name()))
                .hint("it was left alone; set another `import.prefix`"));
        }
        let call = self.client.delete_object().bucket(self.name()).key(key).expected_bucket_owner(self.account);
        let answer = self.context.or_cancelled(call.send()).await?;
        answer.map(drop).map_err(|error| self.named(classify(&error, "DeleteObject")))
    }

    pub(super) fn named(&self, error: Error) -> Error {
        error.with("bucket", self.name())
    }
}

/// What a status alone tells: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>.
fn refusal(status: u16) -> Option<Error> {
    let error = match status {
        401 | 403 => Error::new(Kind::PermissionDenied, "the staged object may not be looked at").hint(
            "allow `s3:GetObject` on the bucket's objects and `s3:ListBucket` on the bucket: without that AWS refuses, \
             too, what is only not there",
        ),
        429 | 503 => Error::new(Kind::Throttled, "AWS asks us to slow down"),
        500..=599 => Error::new(Kind::Unavailable, "AWS failed"),
        _ => return None,
    };
    Some(error.during("HeadObject"))
}

/// A client with time for parts: they are larger than everything else.
fn client(here: &Here) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
    Client::from_conf(here.clients.s3().config().to_builder().timeout_config(timeouts).build())
}

/// An object's metadata, sorted.
pub(super) fn about(metadata: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    metadata.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::{Kind, Retry};

    use super::refusal;

    #[test]
    fn a_status_tells_what_passes_and_what_to_allow() {
        for status in [401, 403] {
            let error = refusal(status).unwrap();
            assert_eq!((error.kind(), error.retry()), (Kind::PermissionDenied, Retry::Never));
            let advice = error.advice().unwrap().to_string();
            assert!(advice.contains("s3:GetObject") && advice.contains("s3:ListBucket"), "{advice}");
        }
        for status in [429, 500, 502, 503, 504] {
            assert_ne!(refusal(status).unwrap().retry(), Retry::Never, "{status}");
        }
        assert!(refusal(400).is_none() && refusal(301).is_none());
    }
}
