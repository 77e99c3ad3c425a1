//! Waiting for an image: an id just returned may not exist yet, and a pending image cannot be used.

use std::time::Duration;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::ImageId;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, Registered};

use crate::guard::{Seen, is_dead, look};
use crate::links::links;
use crate::publisher::Here;
use crate::snapshot::APPEARING;

/// From `RegisterImage` to `available`: seconds, as a rule.
pub(crate) const REGISTERED: Pace =
    Pace { first: Duration::from_millis(300), longest: Duration::from_secs(5), deadline: Duration::from_secs(1800) };

/// From `CopyImage` to `available`: minutes, for large disks to far regions an hour.
pub(crate) const COPIED: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(10), deadline: Duration::from_secs(7200) };

/// What became of an image.
#[derive(Debug)]
pub(crate) enum Outcome {
    Available(Box<Image>),
    /// AWS gave up on it, somebody deregistered it, or it never showed; with what AWS says.
    Dead(String),
}

/// Waits until an image is available or never will be.
///
/// # Errors
/// [`Kind::Conflict`] for a disabled image, [`Kind::TimedOut`].
pub(crate) async fn settled(here: &Here, context: &Context, id: &str, pace: Pace) -> Result<Outcome> {
    let start = context.clock().elapsed();
    poll_until(context, &format!("image {id}"), pace, || async {
        let image = match look(here, context, id).await? {
            Seen::Image(image) => image,
            Seen::Deregistered => return Ok(Some(Outcome::Dead(format!("{id} was deregistered")))),
            Seen::Nothing => {
                context.progress().says(&format!("AWS does not show {id} in {} yet", here.region));
                let late = context.clock().elapsed().saturating_sub(start) >= APPEARING;
                return Ok(late.then(|| Outcome::Dead(format!("{id} is not there"))));
            }
        };
        match image.state() {
            Some(ImageState::Available) => Ok(Some(Outcome::Available(image))),
            Some(ImageState::Disabled) => Err(Error::new(Kind::Conflict, format!("{id} is disabled"))
                .hint("it was retired: restore it, or publish a new version")),
            _ if is_dead(&image) => Ok(Some(Outcome::Dead(why(&image)))),
            _ => {
                context.progress().says(&format!("waiting for {id} in {}", here.region));
                Ok(None)
            }
        }
    })
    .await
}

/// The same for an image that nothing can take the place of.
///
/// # Errors
/// Those of [`settled`], and [`Kind::Conflict`] for a dead one.
pub(crate) async fn available(here: &Here, context: &Context, id: &str, pace: Pace) -> Result<Image> {
    match settled(here, context, id, pace).await? {
        Outcome::Available(image) => Ok(*image),
        Outcome::Dead(why) => Err(Error::new(Kind::Conflict, why).hint(format!(
            "`aws ec2 deregister-image --region {} --image-id {id}`, then run the same command again",
            here.region
        ))),
    }
}

/// What AWS says of a dead image.
pub(crate) fn why(image: &Image) -> String {
    let state = image.state().map_or("in no state", ImageState::as_str);
    let id = image.image_id().unwrap_or_default();
    match image.state_reason().and_then(|reason| reason.message()) {
        Some(message) => format!("{id} is {state}: {message}"),
        None => format!("{id} is {state}"),
    }
}

/// An image with its pages.
pub(crate) fn registered(here: &Here, id: &str) -> Result<Registered> {
    Ok(Registered { region: here.region.clone(), id: ImageId::new(id)?, links: links(&here.region, id) })
}

/// The id of an image in an answer.
pub(crate) fn id_of(image: &Image) -> Result<&str> {
    image.image_id().ok_or_else(|| Error::new(Kind::Unexpected, "AWS shows an image without an id"))
}
