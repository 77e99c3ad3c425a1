//! The inside of the cloud: what is kept where, and the changes that keep it consistent.
//!
//! Knows nothing of verbs: it is what a cloud's own database would be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::manifest::Visibility;
use crate::memory::fault::Fault;
use crate::memory::log::{Exposure, Request};
use crate::memory::record::{ImageRecord, Kept, StagedRecord};
use crate::memory::rules::Rules;
use crate::names::{Account, ImageId, Owner, PointerName, Region};
use crate::survey::Native;

/// What one account has in one region.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) images: BTreeMap<ImageId, Kept<ImageRecord>>,
    pub(super) staged: BTreeMap<String, Kept<StagedRecord>>,
    pub(super) pointers: BTreeMap<PointerName, (Owner, ImageId)>,
    /// Marketplace submissions: how many more times the answer is "pending".
    pub(super) listings: BTreeMap<(String, ImageId), u32>,
    /// Ids that were given out: an id stays taken after its object is gone.
    pub(super) taken: BTreeSet<String>,
}

impl Shelf {
    /// Whether an id was given out and its object is gone.
    pub(super) fn is_dead(&self, id: &str) -> bool {
        let alive = self.staged.contains_key(id) || self.images.keys().any(|known| known.as_str() == id);
        self.taken.contains(id) && !alive
    }
}

/// The whole cloud.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shelves: BTreeMap<(Account, Region), Shelf>,
    pub(super) rules: BTreeMap<Region, Rules>,
    pub(super) usual: Rules,
    pub(super) log: Vec<Request>,
    /// The number of the request that is taking effect.
    pub(super) serving: u64,
    pub(super) exposures: Vec<Exposure>,
    pub(super) faults: Vec<Fault>,
    pub(super) boundaries: u64,
    pub(super) kill_at: Option<u64>,
    pub(super) clients: u64,
    pub(super) dead: BTreeSet<u64>,
}

impl State {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            shelves: BTreeMap::new(),
            rules: BTreeMap::new(),
            usual: Rules::default(),
            log: Vec::new(),
            serving: 0,
            exposures: Vec::new(),
            faults: Vec::new(),
            boundaries: 0,
            kill_at: None,
            clients: 0,
            dead: BTreeSet::new(),
        }
    }

    pub(super) fn shelf(&mut self, account: &Account, region: &Region) -> &mut Shelf {
        self.shelves.entry((account.clone(), region.clone())).or_default()
    }

    pub(super) fn rules_of(&self, region: &Region) -> &Rules {
        self.rules.get(region).unwrap_or(&self.usual)
    }

    /// The staged bytes that looks can see.
    pub(super) fn seen_staged(&mut self, account: &Account, region: &Region) -> Vec<&StagedRecord> {
        let now = self.clock.elapsed();
        self.shelf(account, region).staged.values().filter(|kept| kept.seen_from <= now).map(|kept| &kept.it).collect()
    }

    /// The images that looks can see, brought up to date.
    pub(super) fn seen_images(&mut self, account: &Account, region: &Region) -> Vec<&ImageRecord> {
        let now = self.clock.elapsed();
        let images = self.shelf(account, region).images.values_mut().filter(|kept| kept.seen_from <= now);
        images.map(|kept| &*kept.ripened(now)).collect()
    }

    /// One image that looks can see.
    pub(super) fn seen_image(&mut self, account: &Account, region: &Region, id: &ImageId) -> Option<&mut ImageRecord> {
        let now = self.clock.elapsed();
        let kept = self.shelf(account, region).images.get_mut(id)?;
        (kept.seen_from <= now).then(|| kept.ripened(now))
    }

    /// Puts a new image on its shelf.
    pub(super) fn keep_image(&mut self, account: &Account, image: ImageRecord) -> Result<()> {
        let rules = self.rules_of(&image.region).clone();
        let now = self.clock.elapsed();
        let shelf = self.shelf(account, &image.region);
        if rules.image_quota.is_some_and(|quota| shelf.images.len() >= quota) {
            return Err(Error::new(Kind::QuotaExceeded, "the region is full of images")
                .with("region", &image.region)
                .hint("ask for a higher quota, or delete images, then run the same command again"));
        }
        shelf.taken.insert(image.id.to_string());
        let kept = Kept { seen_from: now + rules.settle, ready_from: now + rules.making, it: image };
        shelf.images.insert(kept.it.id.clone(), kept);
        Ok(())
    }

    /// Puts new staged bytes on their shelf.
    pub(super) fn keep_staged(&mut self, account: &Account, staged: StagedRecord) {
        let seen_from = self.clock.elapsed() + self.rules_of(&staged.region).settle;
        let shelf = self.shelf(account, &staged.region);
        shelf.taken.insert(staged.id.clone());
        let kept = Kept { seen_from, ready_from: seen_from, it: staged };
        shelf.staged.insert(kept.it.id.clone(), kept);
    }

    /// Writes down that an image is now for these, and for nobody else.
    pub(super) fn expose(&mut self, account: &Account, image: &ImageRecord, to: &Visibility, by_id_only: bool) {
        self.conceal(account, &image.region, &image.id);
        if *to == Visibility::Private {
            return;
        }
        self.exposures.push(Exposure {
            account: account.clone(),
            region: image.region.clone(),
            id: image.id.clone(),
            name: image.name.clone(),
            to: to.clone(),
            by_id_only,
            since: self.clock.now(),
            since_request: self.serving,
            until: None,
        });
    }

    /// Writes down that an image is for nobody any more.
    pub(super) fn conceal(&mut self, account: &Account, region: &Region, id: &ImageId) {
        let now = self.clock.now();
        let open = |exposure: &&mut Exposure| {
            exposure.until.is_none() && exposure.account == *account && exposure.region == *region && exposure.id == *id
        };
        self.exposures.iter_mut().filter(open).for_each(|exposure| exposure.until = Some(now));
    }
}

impl Kept<ImageRecord> {
    /// The image, available if its time has come.
    fn ripened(&mut self, now: std::time::Duration) -> &mut ImageRecord {
        if self.it.native == Native::Pending && self.ready_from <= now {
            self.it.native = Native::Available;
        }
        &mut self.it
    }
}
