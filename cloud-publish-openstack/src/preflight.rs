//! What would stop a run, found before the first byte: regions, names, quotas, the permission to publish.

mod names;
mod probe;
mod sharing;
#[cfg(test)]
mod tests;
mod ways;

use std::collections::BTreeMap;

use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, PreflightRequest, Probe, Severity};
use futures::future::join_all;

use crate::image_record;
use crate::info::{catalogue_regions, wanted_regions};
use crate::publisher::{Here, OpenStack};

const MIB: u64 = 1 << 20;

/// The limits that matter here: <https://docs.openstack.org/glance/latest/admin/quotas.html>. The first is in MiB.
const TOTAL_SIZE: &str = "image_size_total";
const TOTAL_COUNT: &str = "image_count_total";

pub(crate) async fn preflight(
    target: &OpenStack,
    context: &Context,
    request: &PreflightRequest,
) -> Result<Vec<Finding>> {
    target.token(context).await?;
    let mut findings = missing_regions(target, context).await?;
    let missing: Vec<Region> = findings.iter().filter_map(|finding| finding.region.clone()).collect();
    let mut by_region: BTreeMap<&Region, Wanted<'_>> = BTreeMap::new();
    for (spec, region) in request.additions.iter().filter(|(_, region)| !missing.contains(region)) {
        by_region.entry(region).or_default().additions.push(spec);
    }
    for (spec, region) in request.exposures.iter().filter(|(_, region)| !missing.contains(region)) {
        by_region.entry(region).or_default().exposures.push(spec);
    }
    let looked = by_region.into_iter().map(|(region, wanted)| async move {
        let found = one_region(target, context, (region, &wanted), request.probe).await;
        found.unwrap_or_else(|error| vec![unreadable(region, &error)])
    });
    findings.extend(join_all(looked).await.into_iter().flatten());
    findings.extend(unverified(target));
    context.check()?;
    Ok(findings)
}

async fn missing_regions(target: &OpenStack, context: &Context) -> Result<Vec<Finding>> {
    if target.settings.cloud.image_endpoint.is_some() {
        return Ok(Vec::new());
    }
    let there = catalogue_regions(target, context).await?;
    let names: Vec<&str> = there.iter().map(Region::as_str).collect();
    let wanted = wanted_regions(target, context).await?;
    let by_hand = |region: &Region| target.settings.cloud.image_endpoint_in(region).is_some();
    let missing = wanted.into_iter().filter(|wanted| !there.contains(&wanted.region) && !by_hand(&wanted.region));
    Ok(missing
        .map(|wanted| Finding {
            severity: if wanted.required { Severity::Error } else { Severity::Warning },
            message: format!("the cloud has no image service in region `{}`", wanted.region),
            hint: Some(format!("its regions are: {}", names.join(", "))),
            region: Some(wanted.region),
        })
        .collect())
}

/// Whoever is on the way to such a cloud can read the password and change the images.
fn unverified(target: &OpenStack) -> Option<Finding> {
    let cloud = &target.settings.cloud;
    (!cloud.verify).then(|| Finding {
        severity: Severity::Warning,
        region: None,
        message: format!(
            "the certificates of cloud `{}` are not checked: clouds.yaml says `verify: false`",
            cloud.name
        ),
        hint: Some("name the certificate authority with `cacert` and remove `verify: false`".to_owned()),
    })
}

fn unreadable(region: &Region, error: &Error) -> Finding {
    Finding {
        severity: Severity::Error,
        region: Some(region.clone()),
        message: error.chain().join(": "),
        hint: error.advice().map(ToOwned::to_owned),
    }
}

/// What one region is to get, and what is to be shown there.
#[derive(Default)]
struct Wanted<'a> {
    additions: Vec<&'a ImageSpec>,
    exposures: Vec<&'a ImageSpec>,
}

async fn one_region(
    target: &OpenStack,
    context: &Context,
    (region, wanted): (&Region, &Wanted<'_>),
    probe: Probe,
) -> Result<Vec<Finding>> {
    let here = target.here(context, region).await?;
    let mut findings = Vec::new();
    for spec in &wanted.additions {
        match image_record::expected(spec, &target.settings.config) {
            Ok(_) => findings.extend(names::taken(&here, context, spec).await?),
            Err(error) => findings.push(unreadable(region, &error)),
        }
    }
    findings.extend(names::stable(target, &here, context, &wanted.exposures).await?);
    findings.extend(sharing::members(&here, &wanted.exposures));
    if !wanted.additions.is_empty() {
        findings.extend(quotas(&here, context, &wanted.additions).await);
        findings.extend(ways::missing(target, &here, context, &wanted.additions).await?);
    }
    if probe == Probe::MayWrite {
        for wide in [Visibility::Public, Visibility::Community] {
            if let Some(spec) = wanted.additions.iter().find(|spec| spec.visibility == wide) {
                findings.extend(probe::may_publish(&here, context, spec).await?);
            }
        }
    }
    Ok(findings)
}

/// Clouds before Glance 2.13 (Yoga) do not tell; then a full quota shows only during the upload.
async fn quotas(here: &Here, context: &Context, specs: &[&ImageSpec]) -> Vec<Finding> {
    let finding = |severity, message: String, hint: &str| Finding {
        severity,
        region: Some(here.region().clone()),
        message,
        hint: Some(hint.to_owned()),
    };
    let usage = match here.glance(context).usage().await {
        Ok(usage) => usage,
        Err(error) => {
            let message = format!("the project's quotas could not be read: {error}");
            return vec![finding(Severity::Warning, message, "make sure that there is room for the images")];
        }
    };
    let size: u64 = specs.iter().map(|spec| spec.file_size.div_ceil(MIB)).sum();
    let count = u64::try_from(specs.len()).unwrap_or(u64::MAX);
    let needs = [(TOTAL_SIZE, size, "MiB"), (TOTAL_COUNT, count, "images")];
    let too_much = needs.into_iter().filter_map(|(name, needed, unit)| {
        let left = u64::try_from(usage.get(name)?.left()?).unwrap_or_default();
        (left < needed).then(|| format!("the quota {name} has {left} {unit} left, the run needs {needed}"))
    });
    let hint = "delete images of this project, or ask the cloud's operator for a larger quota";
    too_much.map(|message| finding(Severity::Error, message, hint)).collect()
}
