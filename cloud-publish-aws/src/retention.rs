//! The end of an image's life: hide, retire, restore, delete.

mod delete;
pub(crate) mod deprecation;
mod restore;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::{ImageTags, Marks};
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, ImageAt};

pub(crate) use self::delete::delete;
pub(crate) use self::restore::restore;
use crate::config::AwsConfig;
use crate::error::classify;
use crate::guard::{by_id, gone, ours, tags_of};
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::sharing::{Object, Sharing};
use crate::{own_snapshots, snapshot, tag};

/// Deprecates it: listings of others leave it out, and whoever has its id goes on using it.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html>
///
/// A disabled image is found by nobody already.
pub(crate) async fn hide(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    let image = ours(here, context, at).await?;
    let now = context.clock().now();
    if image.state() == Some(&ImageState::Disabled) || deprecation::is_hidden(&image, now) {
        return Ok(());
    }
    deprecation::set(here, context, (at.id.as_str(), Some(deprecation::at_once(now)))).await
}

/// Disables it: nobody starts new machines from it, and it loses its launch permissions. The mark comes first, so that
/// a run that dies in between is understood by the next; the image comes last, because a disabled one counts as retired
/// and is not looked at again: no snapshot of it may still be shared.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html>
pub(crate) async fn retire(here: &Here, at: (&Context, &AwsConfig), image: &ImageAt) -> Result<()> {
    let (context, config) = at;
    let found = ours(here, context, image).await?;
    if found.state() == Some(&ImageState::Pending) {
        return Err(Error::new(Kind::Conflict, "the image is still being made")
            .hint("run `publish` again to finish it, or remove the leftover"));
    }
    mark_retired(here, context, &found).await?;
    for id in own_snapshots::ids(&found) {
        take_back(here, (context, config), (id, &image.tags)).await?;
    }
    if found.state() != Some(&ImageState::Disabled) {
        let call = here.clients.ec2.disable_image().image_id(image.id.as_str());
        let answer = context.or_cancelled(call.send()).await?;
        answer.map_err(|error| classify(&error, "DisableImage"))?;
        until(here, context, (image, &ImageState::Disabled)).await?;
    }
    Ok(())
}

/// Makes a snapshot private. One without our tags is left alone and told: it must not keep a bad image in use.
async fn take_back(here: &Here, at: (&Context, &AwsConfig), (id, tags): (&str, &ImageTags)) -> Result<()> {
    let (context, config) = at;
    match snapshot::ours(here, context, (id, tags)).await {
        Ok(_) => Sharing { here, context, config, object: Object::Snapshot(id) }.revoke_beyond(&BTreeSet::new()).await,
        Err(error) if error.kind() == Kind::Refused => {
            context.progress().says(&format!("{id} was left as it is: {error}"));
            Ok(())
        }
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

async fn mark_retired(here: &Here, context: &Context, image: &Image) -> Result<()> {
    let have = tags_of(image);
    let retired = Marks { retired: Some(context.clock().now()), ..Marks::default() };
    let missing = retired.to_map().into_iter().filter(|(name, _)| !have.contains_key(name)).collect();
    tag::set_on_image(here, context, (image.image_id().unwrap_or_default(), missing)).await
}

/// Waits until an image is in a state.
async fn until(here: &Here, context: &Context, (at, state): (&ImageAt, &ImageState)) -> Result<Image> {
    poll_until(context, &format!("making the image {state}"), SEEN, || async {
        let image = by_id(here, context, at.id.as_str()).await?.ok_or_else(gone)?;
        Ok((image.state() == Some(state)).then_some(image))
    })
    .await
}
