//! `PATCH /v2/images/ID`: all changes or none.

use serde::Deserialize;
use serde_json::Value;

use super::image::Image;
use super::{access, json, schema};
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

const CONTENT_TYPE: &str = "application/openstack-images-v2.1-json-patch";

#[derive(Deserialize)]
struct Change {
    op: String,
    path: String,
    value: Option<Value>,
}

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    if call.header("content-type").map(|kind| kind.split(';').next().unwrap_or_default().trim()) != Some(CONTENT_TYPE) {
        return Err(Refused::new(415, format!("Accepted: {CONTENT_TYPE}")));
    }
    let changes: Vec<Change> = call.json()?;
    access::owned(shared, call, |image| {
        let mut changed = image.clone();
        for change in changes {
            apply(shared, call, &mut changed, change)?;
        }
        if changed.owner != image.owner && !call.caller.is_admin() {
            return Err(Refused::forbidden("Owner can't be updated by non admin."));
        }
        changed.updated_at = call.now;
        if changed.audience() != image.audience() {
            access::expose(shared, call, &changed);
        }
        *image = changed;
        Ok(json(200, &image.describe()))
    })
}

fn apply(shared: &Shared, call: &Call, image: &mut Image, change: Change) -> Result<(), Refused> {
    let name = pointer(&change.path)?;
    if name == "id" {
        return Err(Refused::forbidden("Attribute 'id' is read-only."));
    }
    schema::may_be_set(&name)?;
    let is_base = schema::is_base(&name);
    let missing = || Refused::conflict(format!("Property {name} does not exist."));
    match change.op.as_str() {
        "remove" if is_base => Err(Refused::forbidden(format!("Property {name} may not be removed."))),
        "remove" => image.properties.remove(&name).map(drop).ok_or_else(missing),
        "replace" if !is_base && !image.properties.contains_key(&name) => Err(missing()),
        "add" | "replace" => {
            let refused = || Refused::bad(format!("Operation \"{}\" requires a member named \"value\".", change.op));
            let value = change.value.as_ref().ok_or_else(refused)?;
            if name == "visibility" {
                access::may_show(shared, call, value.as_str().unwrap_or_default())?;
            }
            schema::set(image, &name, value)
        }
        other => Err(Refused::bad(format!(
            "Invalid operation: `{other}`. It must be one of the following: add, remove, replace."
        ))),
    }
}

/// The name in a JSON pointer of one part: <https://www.rfc-editor.org/rfc/rfc6901>.
fn pointer(path: &str) -> Result<String, Refused> {
    let name = path.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/'));
    let name = name.ok_or_else(|| Refused::bad(format!("Invalid JSON pointer for this resource: '{path}'")))?;
    Ok(name.replace("~1", "/").replace("~0", "~"))
}
