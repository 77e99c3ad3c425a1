//! The calls that steer a world from outside. They need no signature.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::reply::Reply;
use super::settings::Settings;
use super::world::Shared;
use crate::fake::Rule;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Milliseconds.
    ms: i64,
}

/// Answers a control call; nothing if the path is none of them.
pub(crate) fn handle(shared: &Shared, method: &str, path: &str, body: &Bytes) -> Option<Reply> {
    let answer = match (method, path) {
        ("GET", "/health") => Ok(json!({"status": "running"})),
        ("GET", "/_fake/log") => Ok(json!({"requests": shared.requests(), "exposures": shared.exposures()})),
        ("GET", "/_fake/log/all") => Ok(json!({"requests": shared.all_requests()})),
        ("GET", "/_fake/state") => Ok(shared.dump()),
        ("GET", "/_fake/settings") => Ok(json!(*shared.settings())),
        ("POST", _) if path.starts_with("/_fake/") => steer(shared, path, body).map(|()| json!({})),
        _ if path.starts_with("/_fake/") => Err(format!("no control call {method} {path}")),
        _ => return None,
    };
    Some(match answer {
        Ok(answer) => whole(&answer),
        Err(message) => whole(&json!({"error": message})).status(400),
    })
}

/// Nulls included: what was never answered has a status, which is null.
fn whole(answer: &Value) -> Reply {
    Reply::bytes(Bytes::from(answer.to_string())).header("content-type", "application/json")
}

fn steer(shared: &Shared, path: &str, body: &Bytes) -> Result<(), String> {
    match path {
        "/_fake/reset" => shared.reset(merged(&Settings::default(), body)?),
        "/_fake/settings" => shared.set_settings(merged(&shared.settings(), body)?),
        "/_fake/faults" => shared.set_faults(read::<Vec<Rule>>(body)?),
        "/_fake/advance" => shared.advance(read::<Advance>(body)?.ms),
        _ => return Err(format!("no control call {path}")),
    }
    Ok(())
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn merged(settings: &Settings, body: &Bytes) -> Result<Settings, String> {
    let patch = if body.is_empty() { json!({}) } else { read(body)? };
    settings.merged(patch).map_err(|error| error.to_string())
}
