//! The few calls that ledger and leases make on an object store, with bounded retries and errors for people.
//!
//! Knows nothing of what the objects mean.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

/// How long to wait before each further try of a call that failed in passing. Cloud stores retry below this as well.
const PAUSES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1600)];

/// How a create ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Created {
    /// The object holds exactly our bytes, by this try or by one whose reply was lost.
    Ours,
    /// Somebody else's object is there.
    Taken,
}

/// An object store with our habits. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Store {
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
}

impl Store {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        Self { objects, clock }
    }

    /// Writes an object that must not be there yet.
    ///
    /// `bytes` must have something in them that no other writer writes: a nonce. That is how the winner whose reply
    /// was lost recognises its own object when its retry is told that it exists.
    pub(super) async fn create(&self, path: &Path, bytes: &Bytes) -> Result<Created> {
        loop {
            let options = || PutOptions::from(PutMode::Create);
            match self.retried(|| self.objects.put_opts(path, bytes.clone().into(), options())).await {
                Ok(_) => return Ok(Created::Ours),
                Err(StoreError::AlreadyExists { .. }) => match self.read(path).await? {
                    Some(found) if found == bytes => return Ok(Created::Ours),
                    Some(_) => return Ok(Created::Taken),
                    // It existed and is gone: try again.
                    None => {}
                },
                Err(error) => return Err(self.failed("write", path, error)),
            }
        }
    }

    /// Writes an object, whatever is there.
    pub(super) async fn overwrite(&self, path: &Path, bytes: Bytes) -> Result<()> {
        let done = self.retried(|| self.objects.put(path, bytes.clone().into())).await;
        done.map(|_| ()).map_err(|error| self.failed("write", path, error))
    }

    /// The bytes of an object, or `None` when it is not there.
    pub(super) async fn read(&self, path: &Path) -> Result<Option<Bytes>> {
        match self.retried(|| async { self.objects.get(path).await?.bytes().await }).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", path, error)),
        }
    }

    /// All objects below a folder, sorted by path; none when the folder is not there.
    pub(super) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>> {
        let mut found: Vec<ObjectMeta> = self
            .retried(|| self.objects.list(Some(folder)).try_collect())
            .await
            .map_err(|error| self.failed("list", folder, error))?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    /// Removes an object; gone already is success.
    pub(super) async fn remove(&self, path: &Path) -> Result<()> {
        match self.retried(|| self.objects.delete(path)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", path, error)),
        }
    }

    async fn retried<T, F, Fut>(&self, call: F) -> Result<T, StoreError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, StoreError>>,
    {
        for pause in PAUSES {
            match call().await {
                Err(error) if is_passing(&error) => self.clock.sleep(pause).await,
                done => return done,
            }
        }
        call().await
    }

    fn failed(&self, verb: &str, path: &Path, error: StoreError) -> Error {
        failure(format!("could not {verb} the state"), path, error).with("store", &self.objects)
    }
}

/// The error of a call that failed, with what to do about it.
pub(crate) fn failure(message: String, object: &Path, error: StoreError) -> Error {
    Error::new(Kind::Storage, message).with("object", object).hint(hint(&error)).caused_by(error)
}

/// Whether the same call may work in a moment: whatever neither the store nor the machine refused for a reason.
fn is_passing(error: &StoreError) -> bool {
    let lasting = |kind| {
        matches!(
            kind,
            io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotFound
        )
    };
    matches!(error, StoreError::Generic { .. } | StoreError::JoinError { .. }) && !io_kind(error).is_some_and(lasting)
}

fn hint(error: &StoreError) -> &'static str {
    match (error, io_kind(error)) {
        (_, Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)) => {
            "let this user write there, or name another directory as `state` in publish.toml"
        }
        (_, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) => {
            "make room there, then run the same command again: it continues"
        }
        (_, Some(io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)) => {
            "something else is in the way there: name another directory as `state` in publish.toml"
        }
        (StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }, _) => {
            "give the credentials of the state store the right to list, read, write and delete objects there"
        }
        _ => "when the state store works again, run the same command again: it continues",
    }
}

/// What the operating system said, if the failure came from it.
fn io_kind(error: &StoreError) -> Option<io::ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;

    use object_store::Error as StoreError;

    use super::{hint, is_passing};

    fn generic(kind: io::ErrorKind) -> StoreError {
        StoreError::Generic { store: "test", source: io::Error::from(kind).into() }
    }

    #[test]
    fn a_broken_connection_is_worth_another_try_and_a_full_disk_is_not() {
        assert!(is_passing(&generic(io::ErrorKind::ConnectionReset)));
        assert!(is_passing(&StoreError::Generic { store: "test", source: "503".into() }));
        assert!(!is_passing(&generic(io::ErrorKind::StorageFull)));
        assert!(!is_passing(&StoreError::NotFound { path: "a".into(), source: "404".into() }));
    }

    #[test]
    fn hints_tell_the_next_step() {
        assert!(hint(&generic(io::ErrorKind::StorageFull)).contains("make room there"));
        assert!(hint(&generic(io::ErrorKind::ReadOnlyFilesystem)).contains("let this user write there"));
        let denied = StoreError::PermissionDenied { path: "a".into(), source: "403".into() };
        assert!(hint(&denied).contains("credentials"));
    }
}
