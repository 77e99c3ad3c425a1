//! Is it ours? Asked before anything is changed or deleted, and wherever one image is looked for.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::publisher::{Context, ImageAt};

use crate::error::{classify, code, is_missing};
use crate::ownership::{Shown, only};
use crate::publisher::Here;
use crate::tags::{KEY, map};

/// What AWS answers to the id of an image that it remembers.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
const DEREGISTERED: &str = "InvalidAMIID.Unavailable";

/// The image under an id, if it is in our account and carries exactly these tags.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Refused`].
pub(crate) async fn ours(here: &Here, context: &Context, at: &ImageAt) -> Result<Image> {
    let image = by_id(here, context, at.id.as_str()).await?.ok_or_else(gone)?;
    confirm(here, &image, &at.tags)?;
    Ok(image)
}

/// The image under an id, alive; `None` when there is none, or not yet.
pub(crate) async fn by_id(here: &Here, context: &Context, id: &str) -> Result<Option<Image>> {
    match look(here, context, id).await? {
        Seen::Image(image) if !is_dead(&image) => Ok(Some(*image)),
        Seen::Image(_) | Seen::Nothing | Seen::Deregistered => Ok(None),
    }
}

/// What AWS shows under an id.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An image in whatever state, perhaps a dead one.
    Image(Box<Image>),
    /// No image, or not yet.
    Nothing,
    /// There was one.
    Deregistered,
}

/// Looks at an id.
pub(crate) async fn look(here: &Here, context: &Context, id: &str) -> Result<Seen> {
    let call = here.clients.ec2.describe_images().image_ids(id).include_deprecated(true).include_disabled(true);
    match context.or_cancelled(call.send()).await? {
        Ok(answer) => {
            let found = answer.images.unwrap_or_default().into_iter().find(|image| image.image_id() == Some(id));
            Ok(found.map_or(Seen::Nothing, |image| Seen::Image(Box::new(image))))
        }
        Err(error) if code(&error) == Some(DEREGISTERED) => Ok(Seen::Deregistered),
        Err(error) if code(&error).is_some_and(is_missing) => Ok(Seen::Nothing),
        Err(error) => Err(classify(&error, "DescribeImages")),
    }
}

/// An image that is not there.
pub(crate) fn gone() -> Error {
    Error::new(Kind::NotFound, "there is no such image").hint("run `publish verify` to see what is there")
}

/// An answer's tags as a map.
pub(crate) fn tags_of(image: &Image) -> BTreeMap<String, String> {
    map(image.tags())
}

/// Whether AWS keeps only the memory of it.
pub(crate) fn is_dead(image: &Image) -> bool {
    matches!(
        image.state(),
        Some(ImageState::Deregistered | ImageState::Failed | ImageState::Error | ImageState::Invalid)
    )
}

/// What an answer shows of an image.
fn shown(image: &Image) -> Shown<'_> {
    let id = image.image_id().unwrap_or_default();
    Shown { what: "image", id, owner: image.owner_id(), tags: image.tags() }
}

/// Refuses an image of another account or with other tags.
pub(crate) fn confirm(here: &Here, image: &Image, tags: &ImageTags) -> Result<()> {
    shown(image).confirm(here, tags)
}

/// The one living image of these tags in this region, whoever made it under whatever id; it may be pending.
///
/// # Errors
/// [`Kind::Conflict`] naming every candidate, when there are several or one has our key and other content.
pub(crate) async fn find(here: &Here, context: &Context, tags: &ImageTags) -> Result<Option<Image>> {
    let key = tags.key(&here.place, &here.region);
    let filter = Filter::builder().name(format!("tag:{KEY}")).values(key.as_str()).build();
    let call = here.clients.ec2.describe_images().owners("self").filters(filter);
    let mut pages = call.include_deprecated(true).include_disabled(true).into_paginator().items().send();
    let mut living: Vec<Image> = Vec::new();
    while let Some(image) = context.or_cancelled(pages.next()).await? {
        let image = image.map_err(|error| classify(&error, "DescribeImages"))?;
        living.extend(Some(image).filter(|image| !is_dead(image)));
    }
    let hint = "keep one of them and deregister the others with `aws ec2 deregister-image`";
    let image = only(living, shown, hint)?;
    image.iter().try_for_each(|image| shown(image).same(here, tags))?;
    Ok(image)
}
