//! The way of a request: what for, who calls, does a fault strike, what does the service say.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use super::call::{Call, Caller, Service};
use super::log::Entry;
use super::refused::{Outcome, Refused};
use super::route::{Route, route};
use super::world::Shared;
use super::{control, glance, keystone};
use crate::fake::{Cut, Received, Reply, Subject, What};

/// The operations whose body the service takes from the socket itself, piece by piece.
const STREAMED: [&str; 2] = ["UploadImage", "StageImage"];

/// Answers a request, or cuts the connection.
pub(crate) async fn answer(shared: Arc<Shared>, received: Received<Incoming>) -> Result<Reply, Cut> {
    let path = received.uri.split('?').next().unwrap_or("/");
    if control::is_control(path) {
        return Ok(control::handle(&shared, &received.whole().await?));
    }
    let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
    let Some(route) = route(&received.method, &parts).filter(|route| exists(&shared, route)) else {
        return Ok(Refused::not_found("The resource could not be found.").render(Service::Image));
    };
    let streamed = STREAMED.contains(&route.operation);
    let (uri, seq) = (received.uri.clone(), shared.log.next());
    let (call, stream) = if streamed {
        let Received { method, uri, headers, body } = received;
        let received = Received { method, uri, headers, body: Bytes::new() };
        (build(&shared, seq, received, route), Some(body))
    } else {
        (build(&shared, seq, received.whole().await?, route), None)
    };
    shared.log.begin(seq, Entry::of(&call, &uri));
    let fault = shared.faults.strike(subject(&call));
    let outcome = outcome(&shared, &call, stream, fault.as_ref()).await;
    let reply = outcome.map(|outcome| finish(&call, outcome));
    shared.log.end(seq, |entry| {
        entry.status = reply.as_ref().map(|reply| reply.status);
        entry.fault = fault.map(|fault| fault.name().to_owned());
    });
    reply.ok_or(Cut)
}

/// What the caller gets; nothing if the connection is cut.
async fn outcome(shared: &Arc<Shared>, call: &Call, body: Option<Incoming>, fault: Option<&What>) -> Option<Outcome> {
    let wait = |ms: &u64| tokio::time::sleep(Duration::from_millis(*ms));
    let refused = match fault {
        None => return serve(shared, call, body).await,
        Some(What::Reset) => return None,
        Some(What::Lost) => {
            drop(serve(shared, call, body).await);
            return None;
        }
        Some(What::Hang(ms)) => {
            wait(ms).await;
            return None;
        }
        Some(What::Stall(ms)) => {
            drop(serve(shared, call, body).await);
            wait(ms).await;
            return None;
        }
        Some(What::Slow(ms)) => {
            wait(ms).await;
            return serve(shared, call, body).await;
        }
        Some(What::Throttle) => Refused::throttled(),
        Some(What::Error500) => Refused::failed(500),
        Some(What::Error503) => Refused::failed(503),
        Some(What::Refuse { status, code }) => Refused::new(*status, code.as_str()),
    };
    glance::drain(body).await;
    Some(Err(refused))
}

async fn serve(shared: &Arc<Shared>, call: &Call, body: Option<Incoming>) -> Option<Outcome> {
    match call.service {
        Service::Identity => Some(keystone::handle(shared, call)),
        Service::Image => glance::handle(shared, call, body).await,
    }
}

fn finish(call: &Call, outcome: Outcome) -> Reply {
    let reply = outcome.unwrap_or_else(|refused| refused.render(call.service));
    let reply = reply.header("x-openstack-request-id", format!("req-{:08}", call.seq));
    if call.method == "HEAD" { Reply { body: Bytes::new(), ..reply } } else { reply }
}

fn exists(shared: &Shared, route: &Route) -> bool {
    match route.service {
        Service::Identity => shared.cloud(&route.cloud).is_some(),
        Service::Image => shared.region(&route.cloud, &route.region).is_some(),
    }
}

fn build(shared: &Shared, seq: u64, received: Received, route: Route) -> Call {
    let query = received.uri.split_once('?').map_or("", |(_, query)| query);
    let token = received.headers.get("x-auth-token");
    let now = shared.now();
    let caller = token.and_then(|token| shared.state().keystone.caller(&route.cloud, token, now));
    Call {
        seq,
        cloud: route.cloud,
        service: route.service,
        region: route.region,
        operation: route.operation,
        names: route.names,
        caller: caller.unwrap_or_else(Caller::default),
        method: received.method,
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: received.headers,
        body: received.body,
        now,
    }
}

fn subject(call: &Call) -> Subject<'_> {
    let (operation, region, account) = (call.operation, &call.region, &call.caller.project);
    Subject { service: call.service.name(), operation, region, account }
}

fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}
