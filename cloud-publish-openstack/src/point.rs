//! The stable name of a line, which always its newest image has: users start machines from `debian-12-amd64`.
//!
//! Glance lets several images have one name and gives no way to move it at once, so the newest takes it first and the one
//! before gets its own name back after: for a moment two have it, never none. While an image has the stable name its own is
//! in the property [`OWN_NAME`], written and removed by the very patch that renames it. A run that dies in between leaves
//! two; a survey shows such a pointer as leading nowhere, and the next run gives the name back.

use std::collections::BTreeMap;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::{ImageTags, Line};
use cloud_publish_core::names::{ImageId, Owner, PointerName, Region};
use cloud_publish_core::publisher::{Context, ImageSpec, PointRequest};
use cloud_publish_core::survey::FoundPointer;

use crate::error::classify;
use crate::glance::{Image, Patch};
use crate::guard::ours;
use crate::properties::LONGEST_NAME;
use crate::publisher::{Here, OpenStackSettings};
use crate::tags::{OWN_NAME, decode, own_name};
use crate::upload::same_name;

/// The stable name that an image should have while it is the newest of its line.
///
/// # Errors
/// [`Kind::InvalidInput`] for a name that is too long, or is the image's own.
pub(crate) fn stable_name(settings: &OpenStackSettings, image: &ImageSpec) -> Result<Option<PointerName>> {
    let Some(template) = &settings.config.stable_name else { return Ok(None) };
    let name = template.fill_for(image, &settings.target);
    let wrong = |why: &str| Err(Error::new(Kind::InvalidInput, format!("the stable name `{name}` {why}")));
    if name.chars().count() > LONGEST_NAME {
        return wrong("is too long for Glance, which takes 255 characters");
    }
    if name == image.name.as_str() {
        return wrong("is the image's own name: change `stable_name` or `naming.image`");
    }
    PointerName::new(name).map(Some)
}

pub(crate) async fn point(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    let name = request.pointer.as_str();
    let image = ours(here, context, &request.at).await?;
    let holders = holders(here, context, name).await?;
    let others: Vec<Image> = holders.into_iter().filter(|holder| holder.id != image.id).collect();
    let tags = &request.at.tags;
    for other in &others {
        may_lose(here, other, (&tags.owner, &tags.line()))?;
    }
    let failed = |error| classify(error, "point");
    here.glance(context).patch(&image.id, &taking(&image, name)).await.map_err(failed)?;
    for other in &others {
        let own = own_name(other).unwrap_or_default();
        let mut patch = Patch::default().base("name", own);
        patch.remove(OWN_NAME);
        here.glance(context).patch(&other.id, &patch).await.map_err(failed)?;
    }
    Ok(())
}

/// The project's images that have a name.
pub(crate) async fn holders(here: &Here, context: &Context, name: &str) -> Result<Vec<Image>> {
    same_name(here.glance(context), here, name).await.map_err(|error| classify(error, "look for stable name"))
}

fn taking(image: &Image, name: &str) -> Patch {
    let mut patch = Patch::default();
    if let Some(own) = &image.name
        && !image.has(OWN_NAME)
    {
        patch.set(image, OWN_NAME, own);
    }
    match &image.name {
        Some(now) if now == name => patch,
        _ => patch.base("name", name),
    }
}

/// Refuses to rename what is not an image of ours of the same line that got the name from us.
///
/// # Errors
/// [`Kind::NameTaken`] with its id.
pub(crate) fn may_lose(here: &Here, holder: &Image, (owner, line): (&Owner, &Line)) -> Result<()> {
    let taken = |why: &str| {
        Error::new(Kind::NameTaken, format!("image {} has the stable name already, {why}", holder.id))
            .with("name", holder.name.as_deref().unwrap_or_default())
    };
    let tags = decode(&holder.properties(), &here.place, here.region()).tags;
    let ours = |tags: &ImageTags| tags.owner == *owner;
    match tags {
        Ok(tags) if ours(&tags) && tags.line() != *line => Err(taken(&format!("as the newest of {}", words(&tags)))
            .hint("add what tells them apart to `stable_name`: {suite}, {variant}, {arch}, {class_suffix}")),
        Ok(tags) if ours(&tags) && holder.has(OWN_NAME) => Ok(()),
        _ => Err(taken("and did not get it from us").hint("rename or delete it, or change `stable_name`")),
    }
}

fn words(tags: &ImageTags) -> String {
    format!("{} {} {} {}", tags.suite, tags.variant, tags.arch, tags.class)
}

/// The stable names that images of ours have. One that two have leads nowhere: nobody can start a machine by it.
pub(crate) fn pointers<'a>(region: &Region, images: impl Iterator<Item = &'a Image>) -> Result<Vec<FoundPointer>> {
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for image in images.filter(|image| image.has(OWN_NAME)) {
        if let Some(name) = &image.name {
            holders.entry(name).or_default().push(&image.id);
        }
    }
    let pointer = |(name, ids): (&str, Vec<&str>)| {
        let to = match ids.as_slice() {
            [one] => Some(ImageId::new(*one)?),
            _ => None,
        };
        Ok(FoundPointer { region: region.clone(), name: PointerName::new(name)?, to })
    };
    holders.into_iter().map(pointer).collect()
}

#[cfg(test)]
#[path = "point_tests.rs"]
mod tests;
