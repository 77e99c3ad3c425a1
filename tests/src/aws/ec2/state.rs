//! What EC2 remembers, and how the other services find and make things in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::aws::ebs::Blocks;
use crate::aws::reply::Refused;

use super::block_public_access::Block;
use super::image::{Image, Tags};
use super::lagging::Lagging;
use super::launch::Instance;
use super::permissions::Grant;
use super::request::{Request, check_id, image_not_found, image_unavailable, snapshot_not_found};
use super::snapshot::{Progress, Snapshot};
use super::tokens::Tokens;
use super::usage::Report;

/// Images, snapshots and what belongs to them, in all accounts and regions.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By id.
    pub(crate) images: BTreeMap<String, Image>,
    /// By id.
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    /// The ids of images that are gone.
    pub(super) deregistered: BTreeSet<String>,
    /// The client tokens of EC2's own operations.
    pub(super) tokens: Tokens,
    /// The blocks of public access that were changed, by account and region.
    pub(super) blocks: BTreeMap<(String, String), Block>,
    /// By id.
    pub(super) instances: BTreeMap<String, Instance>,
    /// By id.
    pub(super) reports: BTreeMap<String, Report>,
    /// Accounts whose new snapshots are encrypted.
    pub(super) encrypting: BTreeSet<String>,
    /// The organisations and units of each account, by ARN.
    pub(super) organizations: BTreeMap<String, BTreeSet<String>>,
    /// How many ids were given out.
    pub(super) issued: u64,
}

/// What a new snapshot is.
pub(crate) struct NewSnapshot<'a> {
    /// Whose it is.
    pub(crate) owner: &'a str,
    /// Where it is.
    pub(crate) region: &'a str,
    /// Its description.
    pub(crate) description: &'a str,
    /// GiB.
    pub(crate) size: u64,
    /// Its tags.
    pub(crate) tags: Tags,
    /// When it is started.
    pub(crate) started: Timestamp,
    /// Until then EC2 does not find it.
    pub(crate) visible_at: Timestamp,
    /// How far it is.
    pub(crate) progress: Progress,
    /// Its content.
    pub(crate) blocks: Arc<Blocks>,
}

