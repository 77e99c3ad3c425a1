//! Ways to upload and stores that this cloud does not have.

use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, Severity};

use super::unreadable;
use crate::config::Stores;
use crate::error::classify;
use crate::publisher::{Here, OpenStack};
use crate::upload::{download_url, import_method};

pub(super) async fn missing(
    target: &OpenStack,
    here: &Here,
    context: &Context,
    specs: &[&ImageSpec],
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if let Some(method) = import_method(target.settings.config.upload) {
        let known = here.glance(context).import_methods().await;
        let known = known.map_err(|error| classify(error, "ask for the ways to import"))?;
        if !known.iter().any(|known| known == method) {
            findings.push(Finding {
                severity: Severity::Warning,
                region: Some(here.region().clone()),
                message: format!("the cloud has no import `{method}`: the bytes will be sent by PUT, into one store"),
                hint: Some(match known.as_slice() {
                    [] => "it has no imports at all: leave `upload` out".to_owned(),
                    known => format!("its imports are: {}", known.join(", ")),
                }),
            });
        }
    }
    if target.settings.config.web_download_url.is_some() {
        let wrong = specs.iter().filter_map(|spec| download_url(&target.settings, spec).err()).take(1);
        findings.extend(wrong.map(|error| unreadable(here.region(), &error)));
    }
    if let Some(Stores::These(wanted)) = &target.settings.config.stores {
        findings.extend(missing_stores(here, context, wanted).await?);
    }
    Ok(findings)
}

async fn missing_stores(here: &Here, context: &Context, wanted: &[String]) -> Result<Vec<Finding>> {
    let known = here.glance(context).stores().await.map_err(|error| classify(error, "ask for the stores"))?;
    let error = |message: String, hint: String| Finding {
        severity: Severity::Error,
        region: Some(here.region().clone()),
        message,
        hint: Some(hint),
    };
    let Some(known) = known else {
        return Ok(vec![error("the cloud has one store, without a name".to_owned(), "leave `stores` out".to_owned())]);
    };
    let usable: Vec<&str> = known.iter().filter(|store| !store.is_read_only()).map(|store| store.id.as_str()).collect();
    let missing = wanted.iter().filter(|store| !usable.contains(&store.as_str()));
    let hint = format!("its stores are: {}", usable.join(", "));
    Ok(missing
        .map(|store| error(format!("the cloud has no store `{store}` that takes images"), hint.clone()))
        .collect())
}
