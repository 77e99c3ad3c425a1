//! A directory of this machine as the state store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use crate::error::{Error, Kind, Result};

/// Opens a directory as a state store; what is written to it survives a crash of the machine (fsync).
///
/// # Behaviour
/// Writes nothing itself: the directory, with its parents, is made by the first write. So commands that only look
/// leave no trace, and reading a directory that is not there finds nothing. A relative path counts from the current
/// directory.
///
/// # Errors
/// [`Kind::Storage`] naming the path when something else than a directory is there, or when the path cannot be written
/// as text. A directory that is not writable or full is reported by the first write.
pub fn local_store(directory: &FilePath) -> Result<Arc<dyn ObjectStore>> {
    let failed = |why: &'static str| {
        Error::new(Kind::Storage, why)
            .with("path", directory.display())
            .hint("name a directory as `state` in publish.toml")
    };
    let path = resolve(directory).map_err(|error| failed("the state directory cannot be opened").caused_by(error))?;
    if path.exists() && !path.is_dir() {
        return Err(failed("the state is not a directory"));
    }
    let prefix = Path::from_absolute_path(&path)
        .map_err(|error| failed("the path of the state directory is not usable").caused_by(error))?;
    Ok(Arc::new(PrefixStore::new(LocalFileSystem::new().with_fsync(true), prefix)))
}

/// The absolute path, through symbolic links as far as it exists.
fn resolve(path: &FilePath) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => std::path::absolute(path),
        resolved => resolved,
    }
}
