//! Opens the state that publish.toml names.

use std::sync::Arc;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::ledger::local_store;
use cloud_publish_core::manifest::State;
use object_store::ObjectStore;

/// Opens the store; a folder is made by the first write, so that verbs that only look leave no trace.
///
/// # Errors
/// [`Kind::Storage`] when the folder cannot be used, [`Kind::Unsupported`] for an address.
pub(crate) fn open(state: &State) -> Result<Arc<dyn ObjectStore>> {
    match state {
        State::Folder(folder) => local_store(folder),
        State::Url(url) => Err(Error::new(Kind::Unsupported, format!("the state `{url}` is not supported yet"))
            .hint("name a folder as `state`; put it on a shared file system if several machines publish")),
    }
}
