//! What the tests of this module share: places, receipts, stores, a store with a bad line.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use tempfile::TempDir;

use super::{Claim, Holder, Leases, Ledger, RunId, local_store};
use crate::clock::{Clock, FastClock, SystemClock};
use crate::error::Result;
use crate::execute::{Fact, Receipt};
use crate::identity::Place;
use crate::names::ReleaseName;
use crate::plan::StepId;
use crate::publisher::{Context, Note};

pub(super) fn place(account: &str) -> Place {
    Place { provider: "memory".parse().unwrap(), account: account.parse().unwrap() }
}

pub(super) fn release() -> ReleaseName {
    "bookworm-20240101".parse().unwrap()
}

pub(super) fn run() -> RunId {
    RunId::generate(&SystemClock::new())
}

pub(super) fn step(name: &str) -> StepId {
    StepId::of_target(&"cloud".parse().unwrap(), name)
}

/// A receipt that says `number`.
pub(super) fn receipt(place: &Place, number: u32) -> Receipt {
    let note = Note::DeadGeneration { generation: number, reason: "gone".into() };
    let at = "2024-01-02T03:04:05Z".parse().unwrap();
    Receipt { place: place.clone(), step: Some(step("upload")), at, fact: Fact::Noted { note } }
}

pub(super) fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

/// A store in memory and one in a directory, to run the same test on both.
pub(super) fn both() -> (TempDir, [Arc<dyn ObjectStore>; 2]) {
    let directory = TempDir::new().unwrap();
    let local = local_store(&directory.path().join("my state/ü")).unwrap();
    (directory, [memory(), local])
}

/// A claim of a run of its own in this process.
pub(super) fn claim(accounts: &[&str]) -> Claim {
    let places: BTreeSet<Place> = accounts.iter().copied().map(place).collect();
    Claim::new(places, Holder::this_process(run(), SystemClock::new().now()))
}

/// A context whose time runs `factor` times as fast.
pub(super) fn fast(factor: u32) -> Context {
    Context::with_clock(Arc::new(FastClock::new("2024-01-01T00:00:00Z".parse().unwrap(), factor)))
}

pub(super) async fn acquire(ledger: &Ledger, claim: &Claim, context: &Context) -> Result<Leases> {
    ledger.acquire(claim, context, &|_, _| {}).await
}

/// What goes wrong with a [`Bent`] store's writes.
#[derive(Debug)]
enum Trick {
    /// They are done, but of each `n + 1` replies in a row the first `n` are lost.
    LosesReplies(u32),
    /// Just before the first one, somebody else removes one object and writes another.
    Meanwhile(Path, Path, PutPayload),
}

/// A store in memory whose writes do not go as hoped.
#[derive(Debug)]
pub(super) struct Bent {
    inner: InMemory,
    trick: Trick,
    writes: AtomicU32,
}

impl Bent {
    /// Loses `lost` replies, lets one through, and so on.
    pub(super) fn loses_replies(lost: u32) -> Arc<dyn ObjectStore> {
        Arc::new(Self { inner: InMemory::new(), trick: Trick::LosesReplies(lost), writes: AtomicU32::new(0) })
    }

    /// `inner`, where `removed` goes and `written` comes just before the first write.
    pub(super) fn meanwhile(inner: InMemory, removed: Path, written: (Path, PutPayload)) -> Arc<dyn ObjectStore> {
        Arc::new(Self { inner, trick: Trick::Meanwhile(removed, written.0, written.1), writes: AtomicU32::new(0) })
    }
}

impl Display for Bent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Bent")
    }
}

#[async_trait]
impl ObjectStore for Bent {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        let earlier = self.writes.fetch_add(1, Ordering::SeqCst);
        match &self.trick {
            Trick::LosesReplies(lost) => {
                let done = self.inner.put_opts(path, payload, options).await;
                if earlier % (lost + 1) < *lost {
                    return Err(StoreError::Generic { store: "Bent", source: "connection reset".into() });
                }
                done
            }
            Trick::Meanwhile(removed, written, bytes) => {
                if earlier == 0 {
                    self.inner.delete(removed).await?;
                    self.inner.put(written, bytes.clone()).await?;
                }
                self.inner.put_opts(path, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
