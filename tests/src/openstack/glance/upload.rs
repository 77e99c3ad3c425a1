//! `PUT /v2/images/ID/file` and `PUT /v2/images/ID/stage`: the record is `saving` or `uploading` until the last byte.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::content::{Collector, Content};
use super::image::{Image, Status};
use super::{access, drain, formats, quota};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

/// Answers an upload; nothing if the client goes away before its end.
pub(super) async fn handle(shared: &Arc<Shared>, call: &Call, body: Incoming) -> Option<Outcome> {
    let store = match begin(shared, call) {
        Ok(store) => store,
        Err(refused) => {
            drain(Some(body)).await;
            return Some(Err(refused));
        }
    };
    let held = Held { shared, call };
    let cap = shared.region(&call.cloud, &call.region).unwrap_or_default().image_size_cap;
    let content = match collect(body, cap).await? {
        Ok(content) => content,
        Err(refused) => return Some(Err(refused)),
    };
    tokio::time::sleep(Duration::from_millis(shared.settings().delays.save)).await;
    Some(held.finish(content, store))
}

fn is_staging(call: &Call) -> bool {
    call.operation == "StageImage"
}

/// Takes the record in hand; tells the store.
fn begin(shared: &Shared, call: &Call) -> Result<Option<String>, Refused> {
    let kind = call.header("content-type").unwrap_or_default();
    if kind != "application/octet-stream" {
        return Err(Refused::new(415, format!("The media type {kind} is not supported, use application/octet-stream")));
    }
    let region = shared.region(&call.cloud, &call.region).unwrap_or_default();
    let bytes = call.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let store = match call.header("x-image-meta-store") {
        Some(store) if !region.stores.iter().any(|known| known == store) => {
            return Err(Refused::bad(format!("Store for identifier {store} not found")));
        }
        Some(store) => Some(store.to_owned()),
        None => region.stores.first().cloned(),
    };
    if bytes > region.image_size_cap {
        return Err(Refused::too_large("The incoming image is too large"));
    }
    let mut state = shared.state();
    let here = state.glance.region(&call.cloud, &call.region);
    let room = if is_staging(call) { quota::room_to_stage } else { quota::room_for_data };
    room(shared, call, here, bytes)?;
    let visible = here.images.get_mut(call.name(0)).filter(|image| access::sees(&call.caller, image));
    let image = visible.ok_or_else(|| Refused::not_found(format!("No image found with ID {}", call.name(0))))?;
    access::may_change(&call.caller, image)?;
    if image.status != Status::Queued {
        let message = format!("Image status transition from {} to saving is not allowed", image.status.name());
        return Err(Refused::conflict(message));
    }
    let complete = image.disk_format.is_some() && image.container_format.is_some();
    if !complete && !is_staging(call) {
        return Err(Refused::bad("Properties disk_format, container_format must be set prior to saving data."));
    }
    image.status = if is_staging(call) { Status::Uploading } else { Status::Saving };
    image.busy = Some(call.seq);
    image.updated_at = call.now;
    let too_many = quota::uploads(shared, call, here);
    if too_many.is_err()
        && let Some(image) = here.images.get_mut(call.name(0))
    {
        image.restore(call.now);
    }
    too_many.map(|()| store)
}

/// The body; nothing if it ends too early.
async fn collect(mut body: Incoming, cap: u64) -> Option<Result<Arc<Content>, Refused>> {
    let mut collector = Collector::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if collector.size() + data.len() as u64 > cap {
            drain(Some(body)).await;
            return Some(Err(Refused::too_large("The incoming image is too large")));
        }
        collector.push(&data);
    }
    Some(Ok(collector.finish()))
}

/// The record in the hands of an upload. However that ends, the record is not left in the middle of it.
struct Held<'a> {
    shared: &'a Shared,
    call: &'a Call,
}

impl Held<'_> {
    fn finish(self, content: Arc<Content>, store: Option<String>) -> Outcome {
        let call = self.call;
        let mut state = self.shared.state();
        let twin = state.glance.images().filter_map(|image| image.content.as_ref());
        let content = twin.into_iter().find(|twin| twin.sha512 == content.sha512).cloned().unwrap_or(content);
        let image = state.glance.region(&call.cloud, &call.region).images.get_mut(call.name(0));
        let Some(image) = image.filter(|image| image.busy == Some(call.seq)) else {
            let message = "could not be found after upload. The image may have been deleted during the upload, cleaning up \
                           the chunks uploaded.";
            return Err(Refused::new(410, format!("Image {} {message}", call.name(0))));
        };
        let now = self.shared.now();
        if is_staging(call) {
            image.staged = Some(content);
            image.busy = None;
            image.updated_at = now;
            return Ok(Reply::empty(204));
        }
        if let Err(refused) = formats::check(image, &content) {
            image.restore(now);
            return Err(refused);
        }
        image.activate(content, store.into_iter().collect(), now);
        Ok(Reply::empty(204))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let call = self.call;
        // Not in its hands any more: it ended well, or somebody deleted the record.
        let mine = |image: &&mut Image| image.busy == Some(call.seq);
        let mut state = self.shared.state();
        if let Some(image) = state.glance.region(&call.cloud, &call.region).images.get_mut(call.name(0)).filter(mine) {
            image.restore(call.now);
        }
    }
}
