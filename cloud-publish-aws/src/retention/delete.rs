//! Removes an image with the snapshots that belong to it alone.

use aws_sdk_ec2::types::{Image, SnapshotReturnCodes};
use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, Deletion, ImageAt};

use crate::error::{classify, code, is_missing};
use crate::guard::{by_id, ours};
use crate::own_snapshots::ids;
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::{discard, snapshot};

/// What [`Image::deregistration_protection`] says of an image that can be deregistered.
const UNPROTECTED: &str = "disabled";

/// The refusal of an image that is protected, other than by the policy of who asks.
const KEPT: &str = "OperationNotPermitted";

/// Deletes it, protected or not.
///
/// A protection with cooldown goes on for a day after it was taken away
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html>): such an image is still in
/// use until then. A snapshot that another image uses, too, stays.
pub(crate) async fn delete(here: &Here, context: &Context, at: &ImageAt) -> Result<Deletion> {
    let image = match ours(here, context, at).await {
        Err(error) if error.kind() == Kind::NotFound => return Ok(Deletion::Gone),
        other => other?,
    };
    let own = own(here, context, (&image, &at.tags)).await?;
    let all_ours = own.len() == ids(&image).len();
    unprotect(here, context, &image).await?;
    let Some(settled) = deregister(here, context, (at, all_ours)).await? else {
        context
            .progress()
            .says("AWS keeps the image: protected for a day after that was switched off, or by a backup plan");
        return Ok(Deletion::StillInUse);
    };
    for id in own.iter().filter(|id| !settled.contains(id)) {
        remove(here, context, id).await?;
    }
    poll_until(context, "the image's end", SEEN, || async {
        Ok(by_id(here, context, at.id.as_str()).await?.is_none().then_some(()))
    })
    .await?;
    Ok(Deletion::Gone)
}

/// The image's snapshots that carry its tags. One that is gone or somebody else's is none of our business.
async fn own(here: &Here, context: &Context, (image, tags): (&Image, &ImageTags)) -> Result<Vec<String>> {
    let mut own = Vec::new();
    for id in ids(image) {
        match snapshot::ours(here, context, (id, tags)).await {
            Ok(_) => own.push(id.to_owned()),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Refused) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(own)
}

async fn unprotect(here: &Here, context: &Context, image: &Image) -> Result<()> {
    let protection = image.deregistration_protection().unwrap_or(UNPROTECTED);
    if protection == UNPROTECTED {
        return Ok(());
    }
    let id = image.image_id().unwrap_or_default();
    let call = here.clients.ec2.disable_image_deregistration_protection().image_id(id);
    let answer = context.or_cancelled(call.send()).await?;
    answer.map_err(|error| classify(&error, "DisableImageDeregistrationProtection"))?;
    if protection.contains("with-cooldown") {
        return Ok(());
    }
    poll_until(context, "taking the deregistration protection away", SEEN, || async {
        let image = by_id(here, context, id).await?;
        let protection = image.as_ref().and_then(Image::deregistration_protection).unwrap_or(UNPROTECTED).to_owned();
        Ok((protection == UNPROTECTED).then_some(()))
    })
    .await
}

/// Deregisters it and says which snapshots are settled: removed, or kept because another image uses them. `None`: AWS
/// keeps the image itself. One that is gone has been deregistered before, perhaps by the call whose answer was lost.
async fn deregister(here: &Here, context: &Context, (at, snapshots): (&ImageAt, bool)) -> Result<Option<Vec<String>>> {
    let call = here.clients.ec2.deregister_image().image_id(at.id.as_str()).delete_associated_snapshots(snapshots);
    let answer = match context.or_cancelled(call.send()).await? {
        Ok(answer) => answer,
        Err(error) if code(&error).is_some_and(is_missing) => return Ok(Some(Vec::new())),
        Err(error) if code(&error) == Some(KEPT) => return Ok(None),
        Err(error) => return Err(classify(&error, "DeregisterImage")),
    };
    let settled = |result: &SnapshotReturnCodes| {
        matches!(result, SnapshotReturnCodes::Success | SnapshotReturnCodes::WarnSkipped)
    };
    let results = answer.delete_snapshot_results().iter().filter(|one| one.return_code().is_some_and(settled));
    Ok(Some(results.filter_map(|one| one.snapshot_id().map(str::to_owned)).collect()))
}

/// Removes a snapshot that AWS has left; one that another image uses stays.
async fn remove(here: &Here, context: &Context, id: &str) -> Result<()> {
    match discard::delete(here, context, id).await {
        Err(error) if error.kind() == Kind::Refused => Ok(()),
        other => other.map_err(|error| error.with("snapshot", id)),
    }
}
