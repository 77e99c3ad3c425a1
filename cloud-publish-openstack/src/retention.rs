//! The end of an image's life: hide, retire, restore, delete.

use std::collections::BTreeSet;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::publisher::{Context, Deletion, ImageAt};

use crate::error::classify;
use crate::glance::{Image, Patch, Status};
use crate::guard::ours;
use crate::publisher::Here;
use crate::removal::remove;
use crate::visibility::set_members;

/// Leaves it out of listings.
pub(crate) async fn hide(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    let image = ours(here, context, at).await?;
    set_hidden(here, context, &image, true).await
}

async fn set_hidden(here: &Here, context: &Context, image: &Image, hidden: bool) -> Result<()> {
    if image.os_hidden == hidden {
        return Ok(());
    }
    let patch = Patch::default().base("os_hidden", hidden);
    let operation = if hidden { "hide" } else { "restore" };
    here.glance(context).patch(&image.id, &patch).await.map_err(|error| classify(error, operation))
}

/// Deactivates it: no new machine can be started from it. The mark comes first, so that a run that dies in between is
/// understood by the next.
pub(crate) async fn retire(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    let image = ours(here, context, at).await?;
    mark_retired(here, context, &image).await?;
    match image.status {
        Status::Deactivated => return Ok(()),
        Status::Active => {}
        other => return Err(not_an_image(other)),
    }
    match here.glance(context).deactivate(&image.id).await {
        Ok(()) => Ok(()),
        Err(error) if error.status() == Some(403) => {
            context.progress().says("this cloud does not let us deactivate images: it is hidden and private instead");
            make_unfindable(here, context, &image).await
        }
        Err(error) => Err(classify(error, "retire")),
    }
}

async fn mark_retired(here: &Here, context: &Context, image: &Image) -> Result<()> {
    let mut patch = Patch::default();
    let retired = Marks { retired: Some(context.clock().now()), ..Marks::default() };
    for (name, value) in retired.to_map().into_iter().filter(|(name, _)| !image.has(name)) {
        patch.set(image, &name, &value);
    }
    here.glance(context).patch(&image.id, &patch).await.map_err(|error| classify(error, "retire"))
}

/// What comes nearest to deactivating: nobody else finds or uses it.
async fn make_unfindable(here: &Here, context: &Context, image: &Image) -> Result<()> {
    let glance = here.glance(context);
    if image.visibility == "shared" {
        set_members(glance, &image.id, &BTreeSet::new()).await?;
    }
    let patch = Patch::default().base("visibility", "private").base("os_hidden", true);
    glance.patch(&image.id, &patch).await.map_err(|error| classify(error, "retire"))
}

/// Reactivates and shows it again.
pub(crate) async fn restore(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    let image = ours(here, context, at).await?;
    match image.status {
        Status::Deactivated => {
            here.glance(context).reactivate(&image.id).await.map_err(|error| classify(error, "restore"))?;
        }
        Status::Active => {}
        other => return Err(not_an_image(other)),
    }
    set_hidden(here, context, &image, false).await
}

fn not_an_image(status: Status) -> Error {
    Error::new(Kind::Conflict, format!("the image is {status}"))
        .hint("run `publish` again to finish it, or remove the leftover")
}

/// Deletes it, protection or not.
pub(crate) async fn delete(here: &Here, context: &Context, at: &ImageAt) -> Result<Deletion> {
    let image = match ours(here, context, at).await {
        Err(error) if error.kind() == Kind::NotFound => return Ok(Deletion::Gone),
        other => other?,
    };
    if matches!(image.status, Status::Deleted | Status::PendingDelete) {
        return Ok(Deletion::Gone);
    }
    match remove(here.glance(context), &image).await {
        Ok(()) => Ok(Deletion::Gone),
        // Volumes or snapshots were cloned from it.
        Err(error) if error.status() == Some(409) => Ok(Deletion::StillInUse),
        Err(error) => Err(classify(error, "delete")),
    }
}
