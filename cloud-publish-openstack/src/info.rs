//! What this target is: its project, its regions, what OpenStack can do.

use std::collections::BTreeSet;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::{Region, Rendition};
use cloud_publish_core::publisher::{
    Capability, Context, ReadBack, Replication, TargetInfo, VisibilityKind, WantedRegion,
};

use crate::client::IMAGE;
use crate::publisher::OpenStack;

/// What every OpenStack cloud can do; pointers are stable names.
fn capability(pointers: bool) -> Capability {
    let visibilities =
        [VisibilityKind::Private, VisibilityKind::Shared, VisibilityKind::Community, VisibilityKind::Public];
    Capability {
        replication: Replication::Independent,
        stages_apart: false,
        replicas_are_visible: false,
        visibilities: BTreeSet::from(visibilities),
        together: None,
        pointers,
        marketplace: false,
        read_back: ReadBack::Hash,
        file_sha512: true,
        keeps_renditions: false,
    }
}

pub(crate) async fn info(target: &OpenStack, context: &Context) -> Result<TargetInfo> {
    let regions = wanted_regions(target, context).await?;
    let home = regions.first().map(|first| first.region.clone()).ok_or_else(|| {
        Error::new(Kind::InvalidInput, "the target has no region")
            .with("target", &target.settings.target)
            .hint("name one under `regions` in publish.toml, or as `region_name` in clouds.yaml")
    })?;
    let by_override =
        regions.iter().filter(|wanted| !target.settings.cloud.image_endpoints.contains_key(wanted.region.as_str()));
    if target.settings.cloud.image_endpoint.is_some() && by_override.count() > 1 {
        return Err(Error::new(Kind::InvalidInput, "`image_endpoint_override` is one region's endpoint")
            .with("cloud", &target.settings.cloud.name)
            .hint("give each of the entry's `regions` its own under `values`, or leave the override out"));
    }
    Ok(TargetInfo {
        target: target.settings.target.clone(),
        place: target.place(context).await?,
        home,
        regions,
        skipped: Vec::new(),
        renditions: vec![Rendition::new("as-is")?],
        capability: capability(target.settings.config.stable_name.is_some()),
    })
}

/// Required regions in the configuration's order, then best-effort ones.
pub(crate) async fn wanted_regions(target: &OpenStack, context: &Context) -> Result<Vec<WantedRegion>> {
    let settings = &target.settings;
    let required = match (&settings.regions, settings.cloud.regions.as_slice()) {
        (Some(Regions::These(regions)), _) => regions.clone(),
        (None, [_, ..]) => settings.cloud.regions.iter().map(Region::new).collect::<Result<_>>()?,
        (Some(Regions::All), _) | (None, []) => catalogue_regions(target, context).await?,
    };
    let named = matches!(settings.regions, Some(Regions::These(_)));
    let left_out = |region: &Region| settings.best_effort.contains(region) || settings.deny.contains(region);
    let required = required.into_iter().filter(|region| named || !left_out(region));
    let required = required.map(|region| WantedRegion { region, required: true });
    let more = settings.best_effort.iter().map(|region| WantedRegion { region: region.clone(), required: false });
    Ok(required.chain(more).collect())
}

/// The regions in which Keystone's catalogue has a Glance; with an endpoint given by hand the catalogue says nothing.
pub(crate) async fn catalogue_regions(target: &OpenStack, context: &Context) -> Result<Vec<Region>> {
    if target.settings.cloud.image_endpoint.is_some() {
        return Ok(Vec::new());
    }
    let token = target.token(context).await?;
    token.regions(IMAGE, target.interface().as_str()).into_iter().map(Region::new).collect()
}
