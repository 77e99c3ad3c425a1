//! What needs no call of AWS: whether AWS has such images, and such parties to share them with.

use std::collections::BTreeSet;

use cloud_publish_core::error::Error;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Finding, ImageSpec, PreflightRequest};

use super::finding::{refusal, warning};
use crate::attributes::read_uefi_data;
use crate::config::{AwsConfig, SnapshotVisibility};
use crate::expect::expect;
use crate::publisher::Aws;
use crate::sharing::{wanted, without_organisations};

/// Names, boot modes, sizes and parties that AWS would refuse; each is said once, whatever the region.
pub(super) fn broken(target: &Aws, request: &PreflightRequest) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let made = request.additions.iter().filter(|(spec, _)| seen.insert(spec.name.clone()));
    let mut findings: Vec<Finding> = made.filter_map(|(spec, region)| impossible(target, spec, region)).collect();
    let mut shown: Vec<&Visibility> = request.exposures.iter().map(|(spec, _)| &spec.visibility).collect();
    shown.sort();
    shown.dedup();
    findings.extend(shown.into_iter().flat_map(|visibility| parties(visibility, target.config())));
    findings
}

fn impossible(target: &Aws, spec: &ImageSpec, region: &Region) -> Option<Finding> {
    expect(target, spec, region).err().map(|error| said(&format!("`{}`: ", spec.name), &error))
}

/// The file of UEFI variables, which is read when an image is registered: after all its bytes were sent.
pub(super) async fn uefi_data(config: &AwsConfig, request: &PreflightRequest) -> Option<Finding> {
    let path = config.image.uefi_data.as_ref().filter(|_| !request.additions.is_empty())?;
    read_uefi_data(path).await.err().map(|error| said("", &error))
}

fn parties(visibility: &Visibility, config: &AwsConfig) -> Option<Finding> {
    let grants = match wanted(visibility) {
        Ok(grants) => grants,
        Err(error) => return Some(said("", &error)),
    };
    let lost = grants.len() - without_organisations(&grants).len();
    (config.snapshots == SnapshotVisibility::AsImage && lost > 0).then(|| {
        let message = format!("{lost} of the parties are organisations or units: snapshots cannot be shared with them");
        warning(None, message, "name the accounts that must be able to copy the image")
    })
}

fn said(before: &str, error: &Error) -> Finding {
    let hint = error.advice().unwrap_or("change it, then run the same command again");
    refusal(None, format!("{before}{}", error.chain().join(": ")), hint)
}
