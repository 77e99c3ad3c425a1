//! What was asked, what was answered, and who could see what when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;

/// A change of who sees an image or a snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct Exposure {
    /// The request that changed it.
    pub seq: u64,
    /// When it took effect.
    pub time: Timestamp,
    /// `image` or `snapshot`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Where it is.
    pub region: String,
    /// Who sees it from now on, besides its owner: `all`, accounts, projects, ARNs.
    pub sharing: BTreeSet<String>,
}

/// Everything that was asked; `E` is how a cloud writes a request down.
#[derive(Debug)]
pub(crate) struct Log<E>(Mutex<Pages<E>>);

#[derive(Debug)]
struct Pages<E> {
    last: u64,
    /// Of before the last reset.
    earlier: Vec<E>,
    requests: BTreeMap<u64, E>,
    exposures: Vec<Exposure>,
}

impl<E> Default for Log<E> {
    fn default() -> Self {
        let pages = Pages { last: 0, earlier: Vec::new(), requests: BTreeMap::new(), exposures: Vec::new() };
        Self(Mutex::new(pages))
    }
}

impl<E: Clone> Log<E> {
    /// The number of the next request.
    pub(crate) fn next(&self) -> u64 {
        let mut pages = self.0.lock().expect("no test panics here");
        pages.last += 1;
        pages.last
    }

    /// Writes down a request that arrived.
    pub(crate) fn begin(&self, seq: u64, entry: E) {
        self.0.lock().expect("no test panics here").requests.insert(seq, entry);
    }

    /// Writes down how it ended, unless a reset came between.
    pub(crate) fn end(&self, seq: u64, write: impl FnOnce(&mut E)) {
        if let Some(entry) = self.0.lock().expect("no test panics here").requests.get_mut(&seq) {
            write(entry);
        }
    }

    /// Writes down who sees something from now on.
    pub(crate) fn expose(&self, exposure: Exposure) {
        self.0.lock().expect("no test panics here").exposures.push(exposure);
    }

    /// All requests since the last reset, by number.
    pub(crate) fn requests(&self) -> Vec<E> {
        self.0.lock().expect("no test panics here").requests.values().cloned().collect()
    }

    /// All requests ever, by number.
    pub(crate) fn all_requests(&self) -> Vec<E> {
        let pages = self.0.lock().expect("no test panics here");
        pages.earlier.iter().chain(pages.requests.values()).cloned().collect()
    }

    /// All changes of sharing since the last reset, in their order.
    pub(crate) fn exposures(&self) -> Vec<Exposure> {
        self.0.lock().expect("no test panics here").exposures.clone()
    }

    /// Begins a new page. Numbers go on.
    pub(crate) fn turn(&self) {
        let mut pages = self.0.lock().expect("no test panics here");
        let requests = std::mem::take(&mut pages.requests);
        pages.earlier.extend(requests.into_values());
        pages.exposures.clear();
    }
}
