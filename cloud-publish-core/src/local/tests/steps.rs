//! A look between any two changes that the target makes, and a way to cut it short there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Kind, Result};

type Look = Arc<dyn Fn() -> bool + Send + Sync>;

static WATCHED: Mutex<Vec<(PathBuf, Look)>> = Mutex::new(Vec::new());

/// Called before every change of a file; fails when whoever watches the place wants the process dead.
pub(crate) fn step(path: &Path) -> Result<()> {
    let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let alive = watched.iter().filter(|(root, _)| path.starts_with(root)).all(|(_, look)| look());
    if alive { Ok(()) } else { Err(Error::new(Kind::Cancelled, "killed by a test")) }
}

/// Watches a directory until it is dropped.
pub(super) struct Watch(PathBuf);

impl Watch {
    pub(super) fn new(root: &Path, look: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        WATCHED.lock().unwrap_or_else(PoisonError::into_inner).push((root.to_owned(), Arc::new(look)));
        Self(root.to_owned())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|(root, _)| *root != self.0);
    }
}
