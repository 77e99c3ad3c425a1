//! What kind of cloud a publisher takes the memory cloud for.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::manifest::Together;
use crate::names::{Account, Owner, Provider, Region, Rendition, TargetName};
use crate::poll::Pace;
use crate::publisher::{Capability, ReadBack, Replication, TargetInfo, VisibilityKind, WantedRegion};

/// The settings of one target in a [`crate::memory::MemoryCloud`]. Made by [`MemorySettings::new`], then changed field by
/// field.
#[derive(Clone, Debug)]
pub struct MemorySettings {
    /// The target's name in the configuration.
    pub target: TargetName,
    /// Whose place it is.
    pub account: Account,
    /// Who publishes: images of any other owner are refused.
    pub owner: Owner,
    /// The wanted regions; the first is home. Not empty; exactly one with [`Replication::None`].
    pub regions: Vec<WantedRegion>,
    /// What this kind of cloud can do.
    pub capability: Capability,
    /// What is made of each artifact.
    pub renditions: Vec<Rendition>,
    /// The marketplace listings that offer every image of the home region.
    pub listings: Vec<String>,
    /// How many times a marketplace answers "pending" before it lists an image.
    pub reviews: u32,
    /// How often and how long verbs ask for an effect that takes time.
    pub pace: Pace,
}

impl MemorySettings {
    /// A place with everything a cloud of this replication can have: all visibilities, pointers, a marketplace, content
    /// that can be read back, one rendition `as-is`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when there is no region, or several with [`Replication::None`].
    pub fn new(
        target: TargetName,
        account: Account,
        owner: Owner,
        regions: Vec<WantedRegion>,
        replication: Replication,
    ) -> Result<Self> {
        if regions.is_empty() || (replication == Replication::None && regions.len() > 1) {
            return Err(Error::new(Kind::InvalidInput, "a memory target has the wrong number of regions")
                .with("target", &target)
                .hint("name at least one region, and exactly one where nothing is replicated"));
        }
        let visibilities =
            [VisibilityKind::Private, VisibilityKind::Shared, VisibilityKind::Community, VisibilityKind::Public];
        Ok(Self {
            target,
            account,
            owner,
            regions,
            capability: Capability {
                replication,
                stages_apart: true,
                replicas_are_visible: false,
                visibilities: BTreeSet::from(visibilities),
                together: None::<Together>,
                pointers: true,
                marketplace: true,
                read_back: ReadBack::Content,
                file_sha512: false,
                keeps_renditions: false,
            },
            renditions: vec![Rendition::new("as-is")?],
            listings: Vec::new(),
            reviews: 0,
            pace: Pace::new(Duration::from_millis(50), Duration::from_secs(600)),
        })
    }

    /// The region in which images are made first.
    pub(super) fn home(&self) -> Result<&Region> {
        let first = self.regions.first().map(|wanted| &wanted.region);
        first.ok_or_else(|| Error::new(Kind::InvalidInput, "a memory target has no region").hint("name at least one"))
    }

    pub(super) fn place(&self) -> Result<Place> {
        Ok(Place { provider: Provider::new("memory")?, account: self.account.clone() })
    }

    pub(super) fn info(&self) -> Result<TargetInfo> {
        Ok(TargetInfo {
            target: self.target.clone(),
            place: self.place()?,
            home: self.home()?.clone(),
            regions: self.regions.clone(),
            skipped: Vec::new(),
            renditions: self.renditions.clone(),
            capability: self.capability.clone(),
        })
    }
}
