//! Reads and changes who may use one image or one snapshot.
//!
//! Owns the calls and what their refusals mean; who should be among them is `visibility`'s matter. Every change is
//! followed by reading back, because permissions are eventually consistent.

mod grant;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    CreateVolumePermission, CreateVolumePermissionModifications, ImageAttributeName, LaunchPermission,
    LaunchPermissionModifications, SnapshotAttributeName,
};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::Context;

pub(crate) use self::grant::{Grant, wanted, without_organisations};
use crate::block_public_access::{self, Blocked};
use crate::config::AwsConfig;
use crate::error::classify;
use crate::pace::SEEN;
use crate::publisher::Here;

/// Parties in one call; AWS takes many more, but an answer to fewer comes sooner.
const PARTIES: usize = 200;

/// The quota of public images: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html>.
const PUBLIC_IMAGES: &str = "ask for more with `aws service-quotas request-service-quota-increase --service-code ec2 \
                             --quota-code L-0E3CBAB9 --desired-value N`, or make older images private; then run the \
                             same command again";

/// What is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object<'a> {
    /// An image, by its id.
    Image(&'a str),
    /// A snapshot, by its id; it knows accounts and everybody only.
    Snapshot(&'a str),
}

/// One image or snapshot and who may use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sharing<'a> {
    pub(crate) here: &'a Here,
    pub(crate) context: &'a Context,
    pub(crate) config: &'a AwsConfig,
    pub(crate) object: Object<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Grant,
    Revoke,
}

impl Sharing<'_> {
    /// Who may use it now.
    pub(crate) async fn read(&self) -> Result<BTreeSet<Grant>> {
        let ec2 = &self.here.clients.ec2;
        match self.object {
            Object::Image(id) => {
                let call = ec2.describe_image_attribute().image_id(id).attribute(ImageAttributeName::LaunchPermission);
                let answer = self.context.or_cancelled(call.send()).await?;
                let answer = answer.map_err(|error| classify(&error, "DescribeImageAttribute"))?;
                Ok(answer.launch_permissions().iter().filter_map(Grant::of_image).collect())
            }
            Object::Snapshot(id) => {
                let call = ec2.describe_snapshot_attribute().snapshot_id(id);
                let call = call.attribute(SnapshotAttributeName::CreateVolumePermission);
                let answer = self.context.or_cancelled(call.send()).await?;
                let answer = answer.map_err(|error| classify(&error, "DescribeSnapshotAttribute"))?;
                Ok(answer.create_volume_permissions().iter().filter_map(Grant::of_snapshot).collect())
            }
        }
    }

    /// Grants what is missing of `wanted`, and returns once that reads back.
    ///
    /// # Errors
    /// [`Kind::PermissionDenied`] naming Block Public Access where that refuses and may not be switched off;
    /// [`Kind::QuotaExceeded`] for one public image too many.
    pub(crate) async fn grant(&self, wanted: &BTreeSet<Grant>) -> Result<()> {
        let have = self.read().await?;
        let missing: Vec<&Grant> = wanted.difference(&have).collect();
        if missing.is_empty() {
            return Ok(());
        }
        for some in missing.chunks(PARTIES) {
            self.grant_some(some).await?;
        }
        self.until(|now| wanted.is_subset(now)).await
    }

    /// Revokes what is not `wanted`, and returns once that reads back.
    pub(crate) async fn revoke_beyond(&self, wanted: &BTreeSet<Grant>) -> Result<()> {
        let have = self.read().await?;
        let extra: Vec<&Grant> = have.difference(wanted).collect();
        if extra.is_empty() {
            return Ok(());
        }
        for some in extra.chunks(PARTIES) {
            self.modify(Change::Revoke, some).await?;
        }
        self.until(|now| now.is_subset(wanted)).await
    }

    async fn grant_some(&self, some: &[&Grant]) -> Result<()> {
        let refusal = match self.modify(Change::Grant, some).await {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        match refusal.kind() {
            Kind::QuotaExceeded => Err(refusal.hint(PUBLIC_IMAGES)),
            Kind::PermissionDenied if some.contains(&&Grant::Everybody) => {
                self.unblock(refusal).await?;
                self.modify(Change::Grant, some).await
            }
            _ => Err(refusal),
        }
    }

    /// Switches Block Public Access off, if that is what refused and if it may.
    async fn unblock(&self, refusal: Error) -> Result<()> {
        let what = match self.object {
            Object::Image(_) => Blocked::Images,
            Object::Snapshot(_) => Blocked::Snapshots,
        };
        match block_public_access::is_on(self.here, self.context, what).await {
            Ok(true) if self.config.manage_block_public_access => {
                block_public_access::switch_off(self.here, self.context, what).await
            }
            Ok(true) => Err(Error::new(Kind::PermissionDenied, format!("Block Public Access of {what} is on"))
                .hint(block_public_access::remedy(what, &self.here.region))
                .caused_by(refusal)),
            Err(stopped) if stopped.kind() == Kind::Cancelled => Err(stopped),
            // Something else refused, or it cannot be seen.
            Ok(false) | Err(_) => Err(refusal),
        }
    }

    async fn modify(&self, change: Change, parties: &[&Grant]) -> Result<()> {
        let ec2 = &self.here.clients.ec2;
        match self.object {
            Object::Image(id) => {
                let parties: Vec<LaunchPermission> = parties.iter().map(|grant| grant.on_image()).collect();
                let changes = LaunchPermissionModifications::builder();
                let changes = match change {
                    Change::Grant => changes.set_add(Some(parties)),
                    Change::Revoke => changes.set_remove(Some(parties)),
                };
                let call = ec2.modify_image_attribute().image_id(id).launch_permission(changes.build());
                let answer = self.context.or_cancelled(call.send()).await?;
                answer.map(drop).map_err(|error| classify(&error, "ModifyImageAttribute"))
            }
            Object::Snapshot(id) => {
                let parties: Vec<CreateVolumePermission> =
                    parties.iter().filter_map(|grant| grant.on_snapshot()).collect();
                let changes = CreateVolumePermissionModifications::builder();
                let changes = match change {
                    Change::Grant => changes.set_add(Some(parties)),
                    Change::Revoke => changes.set_remove(Some(parties)),
                };
                let call = ec2.modify_snapshot_attribute().snapshot_id(id).create_volume_permission(changes.build());
                let answer = self.context.or_cancelled(call.send()).await?;
                answer.map(drop).map_err(|error| classify(&error, "ModifySnapshotAttribute"))
            }
        }
    }

    async fn until(&self, enough: impl Fn(&BTreeSet<Grant>) -> bool) -> Result<()> {
        let enough = &enough;
        poll_until(self.context, "a change of permissions", SEEN, || async move {
            Ok(enough(&self.read().await?).then_some(()))
        })
        .await
    }
}
