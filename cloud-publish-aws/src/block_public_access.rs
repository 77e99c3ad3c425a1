//! Block Public Access: the account's own switch, per region, against sharing with everybody; one for images, one for
//! snapshots.
//!
//! New accounts have the one for images on. A change takes up to ten minutes, during which the old state is shown:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html>.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use aws_sdk_ec2::types::ManagedBy;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Context;

use crate::error::classify;
use crate::publisher::Here;

/// AWS names ten minutes.
const PACE: Pace = Pace {
    first: Duration::from_millis(300),
    longest: Duration::from_secs(15),
    deadline: Duration::from_secs(20 * 60),
};

const UNBLOCKED: &str = "unblocked";

/// What is kept from becoming public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    Images,
    Snapshots,
}

/// A switch that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// `block-new-sharing` or `block-all-sharing`.
    pub(crate) state: String,
    /// It is set by the organisation: the account cannot change it.
    pub(crate) by_organisation: bool,
}

impl Display for Blocked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Images => "images",
            Self::Snapshots => "snapshots",
        })
    }
}

/// The block of a region; `None`: sharing with everybody is allowed.
///
/// # Errors
/// Whatever keeps it from looking.
pub(crate) async fn state(here: &Here, context: &Context, what: Blocked) -> Result<Option<Block>> {
    let (state, managed_by) = match what {
        Blocked::Images => image_state(here, context).await?,
        Blocked::Snapshots => snapshot_state(here, context).await?,
    };
    let block = Block { state, by_organisation: managed_by == Some(ManagedBy::DeclarativePolicy) };
    Ok(Some(block).filter(|block| block.state != UNBLOCKED))
}

async fn image_state(here: &Here, context: &Context) -> Result<(String, Option<ManagedBy>)> {
    let call = here.clients.ec2.get_image_block_public_access_state();
    let answer = context.or_cancelled(call.send()).await?;
    let answer = answer.map_err(|error| classify(&error, "GetImageBlockPublicAccessState"))?;
    Ok((answer.image_block_public_access_state.unwrap_or_else(|| UNBLOCKED.to_owned()), answer.managed_by))
}

async fn snapshot_state(here: &Here, context: &Context) -> Result<(String, Option<ManagedBy>)> {
    let call = here.clients.ec2.get_snapshot_block_public_access_state();
    let answer = context.or_cancelled(call.send()).await?;
    let answer = answer.map_err(|error| classify(&error, "GetSnapshotBlockPublicAccessState"))?;
    let state = answer.state.map_or_else(|| UNBLOCKED.to_owned(), |state| state.as_str().to_owned());
    Ok((state, answer.managed_by))
}

/// Whether anything of this kind is kept from becoming public here.
pub(crate) async fn is_on(here: &Here, context: &Context, what: Blocked) -> Result<bool> {
    Ok(state(here, context, what).await?.is_some())
}

/// Switches a block off for the whole region, if it is on, and waits until that counts.
///
/// Only for targets with `manage_block_public_access = true`.
///
/// # Errors
/// [`Kind::Refused`] when it is the organisation's, [`Kind::PermissionDenied`], [`Kind::TimedOut`].
pub(crate) async fn switch_off(here: &Here, context: &Context, what: Blocked) -> Result<()> {
    let Some(block) = state(here, context, what).await? else { return Ok(()) };
    if block.by_organisation {
        return Err(Error::new(Kind::Refused, format!("the organisation blocks public {what}")).hint(ORGANISATION));
    }
    context.progress().says(&format!("switching off Block Public Access of {what} in {}", here.region));
    disable(here, context, what).await?;
    let waiting = format!("switching off Block Public Access of {what}");
    poll_until(context, &waiting, PACE, || async { Ok((!is_on(here, context, what).await?).then_some(())) }).await
}

async fn disable(here: &Here, context: &Context, what: Blocked) -> Result<()> {
    let ec2 = &here.clients.ec2;
    match what {
        Blocked::Images => {
            let answer = context.or_cancelled(ec2.disable_image_block_public_access().send()).await?;
            answer.map(drop).map_err(|error| classify(&error, "DisableImageBlockPublicAccess"))
        }
        Blocked::Snapshots => {
            let answer = context.or_cancelled(ec2.disable_snapshot_block_public_access().send()).await?;
            answer.map(drop).map_err(|error| classify(&error, "DisableSnapshotBlockPublicAccess"))
        }
    }
}

/// How a person switches it off, when it is the account's own.
pub(crate) fn remedy(what: Blocked, region: &Region) -> String {
    let command = match what {
        Blocked::Images => "disable-image-block-public-access",
        Blocked::Snapshots => "disable-snapshot-block-public-access",
    };
    format!(
        "`aws ec2 {command} --region {region}` allows public {what} there, or set `manage_block_public_access = true`; \
         then run the same command again"
    )
}

/// What a person does about one that is not the account's own.
pub(crate) const ORGANISATION: &str =
    "a declarative policy of the organisation sets it: ask who manages that to leave this account out";

#[cfg(test)]
mod tests {
    use super::{Blocked, remedy};

    #[test]
    fn the_remedy_is_a_command_for_the_region() {
        let region = "eu-west-1".parse().unwrap();
        let images = remedy(Blocked::Images, &region);
        assert!(images.starts_with("`aws ec2 disable-image-block-public-access --region eu-west-1`"), "{images}");
        assert!(remedy(Blocked::Snapshots, &region).contains("disable-snapshot-block-public-access"));
    }
}
