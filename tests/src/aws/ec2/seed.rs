//! Images that are there from the beginning: other people's, or one's own of long ago.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::ebs::Blocks;
use crate::aws::settings::{ACCOUNT, REGION, Settings};

use super::image::{Attributes, Device, Image, Protection, Tags};
use super::lagging::Lagging;
use super::permissions::Grant;
use super::snapshot::Progress;
use super::state::{NewSnapshot, State};

/// What is there from the beginning.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Available images, each with a completed snapshot.
    pub images: Vec<SeedImage>,
    /// Accounts whose new snapshots are encrypted, so that nothing of theirs can be made public.
    pub encryption_by_default: BTreeSet<String>,
    /// By account, the ARNs of its organisation and units.
    pub organizations: BTreeMap<String, BTreeSet<String>>,
}

/// An image with an empty disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedImage {
    /// Whose it is.
    pub account: String,
    /// Where it is.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Tags,
    /// Whether its snapshot has them too; a copy made in the console carries only the image's.
    pub tags_snapshot: bool,
    /// Whether it and its snapshot are public.
    pub public: bool,
    /// How many days ago it was made.
    pub days: u32,
    /// GiB.
    pub size: u64,
}

impl Default for SeedImage {
    fn default() -> Self {
        Self {
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            name: "seeded".to_owned(),
            tags: Tags::new(),
            tags_snapshot: true,
            public: false,
            days: 0,
            size: 1,
        }
    }
}

impl State {
    /// The beginning.
    pub(crate) fn seeded(settings: &Settings, now: Timestamp) -> Self {
        let seed = &settings.ec2;
        let mut state = Self {
            encrypting: seed.encryption_by_default.clone(),
            organizations: seed.organizations.clone(),
            ..Self::default()
        };
        for image in &seed.images {
            state.plant(image, now);
        }
        state
    }

    /// An image made behind everybody's back.
    pub(crate) fn plant(&mut self, seed: &SeedImage, now: Timestamp) {
        let created = now - jiff::SignedDuration::from_hours(24 * i64::from(seed.days));
        let snapshot = self.add_snapshot(NewSnapshot {
            owner: &seed.account,
            region: &seed.region,
            description: "",
            size: seed.size,
            tags: if seed.tags_snapshot { seed.tags.clone() } else { Tags::new() },
            started: created,
            visible_at: created,
            progress: Progress::Completing(created),
            blocks: Arc::new(Blocks::empty(created)),
        });
        let sharing = if seed.public { BTreeSet::from([Grant::All]) } else { BTreeSet::new() };
        if let Some(snapshot) = self.snapshots.get_mut(&snapshot) {
            snapshot.volume.clone_from(&sharing);
        }
        let device = Device {
            name: "/dev/xvda".to_owned(),
            snapshot: Some(snapshot),
            size: seed.size,
            volume_type: "gp3".to_owned(),
            iops: Some(3000),
            throughput: Some(125),
            delete_on_termination: true,
            encrypted: false,
        };
        let attributes = Attributes {
            architecture: "x86_64".to_owned(),
            root_device: device.name.clone(),
            devices: vec![device],
            ena: true,
            ..Attributes::default()
        };
        let id = self.new_id("ami-");
        let mut image = Image {
            id: id.clone(),
            owner: seed.account.clone(),
            region: seed.region.clone(),
            name: seed.name.clone(),
            attributes,
            created,
            visible_at: created,
            available_at: created,
            failed: None,
            disabled: false,
            launch: sharing,
            deprecate_at: None,
            protection: Protection::Off,
            tags: Lagging::new(seed.tags.clone()),
            source: None,
            last_launched: None,
        };
        if image.is_public() {
            super::deprecation::force(&mut image);
        }
        self.images.insert(id, image);
    }
}
