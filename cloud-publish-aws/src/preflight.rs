//! What would stop a run, found before the first byte: all of it at once, each with what mends it.
//!
//! Nothing here writes: permissions are asked with `DryRun`, which EC2's calls have and those of EBS direct have not; a
//! missing `ebs:StartSnapshot` shows at the first step instead, before anything is made. What cannot be read because
//! AWS fails in passing is a warning: the verbs themselves say it again.

mod access;
mod finding;
mod import;
mod listings;
mod names;
mod permissions;
mod places;
mod quotas;
mod rules;

use std::collections::BTreeMap;

use cloud_publish_core::error::{Result, Retry};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, PreflightRequest};
use futures::stream::{self, StreamExt as _};

use self::finding::unreadable;
use crate::config::Upload;
use crate::publisher::Aws;

/// How many regions are asked at one time: each is asked one thing after the other.
const REGIONS: usize = 8;

/// What the run does in one region.
#[derive(Debug, Default)]
struct Work<'a> {
    /// What it makes there.
    makes: Vec<&'a ImageSpec>,
    /// What it shows to those it is for.
    shows: Vec<&'a ImageSpec>,
}

pub(crate) async fn preflight(target: &Aws, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
    target.whereabouts(context).await?;
    let mut findings = places::unusable(target, context).await;
    let work = by_region(request, &findings);
    findings.extend(rules::broken(target, request));
    let asked: Vec<_> = work.iter().map(|(region, work)| one_region(target, context, (*region, work))).collect();
    let everywhere = stream::iter(asked).buffered(REGIONS).collect::<Vec<_>>();
    let once = async {
        let mut found: Vec<Finding> = rules::uefi_data(target.config(), request).await.into_iter().collect();
        if target.config().upload == Upload::S3Import && !request.additions.is_empty() {
            found.extend(import::unusable(target, context).await);
        }
        found.extend(listings::unreachable(target, context, request).await);
        found
    };
    let (everywhere, once) = futures::future::join(everywhere, once).await;
    findings.extend(once);
    findings.extend(everywhere.into_iter().flatten());
    context.check()?;
    Ok(findings)
}

/// What is done in each region that can be asked.
fn by_region<'a>(request: &'a PreflightRequest, unusable: &[Finding]) -> BTreeMap<&'a Region, Work<'a>> {
    let is_usable = |region: &Region| unusable.iter().all(|finding| finding.region.as_ref() != Some(region));
    let mut work: BTreeMap<&Region, Work<'_>> = BTreeMap::new();
    for (spec, region) in request.additions.iter().filter(|(_, region)| is_usable(region)) {
        work.entry(region).or_default().makes.push(spec);
    }
    for (spec, region) in request.exposures.iter().filter(|(_, region)| is_usable(region)) {
        work.entry(region).or_default().shows.push(spec);
    }
    work
}

/// Every question is asked, whatever becomes of the others; but a region that does not answer the first one is left.
async fn one_region(target: &Aws, context: &Context, (region, work): (&Region, &Work<'_>)) -> Vec<Finding> {
    let here = match target.here(context, region).await {
        Ok(here) => here,
        Err(error) => return vec![unreadable(Some(region), "the region", &error)],
    };
    let with = (context, target.config());
    let mut findings = match names::taken(&here, context, work).await {
        Ok(taken) => taken,
        Err(error) if error.retry() != Retry::Never => return vec![unreadable(Some(region), "the region", &error)],
        Err(error) => vec![unreadable(Some(region), "whether names are free", &error)],
    };
    findings.extend(places::other_account(target, context, &here).await);
    findings.extend(permissions::missing(&here, with, (work, target.home())).await);
    findings.extend(access::blocked(&here, with, work).await);
    findings.extend(quotas::exceeded(&here, context, work).await);
    findings
}

/// The specs of a request, each once.
fn specs(request: &PreflightRequest) -> Vec<&ImageSpec> {
    let all = request.additions.iter().chain(&request.exposures).map(|(spec, _)| spec.as_ref());
    let mut once: BTreeMap<&str, &ImageSpec> = BTreeMap::new();
    for spec in all {
        once.entry(spec.name.as_str()).or_insert(spec);
    }
    once.into_values().collect()
}
