//! Names that other images have already.

use std::collections::BTreeMap;

use cloud_publish_core::error::Result;
use cloud_publish_core::identity::Line;
use cloud_publish_core::names::PointerName;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, Severity};

use super::unreadable;
use crate::error::classify;
use crate::guard::confirm;
use crate::point::{holders, may_lose, stable_name};
use crate::publisher::{Here, OpenStack};
use crate::upload::same_name;

/// Images that are not ours and have the name that one of ours is to get.
pub(super) async fn taken(here: &Here, context: &Context, spec: &ImageSpec) -> Result<Vec<Finding>> {
    let name = spec.name.as_str();
    let found = same_name(here.glance(context), here, name).await.map_err(|error| classify(error, "look for name"))?;
    let foreign = found.into_iter().filter(|image| confirm(here, image, &spec.tags).is_err());
    Ok(foreign
        .map(|image| Finding {
            severity: Severity::Error,
            region: Some(here.region().clone()),
            message: format!("the name `{name}` is taken by image {}", image.id),
            hint: Some("rename or delete it, or change `naming.image`".to_owned()),
        })
        .collect())
}

/// Images that have a stable name and must not be renamed.
pub(super) async fn stable(
    target: &OpenStack,
    here: &Here,
    context: &Context,
    specs: &[&ImageSpec],
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut wanted: BTreeMap<PointerName, Line> = BTreeMap::new();
    for spec in specs {
        match stable_name(&target.settings, spec) {
            Ok(Some(name)) => drop(wanted.insert(name, spec.tags.line())),
            Ok(None) => {}
            Err(error) => findings.push(unreadable(here.region(), &error)),
        }
    }
    for (name, line) in wanted {
        let found = holders(here, context, name.as_str()).await?;
        let refused = found.iter().filter_map(|holder| may_lose(here, holder, (&target.settings.owner, &line)).err());
        findings.extend(refused.map(|error| unreadable(here.region(), &error)));
    }
    Ok(findings)
}
