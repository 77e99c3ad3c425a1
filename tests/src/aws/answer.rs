//! The way of a request: who calls, what for, does a fault strike, is it permitted, what does the service say.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use uuid::Uuid;

use super::call::{Call, Caller, Service};
use super::caller::{Scope, identify};
use super::log::Entry;
use super::permissions::permit;
use super::query::Params;
use super::reply::{Outcome, Refused, Reply};
use super::route::{Line, operation};
use super::settings::REGION;
use super::world::Shared;
use super::{control, ebs, ec2, iam, import, marketplace, quotas, s3, ssm, sts};
use crate::fake::{Cut, Received, Subject, What};

/// The one operation that nobody signs.
const UNSIGNED: &str = "AssumeRoleWithWebIdentity";

/// EC2's operations on import tasks.
const IMPORTS: [&str; 3] = ["ImportSnapshot", "DescribeImportSnapshotTasks", "CancelImportTask"];

/// What a request is about, before it is known who calls.
struct Parsed {
    scope: Scope,
    operation: String,
    params: Params,
    query: Vec<(String, String)>,
    path: String,
}

/// Answers a request, or cuts the connection.
pub(crate) async fn answer(shared: &Arc<Shared>, received: Received) -> Result<Reply, Cut> {
    let path = received.uri.split('?').next().unwrap_or("/");
    if let Some(reply) = control::handle(shared, &received.method, path, &received.body) {
        return Ok(reply);
    }
    let Some(parsed) = parse(&received) else {
        let refused =
            Refused::new(403, "MissingAuthenticationToken", "the request has no signature of a known service");
        return Ok(refused.render(Service::Ec2, "unsigned"));
    };
    let seq = shared.log.next();
    let identified = identify_caller(shared, &received, &parsed);
    let uri = received.uri.clone();
    let call = build(shared, seq, received, parsed, &identified);
    shared.log.begin(seq, Entry::of(&call, &uri));
    let fault = shared.faults.strike(subject(&call));
    let outcome = match identified {
        Ok(_) => outcome(shared, &call, fault.as_ref()).await,
        Err(refused) => Some(Err(refused)),
    };
    let code = outcome.as_ref().and_then(|outcome| outcome.as_ref().err()).map(|refused| refused.code.clone());
    let reply = outcome.map(|outcome| finish(&call, outcome));
    shared.log.end(seq, |entry| {
        entry.status = reply.as_ref().map(|reply| reply.status);
        entry.code = code;
        entry.fault = fault.map(|fault| fault.name().to_owned());
    });
    reply.ok_or(Cut)
}

fn subject(call: &Call) -> Subject<'_> {
    let (operation, region, account) = (&call.operation, &call.region, &call.caller.account);
    Subject { service: call.service.name(), operation, region, account }
}

/// What the caller gets; nothing if the connection is cut.
async fn outcome(shared: &Shared, call: &Call, fault: Option<&What>) -> Option<Outcome> {
    let wait = |ms: &u64| tokio::time::sleep(Duration::from_millis(*ms));
    match fault {
        None => Some(permitted(shared, call)),
        Some(What::Throttle) => Some(Err(Refused::throttled(call.service))),
        Some(What::Error500) => Some(Err(Refused::failed(call.service))),
        Some(What::Error503) => Some(Err(Refused::unavailable(call.service))),
        Some(What::Refuse { status, code }) => Some(Err(Refused::new(*status, code, "refused on purpose"))),
        Some(What::Reset) => None,
        Some(What::Lost) => {
            drop(permitted(shared, call));
            None
        }
        Some(What::Hang(ms)) => {
            wait(ms).await;
            None
        }
        Some(What::Stall(ms)) => {
            drop(permitted(shared, call));
            wait(ms).await;
            None
        }
        Some(What::Slow(ms)) => {
            wait(ms).await;
            Some(permitted(shared, call))
        }
    }
}

