//! Block Public Access: the account's own switch, per region, against sharing with everybody; one for images, one for
//! snapshots.
//!
//! New accounts have the one for images on. A change takes up to ten minutes, during which the old state is shown:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html>.

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

/// What a switch is for.
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

impl Blocked {
    /// The plural noun in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Snapshots => "snapshots",
        }
    }

    /// The API's call that switches it off.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Images => "DisableImageBlockPublicAccess",
            Self::Snapshots => "DisableSnapshotBlockPublicAccess",
        }
    }

    /// What a person does about a block.
    pub(crate) fn remedy(self, block: &Block, region: &Region) -> String {
        if block.by_organisation {
            return "a declarative policy of the organisation sets it: ask who manages that to leave this account out"
                .to_owned();
        }
        let command = match self {
            Self::Images => "disable-image-block-public-access",
            Self::Snapshots => "disable-snapshot-block-public-access",
        };
        format!("`aws ec2 {command} --region {region}`, or set `manage_block_public_access = true`")
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

/// Switches a block off, if it is on, and returns when sharing with everybody is possible.
///
/// Only for targets with `manage_block_public_access = true`.
///
/// # Errors
/// [`Kind::Refused`] when it is the organisation's, [`Kind::PermissionDenied`], [`Kind::TimedOut`].
pub(crate) async fn allow(here: &Here, context: &Context, what: Blocked) -> Result<()> {
    let Some(block) = state(here, context, what).await? else { return Ok(()) };
    if block.by_organisation {
        return Err(Error::new(Kind::Refused, format!("the organisation blocks public {}", what.noun()))
            .hint(what.remedy(&block, &here.region)));
    }
    switch_off(here, context, what).await?;
    let progress = format!("public {} to be allowed in {}", what.noun(), here.region);
    context.progress().says(&format!("waiting for {progress}"));
    poll_until(context, &progress, PACE, || async { Ok(state(here, context, what).await?.is_none().then_some(())) })
        .await
}

async fn switch_off(here: &Here, context: &Context, what: Blocked) -> Result<()> {
    match what {
        Blocked::Images => {
            let call = here.clients.ec2.disable_image_block_public_access();
            let answer = context.or_cancelled(call.send()).await?;
            answer.map(drop).map_err(|error| classify(&error, "DisableImageBlockPublicAccess"))
        }
        Blocked::Snapshots => {
            let call = here.clients.ec2.disable_snapshot_block_public_access();
            let answer = context.or_cancelled(call.send()).await?;
            answer.map(drop).map_err(|error| classify(&error, "DisableSnapshotBlockPublicAccess"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Blocked};

    #[test]
    fn the_remedy_names_the_region_or_who_can_help() {
        let region = "eu-west-1".parse().unwrap();
        let own = Block { state: "block-new-sharing".to_owned(), by_organisation: false };
        let hint = Blocked::Images.remedy(&own, &region);
        assert!(hint.starts_with("`aws ec2 disable-image-block-public-access --region eu-west-1`"), "{hint}");
        let foreign = Block { by_organisation: true, ..own };
        assert!(!Blocked::Snapshots.remedy(&foreign, &region).contains("aws ec2"));
    }
}
