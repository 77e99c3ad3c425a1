//! Starts a snapshot under the token of a generation.

use std::time::Duration;

use aws_sdk_ebs::types::Tag;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Staged;

use super::Upload;
use super::pending::Pending;
use crate::error::{classify, code};
use crate::snapshot::{APPEARING, find};
use crate::tags;

/// The largest volume of any type, in GiB: <https://docs.aws.amazon.com/ebs/latest/userguide/volume_constraints.html>.
const LARGEST: u64 = 65_536;

const GIB: u64 = 1 << 30;

/// Minutes without a block after which AWS gives the snapshot up: a day, so that an upload cut off in the evening goes on
/// in the morning. AWS allows 10 to 4,320.
const TIMEOUT: i32 = 24 * 60;

/// How long to look for a snapshot that another run has started with other extra tags.
const LOOKING: Pace = Pace { first: Duration::from_millis(300), longest: Duration::from_secs(10), deadline: APPEARING };

/// The volume that a disk of so many bytes needs, in GiB.
///
/// # Errors
/// [`Kind::InvalidInput`] when there is none so large.
pub(super) fn gibibytes(virtual_size: u64) -> Result<i32> {
    let needed = virtual_size.div_ceil(GIB);
    let fits =
        Some(needed).filter(|needed| (1..=LARGEST).contains(needed)).and_then(|needed| i32::try_from(needed).ok());
    fits.ok_or_else(|| {
        Error::new(
            Kind::InvalidInput,
            format!("a disk of {needed} GiB fits into no volume: EBS has 1 to {LARGEST} GiB"),
        )
        .with("bytes", virtual_size)
        .hint("build a smaller disk image; it grows at the first boot")
    })
}

impl Upload<'_> {
    /// Starts this generation's snapshot, or gets the one that its token has made before, and carries on with it.
    pub(super) async fn start(&mut self) -> Result<Option<Staged>> {
        let image = &self.request.image;
        let tags = tags::all(image, self.here);
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.here.clients.ebs.start_snapshot();
        let call = call
            .volume_size(gibibytes(image.virtual_size)?.into())
            .client_token(image.tags.token(&self.here.place, &self.here.region, self.generation))
            .set_tags(Some(tags))
            .description(image.name.as_str())
            .timeout(TIMEOUT);
        let missing_until = self.context.clock().elapsed().saturating_add(APPEARING);
        match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => {
                let id = answer.snapshot_id.ok_or_else(|| {
                    Error::new(Kind::Unexpected, "AWS started a snapshot without an id").during("StartSnapshot")
                })?;
                self.carry_on(&Pending { id, generation: Some(self.generation), missing_until }).await
            }
            Err(error) if code(&error) == Some("ConflictException") => self.look_for_rival().await,
            Err(error) => Err(classify(&error, "StartSnapshot")),
        }
    }

    /// The token is used up by a request with another name or other extra tags: its snapshot shows, or is gone.
    async fn look_for_rival(&mut self) -> Result<Option<Staged>> {
        let found = poll_until(self.context, "looking for the token's snapshot", LOOKING, || {
            find(self.here, self.context, &self.request.image.tags)
        });
        match found.await {
            Ok(_) => {}
            Err(late) if late.kind() == Kind::TimedOut => {
                let reason = "its token belongs to another request, of which nothing is there";
                self.bury(self.generation, reason.to_owned()).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::Kind;

    use super::{GIB, gibibytes};

    #[test]
    fn a_volume_is_as_many_whole_gibibytes_as_the_disk_needs() {
        let needed = |bytes| gibibytes(bytes).ok();
        assert_eq!(needed(512), Some(1));
        assert_eq!(needed(GIB), Some(1));
        assert_eq!(needed(GIB + 512), Some(2));
        assert_eq!(needed(65_536 * GIB), Some(65_536));
    }

    #[test]
    fn a_disk_larger_than_any_volume_is_refused_by_name() {
        let error = gibibytes(65_536 * GIB + 512).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains("65537 GiB"), "{error}");
    }
}