fn permitted(shared: &Shared, call: &Call) -> Outcome {
    permit(shared, call)?;
    if call.service == Service::Ec2 && call.param("DryRun") == Some("true") {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Refused::new(412, "DryRunOperation", message));
    }
    match call.service {
        Service::Ec2 if IMPORTS.contains(&call.operation.as_str()) => import::handle(shared, call),
        Service::Ec2 => ec2::handle(shared, call),
        Service::Ebs => ebs::handle(shared, call),
        Service::Ssm => ssm::handle(shared, call),
        Service::Sts => sts::handle(shared, call),
        Service::Iam => iam::handle(shared, call),
        Service::ServiceQuotas => quotas::handle(shared, call),
        Service::Marketplace => marketplace::handle(shared, call),
        Service::S3 => s3::handle(shared, call),
    }
}

fn finish(call: &Call, outcome: Outcome) -> Reply {
    let reply = outcome.unwrap_or_else(|refused| refused.render(call.service, &call.request_id));
    let reply = if call.service == Service::S3 {
        reply.header("x-amz-request-id", &call.request_id)
    } else {
        reply.header("x-amzn-requestid", &call.request_id)
    };
    if call.method == "HEAD" && reply.status >= 400 { Reply { body: Bytes::new(), ..reply } } else { reply }
}

fn identify_caller(shared: &Shared, received: &Received, parsed: &Parsed) -> Result<Caller, Refused> {
    if parsed.scope.access_key.is_empty() {
        return Ok(nobody());
    }
    let presigned = parsed.query.iter().find(|(name, _)| name == "X-Amz-Security-Token").map(|(_, value)| value);
    let token = received.headers.get("x-amz-security-token").or(presigned);
    identify(shared, &parsed.scope, token.map(String::as_str))
}

fn nobody() -> Caller {
    Caller { account: String::new(), arn: String::new(), access_key: String::new(), role: None }
}

fn build(shared: &Shared, seq: u64, received: Received, parsed: Parsed, identified: &Result<Caller, Refused>) -> Call {
    let scope = parsed.scope;
    let holds_json = match scope.service {
        Service::Ssm | Service::ServiceQuotas | Service::Marketplace => true,
        Service::Ebs => parsed.operation == "StartSnapshot",
        Service::Ec2 | Service::Sts | Service::Iam | Service::S3 => false,
    };
    let json = holds_json.then(|| serde_json::from_slice(&received.body).ok()).flatten();
    Call {
        seq,
        request_id: Uuid::from_u128((0xfa4e << 112) | u128::from(seq)).to_string(),
        service: scope.service,
        region: scope.region,
        caller: identified.clone().unwrap_or_else(|_| nobody()),
        operation: parsed.operation,
        params: parsed.params,
        json: json.unwrap_or(Value::Null),
        method: received.method,
        path: parsed.path,
        query: parsed.query,
        headers: received.headers,
        body: received.body,
        now: shared.now(),
    }
}

fn parse(received: &Received) -> Option<Parsed> {
    let (path, query) = received.uri.split_once('?').unwrap_or((&received.uri, ""));
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_form =
        received.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form = || form_urlencoded::parse(&received.body).into_owned().collect::<Params>();
    let scope = Scope::read(&received.headers, &query);
    let params = match scope.as_ref().map(|scope| scope.service) {
        Some(Service::Ec2 | Service::Sts | Service::Iam) if is_form => form(),
        Some(Service::Ec2 | Service::Sts | Service::Iam) => query.iter().cloned().collect(),
        None if is_form => form(),
        _ => Params::new(),
    };
    let unsigned = || {
        let wanted = params.get("Action").is_some_and(|action| action == UNSIGNED);
        wanted.then(|| Scope { access_key: String::new(), region: REGION.to_owned(), service: Service::Sts })
    };
    let scope = scope.or_else(unsigned)?;
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let line =
        Line { method: &received.method, path: &path, query: &query, headers: &received.headers, params: &params };
    let operation = operation(scope.service, line);
    Some(Parsed { scope, operation, params, query, path })
}
