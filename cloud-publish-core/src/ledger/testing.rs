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
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
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
    StepId(name.into())
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

/// A store that does what it is told and then loses the first `lost` replies to each kind of write.
#[derive(Debug)]
pub(super) struct LosesReplies {
    inner: InMemory,
    lost: u32,
    writes: AtomicU32,
}

impl LosesReplies {
    /// Loses all replies to writes but every `lost + 1`-th.
    pub(super) fn new(lost: u32) -> Arc<Self> {
        Arc::new(Self { inner: InMemory::new(), lost, writes: AtomicU32::new(0) })
    }
}

impl Display for LosesReplies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("LosesReplies")
    }
}

#[async_trait]
impl ObjectStore for LosesReplies {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        let done = self.inner.put_opts(path, payload, options).await;
        if self.writes.fetch_add(1, Ordering::SeqCst) % (self.lost + 1) < self.lost {
            return Err(StoreError::Generic { store: "LosesReplies", source: "connection reset".into() });
        }
        done
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
