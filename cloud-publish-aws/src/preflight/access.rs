//! What keeps images of an account from being shared at all: Block Public Access, and encryption by default.

use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Context, Finding, Severity};

use super::Work;
use super::finding::{refusal, warning};
use crate::block_public_access::{Blocked, ORGANISATION, remedy, state};
use crate::config::{AwsConfig, SnapshotVisibility};
use crate::error::classify;
use crate::publisher::Here;

pub(super) async fn blocked(here: &Here, with: (&Context, &AwsConfig), work: &Work<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if work.shows.iter().any(|spec| spec.visibility == Visibility::Public) {
        findings.extend(public(here, with, Blocked::Images).await);
        if with.1.snapshots == SnapshotVisibility::AsImage {
            findings.extend(public(here, with, Blocked::Snapshots).await);
        }
    }
    findings.extend(encrypted(here, with.0, work).await);
    findings
}

async fn public(here: &Here, (context, config): (&Context, &AwsConfig), what: Blocked) -> Option<Finding> {
    let region = Some(&here.region);
    let block = match state(here, context, what).await {
        Ok(block) => block?,
        Err(error) => {
            let message = format!("whether Block Public Access keeps {what} private could not be read: {error}");
            return Some(warning(region, message, "make sure that it is off, or list the region under `best_effort`"));
        }
    };
    Some(if block.by_organisation {
        refusal(region, format!("the organisation blocks public {what}: {}", block.state), ORGANISATION)
    } else if config.manage_block_public_access {
        let message = format!("Block Public Access of {what} is on and will be switched off for the whole region");
        warning(region, message, "leave out `manage_block_public_access` to be refused instead")
    } else {
        let message = format!("Block Public Access of {what} is on: {}", block.state);
        refusal(region, message, remedy(what, &here.region))
    })
}

/// An encrypted image cannot be public, and one encrypted with AWS's own key cannot be shared:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html>.
async fn encrypted(here: &Here, context: &Context, work: &Work<'_>) -> Option<Finding> {
    let region = Some(&here.region);
    work.makes.iter().find(|spec| spec.visibility != Visibility::Private)?;
    let is_public = work.makes.iter().any(|spec| spec.visibility == Visibility::Public);
    let answer = context.or_cancelled(here.clients.ec2.get_ebs_encryption_by_default().send()).await;
    let answer = answer.and_then(|answer| answer.map_err(|error| classify(&error, "GetEbsEncryptionByDefault")));
    let is_on = match answer {
        Ok(answer) => answer.ebs_encryption_by_default() == Some(true),
        Err(error) => {
            let message = format!("whether new snapshots are encrypted could not be read: {error}");
            return Some(warning(
                region,
                message,
                "make sure that encryption by default is off: such images cannot be public",
            ));
        }
    };
    is_on.then(|| {
        let hint = format!("`aws ec2 disable-ebs-encryption-by-default --region {}`", here.region);
        let finding = refusal(region, "the account encrypts every new snapshot: its images cannot be public", hint);
        if is_public { finding } else { Finding { severity: Severity::Warning, ..finding } }
    })
}
