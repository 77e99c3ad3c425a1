//! Glance v2, one for each region. <https://docs.openstack.org/api-ref/image/v2/>

mod access;
mod actions;
mod content;
mod create;
mod data;
mod fetch;
mod formats;
mod image;
mod import;
mod info;
mod list;
mod members;
mod patch;
mod quota;
mod schema;
mod state;
mod upload;

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

pub(crate) use self::state::State;
use super::call::Call;
use super::refused::{Outcome, Refused};
use super::world::Shared;
use crate::fake::Reply;

/// Answers a call; nothing if the client goes away before its body's end.
pub(crate) async fn handle(shared: &Arc<Shared>, call: &Call, body: Option<Incoming>) -> Option<Outcome> {
    if matches!(call.operation, "ListVersions" | "ShowVersions") {
        return Some(Ok(info::versions(shared, call)));
    }
    if call.caller.user.is_empty() {
        drain(body).await;
        return Some(Err(Refused::unauthorized()));
    }
    match (call.operation, body) {
        ("UploadImage" | "StageImage", Some(body)) => upload::handle(shared, call, body).await,
        ("ImportImage", _) => Some(import::start(shared, call)),
        _ => Some(answer(shared, call)),
    }
}

fn answer(shared: &Shared, call: &Call) -> Outcome {
    match call.operation {
        "ListImages" => list::handle(shared, call),
        "CreateImage" => create::handle(shared, call),
        "ShowImage" => actions::show(shared, call),
        "UpdateImage" => patch::handle(shared, call),
        "DeleteImage" => actions::delete(shared, call),
        "DeleteFromStore" => actions::delete_from_store(shared, call),
        "DownloadImage" => data::download(shared, call),
        "DeactivateImage" | "ReactivateImage" => actions::switch(shared, call),
        "AddTag" | "DeleteTag" => actions::tag(shared, call),
        "ListMembers" | "AddMember" | "ShowMember" | "UpdateMember" | "RemoveMember" => members::handle(shared, call),
        "ShowImportMethods" | "ListStores" | "ShowUsage" => info::handle(shared, call),
        _ => Err(Refused::not_found("The resource could not be found.")),
    }
}

/// Reads what nobody wants: a refusal that comes before the client has sent everything would not be read by it.
pub(crate) async fn drain(body: Option<Incoming>) {
    let Some(mut body) = body else { return };
    while let Some(Ok(_)) = body.frame().await {}
}

fn json(status: u16, body: &Value) -> Reply {
    Reply::bytes(Bytes::from(body.to_string())).status(status).header("content-type", "application/json")
}