impl State {
    /// An id that nothing else has.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        self.issued += 1;
        let hash = Sha256::digest(format!("{prefix}{}", self.issued));
        let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{prefix}0{digits}")
    }

    /// Makes a snapshot and tells its id.
    pub(crate) fn add_snapshot(&mut self, new: NewSnapshot<'_>) -> String {
        let id = self.new_id("snap-");
        let snapshot = Snapshot {
            id: id.clone(),
            owner: new.owner.to_owned(),
            region: new.region.to_owned(),
            description: new.description.to_owned(),
            size: new.size,
            encrypted: self.encrypting.contains(new.owner),
            started: new.started,
            visible_at: new.visible_at,
            progress: new.progress,
            volume: BTreeSet::new(),
            tags: Lagging::new(new.tags),
            copy_of: None,
            lineage: id.clone(),
            parent: None,
            blocks: new.blocks,
        };
        self.snapshots.insert(id.clone(), snapshot);
        id
    }

    /// Tells whether this account sees an image with this id in this region, as Parameter Store asks.
    pub(crate) fn sees_image(&self, account: &str, region: &str, id: &str, now: Timestamp) -> bool {
        let organizations = self.organizations_of(account);
        self.images
            .get(id)
            .is_some_and(|image| image.region == region && image.is_open_to(account, &organizations, now))
    }

    /// The organisations and units that an account belongs to, by ARN.
    pub(super) fn organizations_of(&self, account: &str) -> BTreeSet<String> {
        self.organizations.get(account).cloned().unwrap_or_default()
    }

    /// How many snapshots of an account in a region are there, and how many of them pending.
    pub(crate) fn count_snapshots(&self, account: &str, region: &str, now: Timestamp) -> (u64, u64) {
        let own = self.snapshots.values().filter(|snapshot| snapshot.owner == account && snapshot.region == region);
        own.fold((0, 0), |(all, pending), snapshot| (all + 1, pending + u64::from(snapshot.state(now) == "pending")))
    }

    /// The caller's own image, to be changed.
    pub(super) fn own_image(&mut self, request: &Request<'_>, id: &str) -> Result<&mut Image, Refused> {
        check_id(id, "ami-")?;
        if self.deregistered.contains(id) {
            return Err(image_unavailable(id));
        }
        let organizations = self.organizations_of(request.account());
        let image = self.images.get_mut(id).filter(|image| {
            image.region == request.region() && image.is_open_to(request.account(), &organizations, request.now())
        });
        match image {
            Some(image) if image.owner == request.account() => Ok(image),
            Some(_) => Err(Refused::new(403, "AuthFailure", format!("Not authorized for image:{id}"))),
            None => Err(image_not_found(id)),
        }
    }

    /// The caller's own snapshot, to be changed.
    pub(super) fn own_snapshot(&mut self, request: &Request<'_>, id: &str) -> Result<&mut Snapshot, Refused> {
        check_id(id, "snap-")?;
        let snapshot = self.snapshots.get_mut(id).filter(|snapshot| {
            snapshot.region == request.region()
                && snapshot.visible_at <= request.now()
                && snapshot.is_open_to(request.account(), false)
        });
        match snapshot {
            Some(snapshot) if snapshot.owner == request.account() => Ok(snapshot),
            Some(_) => Err(Refused::new(403, "AuthFailure", format!("Not authorized for snapshot:{id}"))),
            None => Err(snapshot_not_found(id)),
        }
    }

    /// Whether the caller may make volumes and copies of a snapshot, wherever that is.
    pub(super) fn may_read(&self, request: &Request<'_>, snapshot: &Snapshot) -> bool {
        let blocked = self.hides_public(&request.settings, &snapshot.owner, &snapshot.region, request.now());
        snapshot.is_open_to(request.account(), blocked)
    }

    /// To be read by tests and people: everything as it is, whether it is seen already or not.
    pub(crate) fn dump(&self, now: Timestamp) -> Value {
        let images: Vec<Value> = self.images.values().map(|image| image_json(image, now)).collect();
        let snapshots: Vec<Value> = self.snapshots.values().map(|snapshot| snapshot_json(snapshot, now)).collect();
        json!({"images": images, "snapshots": snapshots, "deregistered": self.deregistered})
    }
}

fn names(grants: &BTreeSet<Grant>) -> Vec<String> {
    grants.iter().map(Grant::name).collect()
}

fn image_json(image: &Image, now: Timestamp) -> Value {
    json!({
        "id": image.id,
        "owner": image.owner,
        "region": image.region,
        "name": image.name,
        "state": image.state(now),
        "created": image.created,
        "architecture": image.attributes.architecture,
        "boot_mode": image.attributes.boot_mode,
        "tpm_support": image.attributes.tpm,
        "imds_support": image.attributes.imds,
        "uefi_data": image.attributes.uefi_data,
        "snapshots": image.snapshots().collect::<Vec<_>>(),
        "sharing": names(&image.launch),
        "deprecate_at": image.deprecate_at,
        "deprecated": image.is_deprecated(now),
        "protection": image.protection.word(),
        "source": image.source,
        "tags": image.tags.latest(),
    })
}

fn snapshot_json(snapshot: &Snapshot, now: Timestamp) -> Value {
    json!({
        "id": snapshot.id,
        "owner": snapshot.owner,
        "region": snapshot.region,
        "state": snapshot.state(now),
        "size_gib": snapshot.size,
        "description": snapshot.description,
        "started": snapshot.started,
        "encrypted": snapshot.encrypted,
        "blocks": snapshot.blocks.count(),
        "content": snapshot.blocks.fingerprint(),
        "sharing": names(&snapshot.volume),
        "copy_of": snapshot.copy_of,
        "tags": snapshot.tags.latest(),
    })
}
