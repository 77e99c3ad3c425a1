//! The calls that steer a world from outside. They need no signature.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fault::Rule;
use super::reply::Reply;
use super::settings::Settings;
use super::world::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Milliseconds.
    ms: i64,
}

/// Answers a control call; nothing if the path is none of them.
pub(crate) fn handle(shared: &Arc<Shared>, method: &str, path: &str, body: &Bytes) -> Option<Reply> {
    let reply = match (method, path) {
        ("GET", "/health") => Ok(json!({"status": "running"})),
        ("GET", "/_fake/log") => Ok(json!({"requests": shared.requests(), "exposures": shared.exposures()})),
        ("GET", "/_fake/state") => Ok(shared.dump()),
        ("GET", "/_fake/settings") => Ok(json!(*shared.settings())),
        ("POST", "/_fake/reset") => merged(&Settings::default(), body).map(|settings| done(shared.reset(settings))),
        ("POST", "/_fake/settings") => {
            merged(&shared.settings(), body).map(|settings| done(shared.set_settings(settings)))
        }
        ("POST", "/_fake/faults") => read::<Vec<Rule>>(body).map(|rules| done(shared.set_faults(rules))),
        ("POST", "/_fake/advance") => read::<Advance>(body).map(|wanted| done(shared.advance(wanted.ms))),
        _ if path.starts_with("/_fake/") => Err(format!("no control call {method} {path}")),
        _ => return None,
    };
    Some(match reply {
        Ok(answer) => whole(&answer),
        Err(message) => whole(&json!({"error": message})).status(400),
    })
}

/// Nulls included: what was never answered has a status, which is null.
fn whole(answer: &Value) -> Reply {
    Reply::bytes(Bytes::from(answer.to_string())).header("content-type", "application/json")
}

fn done((): ()) -> Value {
    json!({})
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn merged(settings: &Settings, body: &Bytes) -> Result<Settings, String> {
    let patch = if body.is_empty() { json!({}) } else { read(body)? };
    settings.merged(patch).map_err(|error| error.to_string())
}
