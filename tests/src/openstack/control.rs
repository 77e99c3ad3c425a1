//! The calls that steer a world from outside. They need no token.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::settings::Settings;
use super::world::Shared;
use crate::fake::{Received, Reply, Rule};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Milliseconds.
    ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InUse {
    cloud: String,
    region: String,
    image: String,
    in_use: bool,
}

/// Tells whether a path is that of a control call.
pub(crate) fn is_control(path: &str) -> bool {
    path == "/health" || path.starts_with("/_fake/")
}

/// Answers a control call.
pub(crate) fn handle(shared: &Shared, received: &Received) -> Reply {
    let path = received.uri.split('?').next().unwrap_or("/");
    let answer = match (received.method.as_str(), path) {
        ("GET", "/health") => Ok(json!({"status": "running"})),
        ("GET", "/_fake/log") => Ok(json!({"requests": shared.requests(), "exposures": shared.exposures()})),
        ("GET", "/_fake/state") => Ok(shared.dump()),
        ("GET", "/_fake/settings") => Ok(json!(*shared.settings())),
        ("POST", _) => steer(shared, path, &received.body).map(|()| json!({})),
        (method, _) => Err(format!("no control call {method} {path}")),
    };
    match answer {
        Ok(answer) => whole(&answer),
        Err(message) => whole(&json!({"error": message})).status(400),
    }
}

fn whole(answer: &Value) -> Reply {
    Reply::bytes(Bytes::from(answer.to_string())).header("content-type", "application/json")
}

fn steer(shared: &Shared, path: &str, body: &Bytes) -> Result<(), String> {
    match path {
        "/_fake/reset" => shared.reset(merged(&Settings::default(), body)?),
        "/_fake/settings" => shared.set_settings(merged(&shared.settings(), body)?),
        "/_fake/faults" => shared.set_faults(read::<Vec<Rule>>(body)?),
        "/_fake/advance" => shared.advance(read::<Advance>(body)?.ms),
        "/_fake/revoke-tokens" => shared.revoke_tokens(),
        "/_fake/use" => {
            let InUse { cloud, region, image, in_use } = read(body)?;
            let found = shared.use_image((&cloud, &region), &image, in_use);
            return found.then_some(()).ok_or_else(|| format!("no image {image} in {region} of {cloud}"));
        }
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
