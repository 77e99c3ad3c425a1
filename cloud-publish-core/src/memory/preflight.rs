//! Preflight: everything that would stop a run, found at once and without a write.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::rules::Rules;
use crate::names::Region;
use crate::publisher::{Context, Finding, ImageSpec, PreflightRequest, Replication, Severity, VisibilityKind};

pub(super) async fn preflight(
    own: &MemoryPublisher,
    context: &Context,
    request: &PreflightRequest,
) -> Result<Vec<Finding>> {
    let mut by_region: BTreeMap<&Region, Vec<&ImageSpec>> = BTreeMap::new();
    for (image, region) in &request.additions {
        by_region.entry(region).or_default().push(image);
    }
    let mut findings = Vec::new();
    for (region, images) in by_region {
        match in_region(own, context, region, &images).await {
            Ok(found) => findings.extend(found),
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => findings.push(finding(own, region, &error)),
        }
    }
    Ok(findings)
}

async fn in_region(
    own: &MemoryPublisher,
    context: &Context,
    region: &Region,
    images: &[&ImageSpec],
) -> Result<Vec<Finding>> {
    own.known_region(region)?;
    let account = &own.settings().account;
    let call = Call::look(Verb::Preflight, "get limits", region);
    let limits = own.client().send(context, call, |state| {
        let rules = state.rules_of(region).clone();
        Ok((rules, state.shelf(account, region).images.len()))
    });
    let (rules, have) = limits.await?;
    let mut errors = denied(own, region, &rules);
    if rules.image_quota.is_some_and(|quota| have.saturating_add(images.len()) > quota) {
        errors.push(
            Error::new(Kind::QuotaExceeded, format!("there is no room for {} more images", images.len()))
                .with("quota", rules.image_quota.unwrap_or_default())
                .with("used", have)
                .hint("ask for a higher quota, or delete images"),
        );
    }
    for image in images {
        errors.extend(unfit(own, image).err());
        match own.look_for_image(context, Verb::Preflight, region, &image.tags).await {
            Ok(Some(_)) => {}
            Ok(None) => errors.extend(name_taken(own, context, region, image).await?),
            Err(error) if error.kind() == Kind::Conflict => errors.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(errors.iter().map(|error| finding(own, region, error)).collect())
}

/// The verbs that a run needs in a region and may not use.
fn denied(own: &MemoryPublisher, region: &Region, rules: &Rules) -> Vec<Error> {
    let replica = matches!(own.settings().capability.replication, Replication::Batch | Replication::PerRegion)
        && region != own.home();
    let making: &[Verb] = if replica { &[Verb::Replicate] } else { &[Verb::Upload, Verb::Register] };
    let needed = making.iter().chain([&Verb::SetVisibility, &Verb::Tag]);
    let denied = needed.filter(|verb| rules.denied.contains(verb));
    let errors = denied.map(|verb| {
        Error::new(Kind::PermissionDenied, format!("the credentials do not allow {}", verb.as_str()))
            .hint("grant the permission")
    });
    errors.collect()
}

/// Whether the cloud's rules forbid such an image.
pub(super) fn unfit(own: &MemoryPublisher, image: &ImageSpec) -> Result<()> {
    /// As at AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>.
    const LONGEST_NAME: usize = 128;
    if image.name.as_str().chars().count() > LONGEST_NAME {
        return Err(Error::new(Kind::InvalidInput, format!("the image name is longer than {LONGEST_NAME} characters"))
            .with("name", &image.name)
            .hint("shorten `naming.image`"));
    }
    if !own.settings().capability.visibilities.contains(&VisibilityKind::from(&image.visibility)) {
        return Err(Error::new(Kind::Unsupported, "this target does not know the wanted visibility")
            .hint("set another `visibility` for the target"));
    }
    Ok(())
}

async fn name_taken(
    own: &MemoryPublisher,
    context: &Context,
    region: &Region,
    image: &ImageSpec,
) -> Result<Option<Error>> {
    let account = &own.settings().account;
    let call = Call::look(Verb::Preflight, "look for name", region);
    let holder = own.client().send(context, call, |state| {
        let mut seen = state.seen_images(account, region).into_iter();
        Ok(seen.find(|known| known.name == image.name.as_str()).cloned())
    });
    let holder =
        holder.await?.filter(|known| !(own.settings().capability.keeps_renditions && own.read_tags(known).is_some()));
    Ok(holder.map(|known| {
        Error::new(Kind::NameTaken, format!("the name `{}` is taken", image.name))
            .with("image", known.id)
            .hint("change `naming.image`, or rename the image that has the name")
    }))
}

/// An error where the region is required, a warning where it is not.
fn finding(own: &MemoryPublisher, region: &Region, error: &Error) -> Finding {
    let best_effort = own.settings().regions.iter().any(|wanted| wanted.region == *region && !wanted.required);
    Finding {
        severity: if best_effort { Severity::Warning } else { Severity::Error },
        region: Some(region.clone()),
        message: error.chain().join(": "),
        hint: error.advice().map(ToOwned::to_owned),
    }
}
