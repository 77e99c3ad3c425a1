//! Removes a record of ours that never became an image.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;
use cloud_publish_core::survey::FoundStaged;

use crate::error::classify;
use crate::glance::Status;
use crate::guard::confirm;
use crate::publisher::Here;
use crate::removal::remove;

pub(crate) async fn discard(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    let glance = here.glance(context);
    let found = glance.find(&staged.id).await.map_err(|error| classify(error, "look at record"))?;
    let Some(image) = found else { return Ok(()) };
    let refused = |message: String| Error::new(Kind::Refused, message).hint("it was left alone");
    let tags = staged.tags.as_ref().ok_or_else(|| refused("the record's tags cannot be believed".to_owned()))?;
    confirm(here, &image, tags)?;
    match image.status {
        Status::Queued | Status::Killed | Status::Uploading if !image.is_busy() => {
            remove(glance, &image).await.map_err(|error| classify(error, "delete record"))
        }
        Status::Deleted | Status::PendingDelete => Ok(()),
        status => Err(refused(format!("the record is {status}, not a leftover"))),
    }
}
