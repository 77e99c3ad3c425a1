//! Everything of ours: images and snapshots of every region and state, and the parameters that should lead to them.
//!
//! Costs two listings for each region, however many releases there are. Permissions and UEFI variables have to be asked
//! for one image at a time, so only those of the release at hand are.

mod detail;
mod image;
mod listing;
mod parameters;
mod region;
mod staged;

use std::collections::BTreeSet;

use cloud_publish_core::error::{Error, Result, Retry};
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::{Owner, Region};
use cloud_publish_core::publisher::{Context, SurveyRequest};
use cloud_publish_core::survey::{FoundListing, FoundStaged, Gap, Survey};
use futures::StreamExt as _;
use futures::future::join3;
use futures::stream;

use self::region::{Part, read};
use crate::config::Upload;
use crate::publisher::Aws;
use crate::{import, marketplace};

/// Regions at once.
const AT_ONCE: usize = 16;

pub(crate) async fn survey(target: &Aws, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    let regions = every_region(target, context).await?;
    let count = regions.len();
    let looked = stream::iter(regions).map(|region| async move {
        let part = read(target, context, &region, request).await;
        (region, part)
    });
    let looked = looked.buffered(AT_ONCE).collect::<Vec<(Region, Part)>>();
    let (parts, imports, listings) =
        join3(looked, imports(target, context, &request.owner), listings(target, context, request)).await;
    context.check()?;
    let mut survey = Survey::default();
    let mut failures: Vec<(Region, Error)> = Vec::new();
    let mut empty_handed = 0_usize;
    for (region, part) in parts {
        empty_handed = empty_handed.saturating_add(usize::from(!part.has_read));
        survey.images.extend(part.images);
        survey.staged.extend(part.staged);
        survey.pointers.extend(part.pointers);
        failures.extend(part.trouble.map(|error| (region.clone(), error)));
    }
    if empty_handed == count
        && let Some((region, error)) = failures.pop()
    {
        return Err(error.during("survey").with("region", region));
    }
    let mut keep = |home: &Region, error: Error| failures.push((home.clone(), error));
    survey.staged.extend(imports.map_err(|error| keep(target.home(), error)).unwrap_or_default());
    survey.listings = listings.map_err(|error| keep(target.home(), error)).unwrap_or_default();
    survey.incomplete = gaps(failures);
    survey.images.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    survey.staged.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    Ok(survey)
}

/// One gap for each region, with its first reason.
fn gaps(failures: Vec<(Region, Error)>) -> Vec<Gap> {
    let mut seen = BTreeSet::new();
    let first = failures.into_iter().filter(|(region, _)| seen.insert(region.clone()));
    first
        .map(|(region, error)| Gap {
            passing: error.retry() != Retry::Never,
            region: Some(region),
            reason: error.chain().join(": "),
        })
        .collect()
}

/// The wanted regions; with `all` also those that the configuration leaves out: what was published there is still ours.
async fn every_region(target: &Aws, context: &Context) -> Result<Vec<Region>> {
    let mut regions: BTreeSet<Region> =
        target.choice(context).await?.wanted.into_iter().map(|wanted| wanted.region).collect();
    if matches!(target.settings.regions, Some(Regions::All)) {
        let enabled = target.account_regions(context).await?.iter().filter(|known| known.enabled);
        regions.extend(enabled.map(|known| known.region.clone()));
    }
    Ok(regions.into_iter().collect())
}

async fn imports(target: &Aws, context: &Context, owner: &Owner) -> Result<Vec<FoundStaged>> {
    if target.config().upload != Upload::S3Import {
        return Ok(Vec::new());
    }
    let here = target.here(context, target.home()).await?;
    import::survey(&here, (context, target.config()), owner).await
}

async fn listings(target: &Aws, context: &Context, request: &SurveyRequest) -> Result<Vec<FoundListing>> {
    match &request.detail {
        Some(detail) if !target.config().marketplace.is_empty() => marketplace::survey(target, context, detail).await,
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::{Error, Kind};

    use super::gaps;

    #[test]
    fn a_region_is_one_gap_however_much_of_it_failed() {
        let failed = |region: &str, message: &'static str| {
            (region.parse().unwrap(), Error::new(Kind::Unavailable, message).caused_by(std::io::Error::other("reset")))
        };
        let gaps = gaps(vec![failed("a", "no images"), failed("a", "no snapshots"), failed("b", "nothing")]);
        let told: Vec<_> =
            gaps.iter().map(|gap| (gap.region.as_ref().unwrap().as_str(), gap.reason.as_str())).collect();
        assert_eq!(told, [("a", "no images: reset"), ("b", "nothing: reset")]);
    }
}
