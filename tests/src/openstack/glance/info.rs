//! What a Glance says of itself: versions, import methods, stores, limits.

use serde_json::{Value, json};

use super::{json as answer, quota};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

/// The minor versions of a Glance with several stores, the newest first:
/// <https://docs.openstack.org/api-ref/image/versions/>.
const VERSIONS: [u8; 16] = [17, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

/// 300 unless they were asked for.
pub(super) fn versions(shared: &Shared, call: &Call) -> Reply {
    let href = shared.address(&format!("{}/image/{}/v2/", call.cloud, call.region));
    let version = |minor: &u8| {
        let status = if Some(minor) == VERSIONS.first() { "CURRENT" } else { "SUPPORTED" };
        json!({"id": format!("v2.{minor}"), "status": status, "links": [{"rel": "self", "href": href}]})
    };
    let status = if call.operation == "ShowVersions" { 200 } else { 300 };
    answer(status, &json!({"versions": VERSIONS.iter().map(version).collect::<Vec<Value>>()}))
}

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let region = shared.region(&call.cloud, &call.region).unwrap_or_default();
    let body = match call.operation {
        "ShowImportMethods" => {
            let methods =
                json!({"description": "Import methods available.", "type": "array", "value": region.import_methods});
            json!({"import-methods": methods})
        }
        "ListStores" if region.stores.is_empty() => {
            return Err(Refused::not_found("Multi backend is not supported at this site."));
        }
        "ListStores" => {
            let store = |(at, id): (usize, &String)| match at {
                0 => json!({"id": id, "default": "true"}),
                _ => json!({"id": id}),
            };
            json!({"stores": region.stores.iter().enumerate().map(store).collect::<Vec<Value>>()})
        }
        _ => {
            let mut state = shared.state();
            quota::usage(shared, call, state.glance.region(&call.cloud, &call.region))
        }
    };
    Ok(answer(200, &body))
}
