//! Is it ours? Asked before anything is changed or deleted, and wherever one image is looked for.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::publisher::{Context, ImageAt};

use crate::error::classify;
use crate::glance::Image;
use crate::publisher::Here;
use crate::tags::decode;

/// The image under an id, if it is in our project and carries exactly these tags.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Refused`].
pub(crate) async fn ours(here: &Here, context: &Context, at: &ImageAt) -> Result<Image> {
    let found = here.glance(context).find(at.id.as_str()).await.map_err(|error| classify(error, "look at image"))?;
    let image = found.ok_or_else(gone)?;
    confirm(here, &image, &at.tags)?;
    Ok(image)
}

/// An image that is not there.
pub(crate) fn gone() -> Error {
    Error::new(Kind::NotFound, "there is no such image").hint("run `publish verify` to see what is there")
}

/// Refuses an image of another project or with other tags.
pub(crate) fn confirm(here: &Here, image: &Image, tags: &ImageTags) -> Result<()> {
    if image.owner.as_deref() != Some(here.place.account.as_str()) {
        return Err(refused("the image belongs to another project").with("owner", owner(image)));
    }
    match decode(&image.properties(), &here.place, here.region()).tags {
        Ok(found) if found == *tags => Ok(()),
        Ok(found) => Err(refused("the image carries other tags").with("release", found.release)),
        Err(trouble) => Err(refused("the image's tags cannot be believed").caused_by(trouble)),
    }
}

fn owner(image: &Image) -> &str {
    image.owner.as_deref().unwrap_or("nobody")
}

fn refused(message: &'static str) -> Error {
    Error::new(Kind::Refused, message).hint("it was left alone; look at it with `openstack image show`")
}

/// The one living image of these tags in this region, whoever made it under whatever id.
///
/// # Errors
/// [`Kind::Conflict`] naming every candidate, when there are several or one has our key and other content.
pub(crate) async fn find_by_key(here: &Here, context: &Context, tags: &ImageTags) -> Result<Option<Image>> {
    let key = tags.key(&here.place, here.region());
    let filter = [("cloud-publish-key", key.as_str())];
    let found = here.glance(context).list(here.place.account.as_str(), &filter).await;
    let found = found.map_err(|error| classify(error, "look for the image"))?;
    let mut living: Vec<Image> = found.into_iter().filter(|image| !image.status.is_dead()).collect();
    if living.len() > 1 {
        let ids: Vec<&str> = living.iter().map(|image| image.id.as_str()).collect();
        return Err(Error::new(Kind::Conflict, format!("several images have one key: {}", ids.join(", ")))
            .hint("keep one of them and delete the others with `openstack image delete`"));
    }
    let Some(image) = living.pop() else { return Ok(None) };
    match decode(&image.properties(), &here.place, here.region()).tags {
        Ok(found) if found == *tags => Ok(Some(image)),
        Ok(found) if found.digest != tags.digest => Err(Error::new(
            Kind::Conflict,
            format!("image {} has our key but other content: {}", image.id, found.digest),
        )
        .hint("a published version never changes: give the new build a new version")),
        Ok(_) => Err(Error::new(Kind::Conflict, format!("image {} has our key but other tags", image.id))),
        Err(trouble) => {
            Err(Error::new(Kind::Conflict, format!("image {} has our key but its tags cannot be believed", image.id))
                .caused_by(trouble))
        }
    }
}
