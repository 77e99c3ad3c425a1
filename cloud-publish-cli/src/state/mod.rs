//! Opens the state that publish.toml names.

#[cfg(feature = "shared-state")]
mod shared;

use std::sync::Arc;

use cloud_publish_core::error::Result;
use cloud_publish_core::ledger::local_store;
use cloud_publish_core::manifest::State;
use object_store::ObjectStore;

/// Opens the store; a folder is made by the first write, so that verbs that only look leave no trace.
///
/// # Errors
/// [`Kind::Storage`](cloud_publish_core::error::Kind::Storage) when the folder cannot be used,
/// [`Kind::InvalidInput`](cloud_publish_core::error::Kind::InvalidInput) when an address lacks settings.
pub(crate) fn open(state: &State) -> Result<Arc<dyn ObjectStore>> {
    match state {
        State::Folder(folder) => local_store(folder),
        #[cfg(feature = "shared-state")]
        State::Url(url) => shared::open(url),
        #[cfg(not(feature = "shared-state"))]
        State::Url(url) => {
            use cloud_publish_core::error::{Error, Kind};
            Err(Error::new(Kind::Unsupported, format!("this build of publish leaves out shared states: `{url}`"))
                .hint("build it with the cargo feature `shared-state`, or name a folder as `state`"))
        }
    }
}
