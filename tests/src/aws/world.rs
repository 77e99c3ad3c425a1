//! Everything that is shared between requests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::log::Entry;
use super::settings::Settings;
use super::{ebs, ec2, import, marketplace, s3, ssm, sts};
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
}

/// What each service remembers.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) ebs: ebs::State,
    pub(crate) ec2: ec2::State,
    pub(crate) import: import::State,
    pub(crate) marketplace: marketplace::State,
    pub(crate) s3: s3::State,
    pub(crate) ssm: ssm::State,
    pub(crate) sts: sts::State,
}

impl Shared {
    /// A world in which nothing has happened yet.
    pub(crate) fn new(settings: Settings) -> Self {
        let shared = Self {
            state: Mutex::new(World::default()),
            settings: Mutex::new(Arc::new(Settings::default())),
            faults: Faults::default(),
            log: Log::default(),
            ahead: AtomicI64::new(0),
        };
        shared.reset(settings);
        shared
    }

    /// Begins anew: nothing of before is left but the numbers of requests.
    pub fn reset(&self, settings: Settings) {
        self.ahead.store(0, Ordering::Relaxed);
        let now = self.now();
        let mut state = self.state();
        *state = World {
            ec2: ec2::State::seeded(&settings, now),
            s3: s3::State::seeded(&settings, now),
            marketplace: marketplace::State::seeded(&settings, now),
            ..World::default()
        };
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

    /// Changes how it behaves from the next request on. Seeds are not planted again.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.lock().expect("no test panics here") = Arc::new(settings);
    }

    /// Replaces the faults.
    pub fn set_faults(&self, rules: Vec<Rule>) {
        self.faults.set(rules);
    }

    /// Makes an image behind everybody's back.
    pub fn plant(&self, seed: &ec2::SeedImage) {
        let now = self.now();
        self.state().ec2.plant(seed, now);
    }

    /// Every request since the last reset.
    pub fn requests(&self) -> Vec<Entry> {
        self.log.requests()
    }

    /// Every request ever, for those who check how requests are written.
    pub fn all_requests(&self) -> Vec<Entry> {
        self.log.all_requests()
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

    /// Moves its clock forward.
    pub fn advance(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// All that there is, to be read by tests and people.
    pub fn dump(&self) -> Value {
        let now = self.now();
        let mut state = self.state();
        let world = &mut *state;
        world.ssm.settle(&world.ec2, now);
        json!({
            "now": now,
            "ebs": state.ebs.dump(now),
            "ec2": state.ec2.dump(now),
            "import": state.import.dump(now),
            "marketplace": state.marketplace.dump(now),
            "s3": state.s3.dump(now),
            "ssm": state.ssm.dump(now),
        })
    }
}
