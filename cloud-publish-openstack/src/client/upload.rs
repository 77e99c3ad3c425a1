//! Sending an image's bytes: a body of known length, progress, and a watch over uploads that stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloud_publish_core::disk::{Disk, stream_file};
use cloud_publish_core::publisher::{Context, Progress};
use futures::{Stream, StreamExt as _};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};

use super::{Client, GLANCE, authenticated};
use crate::error::WireError;

/// Bytes read from the disk at a time.
const CHUNK: usize = 1 << 20;

/// How long an upload may stand still before it counts as lost. Also how long Glance may take to answer after the last
/// byte: a store such as Ceph or Swift finishes its own writing first.
const STALL: Duration = Duration::from_secs(600);

/// How often to look.
const LOOK: Duration = Duration::from_secs(5);

/// What is sent.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    pub(crate) path: &'a [&'a str],
    pub(crate) disk: Arc<Disk>,
    /// The store to keep them in; the cloud's default one when absent.
    pub(crate) store: Option<&'a str>,
}

/// <https://docs.openstack.org/api-ref/image/v2/#upload-binary-image-data>.
const STORE: &str = "x-image-meta-store";

impl Client {
    /// PUTs a file's bytes with their length: a chunked body would pass by Glance's quota, and servers refuse big
    /// chunks. Not repeated here when the token is refused: the body is spent.
    pub(crate) async fn put_file(&self, context: &Context, payload: Payload<'_>) -> Result<(), WireError> {
        let total = payload.disk.file_size();
        let sent = Arc::new(AtomicU64::new(0));
        let body = counted(payload.disk, total, sent.clone(), context.progress().clone());
        let work = async {
            let token = self.keystone.token(context).await?;
            let url = self.url(context, payload.path).await?;
            let builder = self
                .https
                .uploads
                .request(Method::PUT, url)
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, total)
                .body(Body::wrap_stream(body));
            let builder = payload.store.into_iter().fold(builder, |builder, store| builder.header(STORE, store));
            let request = authenticated(builder, &token)?;
            tracing::debug!(region = %self.region, total, "sending the image");
            self.execute(&self.https.uploads, request, &token).await
        };
        let watched = async {
            tokio::select! {
                answer = work => answer.map(drop),
                stalled = watch(context, &sent) => Err(stalled),
            }
        };
        context.or_cancelled(watched).await?
    }
}

/// The file's bytes in order; what was taken from it counts as sent.
fn counted(
    disk: Arc<Disk>,
    total: u64,
    sent: Arc<AtomicU64>,
    progress: Arc<dyn Progress>,
) -> impl Stream<Item = cloud_publish_core::error::Result<bytes::Bytes>> + Send + 'static {
    stream_file(disk, CHUNK).inspect(move |chunk| {
        if let Ok(bytes) = chunk {
            let more = u64::try_from(bytes.len()).unwrap_or_default();
            let done = sent.fetch_add(more, Ordering::Relaxed).saturating_add(more);
            progress.advanced(done, total);
        }
    })
}

/// Ends when nothing has been taken for [`STALL`].
async fn watch(context: &Context, sent: &AtomicU64) -> WireError {
    let mut last = (sent.load(Ordering::Relaxed), context.clock().elapsed());
    loop {
        context.clock().sleep(LOOK).await;
        let now = (sent.load(Ordering::Relaxed), context.clock().elapsed());
        if now.0 != last.0 {
            last = now;
        } else if now.1.saturating_sub(last.1) >= STALL {
            return WireError::Stalled { service: GLANCE, after: STALL };
        }
    }
}
