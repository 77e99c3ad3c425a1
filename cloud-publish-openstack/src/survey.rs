//! Everything of ours: every region, every status, hidden or not.

use std::collections::{BTreeMap, BTreeSet};

use cloud_publish_core::error::{Error, Result, Retry};
use cloud_publish_core::names::{ImageId, Owner, Region};
use cloud_publish_core::publisher::{Context, SurveyRequest};
use cloud_publish_core::survey::{FoundImage, FoundPointer, FoundStaged, Gap, Native, Survey};
use futures::future::join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::error::classify;
use crate::glance::{Image, Status};
use crate::image_record::{attributes, visibility};
use crate::info::{catalogue_regions, wanted_regions};
use crate::point::pointers;
use crate::publisher::{Here, OpenStack};
use crate::tags::{decode, own_name};

/// Members are asked for one image at a time: this many at once.
const MEMBERS_AT_ONCE: usize = 8;

pub(crate) async fn survey(target: &OpenStack, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    let regions = every_region(target, context).await?;
    let looked = regions.iter().map(|region| async move {
        let found = one_region(target, context, region, &request.owner).await;
        (region, found)
    });
    let mut survey = Survey::default();
    let mut failures = Vec::new();
    for (region, found) in join_all(looked).await {
        match found {
            Ok(found) => {
                survey.images.extend(found.images);
                survey.staged.extend(found.staged);
                survey.pointers.extend(found.pointers);
            }
            Err(error) => failures.push((region.clone(), error)),
        }
    }
    context.check()?;
    if failures.len() == regions.len()
        && let Some((region, error)) = failures.pop()
    {
        return Err(error.with("region", region));
    }
    let gap = |(region, error): (Region, Error)| Gap {
        passing: error.retry() != Retry::Never,
        region: Some(region),
        reason: error.chain().join(": "),
    };
    survey.incomplete = failures.into_iter().map(gap).collect();
    survey.images.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    survey.staged.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    Ok(survey)
}

/// Also regions that the configuration does not want any more: what was published there is still ours.
async fn every_region(target: &OpenStack, context: &Context) -> Result<Vec<Region>> {
    let wanted = wanted_regions(target, context).await?.into_iter().map(|wanted| wanted.region);
    let all: BTreeSet<Region> = wanted.chain(catalogue_regions(target, context).await?).collect();
    Ok(all.into_iter().collect())
}

/// What one region has.
struct Found {
    images: Vec<FoundImage>,
    staged: Vec<FoundStaged>,
    pointers: Vec<FoundPointer>,
}

async fn one_region(target: &OpenStack, context: &Context, region: &Region, owner: &Owner) -> Result<Found> {
    let here = target.here(context, region).await?;
    let filter = [("cloud-publish-owner", owner.as_str())];
    let listed = here.glance(context).list(here.place.account.as_str(), &filter).await;
    let listed = listed.map_err(|error| classify(error, "list images"))?;
    let (images, records): (Vec<Image>, Vec<Image>) =
        listed.into_iter().partition(|image| matches!(image.status, Status::Active | Status::Deactivated));
    let pointers = pointers(region, images.iter())?;
    let members = stream::iter(images).map(|image| with_members(&here, context, image)).buffered(MEMBERS_AT_ONCE);
    let images = members.try_collect::<Vec<FoundImage>>().await?;
    let gone = |image: &Image| matches!(image.status, Status::Deleted | Status::PendingDelete);
    let staged = records.into_iter().filter(|image| !gone(image)).map(|image| staged(&here, image)).collect();
    Ok(Found { images, staged, pointers })
}

async fn with_members(here: &Here, context: &Context, image: Image) -> Result<FoundImage> {
    let members = if image.visibility == "shared" {
        here.glance(context).members(&image.id).await.map_err(|error| classify(error, "list members"))?
    } else {
        Vec::new()
    };
    let labels = decode(&image.properties(), &here.place, here.region());
    let mut problems = Vec::new();
    let tags = labels.tags.map_err(|trouble| problems.extend(trouble.problems)).ok();
    let marks = labels.marks.map_err(|trouble| problems.extend(trouble.problems)).unwrap_or_default();
    Ok(FoundImage {
        region: here.region().clone(),
        id: ImageId::new(&image.id)?,
        name: own_name(&image).unwrap_or_default(),
        native: native(&image),
        visibility: visibility(&image.visibility, members),
        tags,
        marks,
        extra_tags: labels.extra,
        created: image.created_at,
        attributes: attributes(&image),
        links: BTreeMap::new(),
        problems,
    })
}

fn native(image: &Image) -> Native {
    match image.status {
        Status::Deactivated => Native::Retired,
        Status::Active if image.os_hidden => Native::Hidden,
        _ => Native::Available,
    }
}

/// A record is not an image before its data is there.
fn staged(here: &Here, image: Image) -> FoundStaged {
    FoundStaged {
        region: here.region().clone(),
        tags: decode(&image.properties(), &here.place, here.region()).tags.ok(),
        created: image.created_at,
        busy: image.is_busy(),
        id: image.id,
    }
}
