//! Which images of a release the configured listings offer, or will.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Image};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::names::ImageId;
use cloud_publish_core::publisher::{Context, Detail, Listing};
use cloud_publish_core::survey::FoundListing;

use super::REGION;
use super::catalogue::Catalogue;
use super::details::change_set_name;
use super::judge::{Verdict, verdict};
use crate::config::MarketplaceListing;
use crate::error::classify;
use crate::guard::{is_dead, tags_of};
use crate::publisher::{Aws, Here};
use crate::tags::{OWNER, decode};

/// The versions of a release's images at the configured listings. Asks nothing where no listing is configured.
pub(crate) async fn survey(target: &Aws, context: &Context, detail: &Detail) -> Result<Vec<FoundListing>> {
    let listings = &target.config().marketplace;
    if listings.is_empty() {
        return Ok(Vec::new());
    }
    let region = REGION.parse().map_err(|error: Error| error)?;
    let here = target.here(context, &region).await?;
    let images = images(target, &here, (context, detail)).await?;
    let catalogue = Catalogue::new(&here, context);
    let mut found = Vec::new();
    for (name, listing) in listings {
        for (image, _) in images.iter().filter(|(_, tags)| listing.offers(tags)) {
            if let Some(state) = state(&catalogue, (listing, image)).await? {
                found.push(FoundListing { listing: name.clone(), image: image.clone(), state });
            }
        }
    }
    Ok(found)
}

async fn state(
    catalogue: &Catalogue<'_>,
    (listing, image): (&MarketplaceListing, &ImageId),
) -> Result<Option<Listing>> {
    let id = image.as_str();
    if !listing.validate_only {
        let product = catalogue.product(&listing.product).await?;
        if product.versions.iter().any(|version| version.is_from(id)) {
            return Ok(Some(Listing::Listed));
        }
    }
    let mine = catalogue.named(&change_set_name(&listing.product, id, listing.validate_only)).await?;
    Ok(match verdict(&mine, &[]) {
        Verdict::Done => Some(Listing::Listed),
        Verdict::Running(_) => Some(Listing::Pending),
        Verdict::Failed(_) | Verdict::Start { .. } => None,
    })
}

/// The release's images where the catalogue takes them from.
async fn images(target: &Aws, here: &Here, with: (&Context, &Detail)) -> Result<BTreeMap<ImageId, ImageTags>> {
    let (context, detail) = with;
    let filter = |name: &str, value: &str| Filter::builder().name(format!("tag:{name}")).values(value).build();
    let call = here.clients.ec2.describe_images().owners("self").include_deprecated(true);
    let call = call.filters(filter(OWNER, target.settings.owner.as_str()));
    let call = call.filters(filter("cloud-publish-release", detail.release.as_str()));
    let mut pages = call.into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(image) = context.or_cancelled(pages.next()).await? {
        let image: Image = image.map_err(|error| classify(&error, "DescribeImages"))?;
        let tags = decode(&tags_of(&image), &here.place, &here.region).tags;
        if let (Ok(tags), Some(id), false) = (tags, image.image_id(), is_dead(&image)) {
            let id = ImageId::new(id)
                .map_err(|error| Error::new(Kind::Unexpected, "AWS names an image oddly").caused_by(error))?;
            found.insert(id, tags);
        }
    }
    Ok(found)
}
