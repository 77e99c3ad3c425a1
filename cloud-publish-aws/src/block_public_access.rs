//! Block Public Access of images and of snapshots: two switches of an account in a region.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html>.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use aws_sdk_ec2::types::SnapshotBlockPublicAccessState;
use cloud_publish_core::error::Result;
use cloud_publish_core::names::Region;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Context;

use crate::error::classify;
use crate::publisher::Here;

/// A change takes up to ten minutes.
const CHANGED: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(1200) };

const OFF: &str = "unblocked";

/// What is kept from becoming public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    Images,
    Snapshots,
}

impl Display for Blocked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Images => "images",
            Self::Snapshots => "snapshots",
        })
    }
}

/// Whether anything of this kind is kept from becoming public here.
pub(crate) async fn is_on(here: &Here, context: &Context, what: Blocked) -> Result<bool> {
    let ec2 = &here.clients.ec2;
    match what {
        Blocked::Images => {
            let answer = context.or_cancelled(ec2.get_image_block_public_access_state().send()).await?;
            let answer = answer.map_err(|error| classify(&error, "GetImageBlockPublicAccessState"))?;
            Ok(answer.image_block_public_access_state().is_some_and(|state| state != OFF))
        }
        Blocked::Snapshots => {
            let answer = context.or_cancelled(ec2.get_snapshot_block_public_access_state().send()).await?;
            let answer = answer.map_err(|error| classify(&error, "GetSnapshotBlockPublicAccessState"))?;
            Ok(answer.state().is_some_and(|state| *state != SnapshotBlockPublicAccessState::Unblocked))
        }
    }
}

/// Switches it off for the whole region and waits until that counts.
pub(crate) async fn switch_off(here: &Here, context: &Context, what: Blocked) -> Result<()> {
    let ec2 = &here.clients.ec2;
    context
        .progress()
        .says(&format!("switching off Block Public Access of {what} in {}: up to 10 minutes", here.region));
    match what {
        Blocked::Images => {
            let answer = context.or_cancelled(ec2.disable_image_block_public_access().send()).await?;
            answer.map_err(|error| classify(&error, "DisableImageBlockPublicAccess"))?;
        }
        Blocked::Snapshots => {
            let answer = context.or_cancelled(ec2.disable_snapshot_block_public_access().send()).await?;
            answer.map_err(|error| classify(&error, "DisableSnapshotBlockPublicAccess"))?;
        }
    }
    let what_for = format!("switching off Block Public Access of {what}");
    poll_until(context, &what_for, CHANGED, || async { Ok((!is_on(here, context, what).await?).then_some(())) }).await
}

/// How a person switches it off.
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
