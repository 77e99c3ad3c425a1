//! The outside of the cloud: what a test or an embedding program can see and set, all of it without a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{Clock, SystemClock};
use crate::memory::fault::Fault;
use crate::memory::log::{Exposure, Request};
use crate::memory::record::{ImageRecord, Kept, StagedRecord};
use crate::memory::rules::Rules;
use crate::memory::state::State;
use crate::names::{Account, ImageId, Region};
use crate::survey::FoundPointer;

/// A cloud in memory, with as many accounts and regions as are named. Clones are the same cloud.
///
/// ```
/// use cloud_publish_core::memory::{Fault, MemoryCloud, Verb, What};
/// let cloud = MemoryCloud::new();
/// let far: cloud_publish_core::names::Region = "far".parse()?;
/// cloud.adjust(&far, |rules| rules.image_quota = Some(3));
/// cloud.inject(Fault::new(What::LostReply).on(Verb::Register).in_region(far));
/// assert!(cloud.requests().is_empty());
/// # Ok::<(), cloud_publish_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryCloud(Arc<Mutex<State>>);

impl Default for MemoryCloud {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryCloud {
    /// An empty cloud on the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::new()))
    }

    /// An empty cloud with a clock of its own: give publishers' contexts the same one.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Mutex::new(State::new(clock))))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the rules of one region.
    pub fn adjust(&self, region: &Region, change: impl FnOnce(&mut Rules)) {
        let mut state = self.state();
        let usual = state.usual.clone();
        change(state.rules.entry(region.clone()).or_insert(usual));
    }

    /// Changes the rules of every region, those to come included.
    pub fn adjust_all(&self, change: impl Fn(&mut Rules)) {
        let mut state = self.state();
        change(&mut state.usual);
        state.rules.values_mut().for_each(change);
    }

    /// Lets requests fail by a rule, in addition to the rules there are. The first rule that meets a request decides.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Takes all injected faults back, and the kill point.
    pub fn behave(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.kill_at = None;
    }

    /// Kills every publisher made so far at the `n`-th boundary of the cloud's whole life, counted from 1.
    ///
    /// # Behaviour
    /// A request that only looks is one boundary: before it. One that changes something is two: before it and after it,
    /// when the effect is there and nobody has heard of it. From that boundary on every verb of those publishers fails
    /// with [`crate::error::Kind::Cancelled`] and the message `killed`, and nothing of them reaches the cloud.
    /// Publishers made later work.
    pub fn kill_at(&self, n: u64) {
        self.state().kill_at = Some(n);
    }

    /// The boundaries passed so far: run once without a kill, then once for each of `1..=requests_seen()`.
    pub fn requests_seen(&self) -> u64 {
        self.state().boundaries
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.state().log.clone()
    }

    /// The requests that changed something.
    pub fn writes(&self) -> Vec<Request> {
        self.state().log.iter().filter(|request| request.changes && request.took_effect).cloned().collect()
    }

    /// Who could use which image when, oldest first.
    pub fn exposures(&self) -> Vec<Exposure> {
        self.state().exposures.clone()
    }

    /// The images of an account, by region and id; those that no look can see yet included.
    pub fn images(&self, account: &Account) -> Vec<ImageRecord> {
        let mut state = self.state();
        let regions = regions_of(&state, account);
        regions.iter().flat_map(|region| all_images(&mut state, account, region)).collect()
    }

    /// The staged bytes of an account, by region and id, used or not.
    pub fn staged(&self, account: &Account) -> Vec<StagedRecord> {
        let state = self.state();
        let shelves = state.shelves.iter().filter(|((whose, _), _)| whose == account);
        shelves.flat_map(|(_, shelf)| shelf.staged.values().map(|kept| kept.it.clone())).collect()
    }

    /// The pointers of an account, by region and name.
    pub fn pointers(&self, account: &Account) -> Vec<FoundPointer> {
        let state = self.state();
        let shelves = state.shelves.iter().filter(|((whose, _), _)| whose == account);
        let found = shelves.flat_map(|((_, region), shelf)| {
            shelf.pointers.iter().map(|(name, (_, id))| FoundPointer {
                region: region.clone(),
                name: name.clone(),
                to: shelf.images.contains_key(id).then(|| id.clone()),
            })
        });
        found.collect()
    }

    /// Puts an image there as somebody else would: no rule is asked, every look sees it.
    pub fn plant_image(&self, account: &Account, image: ImageRecord) {
        let mut state = self.state();
        let shelf = state.shelf(account, &image.region);
        shelf.taken.insert(image.id.to_string());
        shelf.images.insert(image.id.clone(), at_once(image));
    }

    /// Puts staged bytes there as somebody else would: no rule is asked, every look sees them.
    pub fn plant_staged(&self, account: &Account, staged: StagedRecord) {
        let mut state = self.state();
        let shelf = state.shelf(account, &staged.region);
        shelf.taken.insert(staged.id.clone());
        shelf.staged.insert(staged.id.clone(), at_once(staged));
    }

    /// Changes an image as somebody would by hand; `false` if it is not there.
    pub fn edit_image(
        &self,
        account: &Account,
        region: &Region,
        id: &ImageId,
        edit: impl FnOnce(&mut ImageRecord),
    ) -> bool {
        let mut state = self.state();
        state.shelf(account, region).images.get_mut(id).map(|kept| edit(&mut kept.it)).is_some()
    }

    /// Removes an image as somebody would by hand; `false` if it is not there.
    pub fn remove_image(&self, account: &Account, region: &Region, id: &ImageId) -> bool {
        let mut state = self.state();
        state.conceal(account, region, id);
        state.shelf(account, region).images.remove(id).is_some()
    }
}

fn at_once<T>(it: T) -> Kept<T> {
    Kept { it, seen_from: std::time::Duration::ZERO, ready_from: std::time::Duration::ZERO }
}

fn regions_of(state: &State, account: &Account) -> Vec<Region> {
    state.shelves.keys().filter(|(whose, _)| whose == account).map(|(_, region)| region.clone()).collect()
}

fn all_images(state: &mut State, account: &Account, region: &Region) -> Vec<ImageRecord> {
    // Asking for the seen ones first brings them up to date.
    state.seen_images(account, region);
    state.shelf(account, region).images.values().map(|kept| kept.it.clone()).collect()
}
