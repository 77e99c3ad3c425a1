//! Everything that is shared between requests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::log::Entry;
use super::settings::{Cloud, Region, Settings};
use super::{glance, keystone};
use crate::fake::{Exposure, Faults, Log, Rule};

/// A world: its state, how it behaves, and what was asked of it.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<World>,
    settings: Mutex<Arc<Settings>>,
    pub(crate) faults: Faults,
    pub(crate) log: Log<Entry>,
    /// How far its clock is ahead, in milliseconds.
    ahead: AtomicI64,
    /// Its own address, which its answers mention.
    pub(crate) url: OnceLock<String>,
}

/// What each service remembers.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) keystone: keystone::State,
    pub(crate) glance: glance::State,
}

impl Shared {
    /// A world in which nothing has happened yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            state: Mutex::default(),
            settings: Mutex::new(Arc::new(settings)),
            faults: Faults::default(),
            log: Log::default(),
            ahead: AtomicI64::new(0),
            url: OnceLock::new(),
        }
    }

    /// Begins anew: nothing of before is left but the numbers of requests.
    pub fn reset(&self, settings: Settings) {
        self.ahead.store(0, Ordering::Relaxed);
        *self.state() = World::default();
        self.set_settings(settings);
        self.faults.set(Vec::new());
        self.log.turn();
    }

    /// What the services remember. Hash and copy before, hold it briefly.
    pub(crate) fn state(&self) -> MutexGuard<'_, World> {
        self.state.lock().expect("no handler panics with the state in its hands")
    }

    /// How the world behaves just now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock().expect("no test panics here"))
    }

    /// Changes how it behaves from the next request on.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.lock().expect("no test panics here") = Arc::new(settings);
    }

    /// Replaces the faults.
    pub fn set_faults(&self, rules: Vec<Rule>) {
        self.faults.set(rules);
    }

    /// Ends every token before its time: Keystone's keys were rotated.
    pub fn revoke_tokens(&self) {
        self.state().keystone.revoke_all();
    }

    /// Lets a volume be cloned from an image, so that its deletion is refused, or the volume be gone again.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn set_in_use(&self, cloud: &str, region: &str, id: &str, in_use: bool) {
        assert!(self.use_image((cloud, region), id, in_use), "no image {id} in {region} of {cloud}");
    }

    pub(super) fn use_image(&self, (cloud, region): (&str, &str), id: &str, in_use: bool) -> bool {
        let mut state = self.state();
        let found = state.glance.region(cloud, region).images.get_mut(id);
        found.map(|image| image.in_use = in_use).is_some()
    }

    /// Every request since the last reset.
    pub fn requests(&self) -> Vec<Entry> {
        self.log.requests()
    }

    /// Every change of who sees what since the last reset.
    pub fn exposures(&self) -> Vec<Exposure> {
        self.log.exposures()
    }

    /// Its clock.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        Timestamp::now().checked_add(ahead).expect("a time in this age")
    }

    /// Moves its clock forward: tokens age. What is under way takes its time nevertheless.
    pub fn advance(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Every image of every cloud and region, deleted ones not, to be read by tests and people.
    pub fn dump(&self) -> Value {
        json!({"now": self.now(), "glance": self.state().glance.dump()})
    }

    /// How a cloud is, if there is one of this name.
    pub(crate) fn cloud(&self, name: &str) -> Option<Cloud> {
        self.settings().clouds.get(name).cloned()
    }

    /// How a region is.
    pub(crate) fn region(&self, cloud: &str, region: &str) -> Option<Region> {
        self.settings().clouds.get(cloud)?.regions.get(region).cloned()
    }

    /// The address of a path.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.url.get().map(String::as_str).unwrap_or_default())
    }
}
