//! Removes what was staged and became no image: a snapshot, or what an import has left.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Context;
use cloud_publish_core::survey::FoundStaged;

use crate::error::{classify, code, is_missing};
use crate::import;
use crate::publisher::Here;
use crate::snapshot::{APPEARING, by_id, confirm, images_of, is_busy, is_dead};

/// How ids of snapshots begin.
const SNAPSHOT: &str = "snap-";

/// How often to look whether a deleted snapshot is still shown.
const VANISHING: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(10), deadline: APPEARING };

pub(crate) async fn discard(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    if !staged.id.starts_with(SNAPSHOT) {
        return import::discard(here, context, staged).await;
    }
    let Some(snapshot) = by_id(here, context, &staged.id).await? else { return Ok(()) };
    let tags = staged.tags.as_ref().ok_or_else(|| refused("the snapshot's tags cannot be believed".to_owned()))?;
    confirm(here, &snapshot, tags)?;
    if is_busy(&snapshot, context.clock().now()) {
        return Err(refused("somebody may be uploading to the snapshot".to_owned()));
    }
    let images = images_of(here, context, &staged.id).await?;
    if !images.is_empty() {
        let ids: Vec<&str> = images.iter().filter_map(|image| image.image_id()).collect();
        return Err(refused(format!("the snapshot belongs to {}", ids.join(", "))));
    }
    delete(here, context, &staged.id).await
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, message).hint("it was left alone")
}

/// Deletes a snapshot that the caller has looked at, and waits until it is shown no more; gone already is success.
///
/// # Errors
/// [`Kind::Refused`] when an image uses it.
pub(crate) async fn delete(here: &Here, context: &Context, id: &str) -> Result<()> {
    let call = here.clients.ec2.delete_snapshot().snapshot_id(id);
    match context.or_cancelled(call.send()).await? {
        Ok(_) => {}
        Err(error) if code(&error).is_some_and(is_missing) => return Ok(()),
        Err(error) if code(&error) == Some("InvalidSnapshot.InUse") => {
            return Err(refused("an image uses the snapshot".to_owned()).caused_by(classify(&error, "DeleteSnapshot")));
        }
        Err(error) => return Err(classify(&error, "DeleteSnapshot")),
    }
    poll_until(context, &format!("deleting snapshot {id}"), VANISHING, || async {
        // One in the recycle bin is no longer ours to remove.
        Ok(by_id(here, context, id).await?.is_none_or(|left| is_dead(&left)).then_some(()))
    })
    .await
}
