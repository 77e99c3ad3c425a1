//! `POST /v2/images`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::image::{Image, Status};
use super::{access, json, quota, schema};
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let wanted: Map<String, Value> = call.json()?;
    let image = read(call, &wanted)?;
    if image.owner != call.caller.project_id && !call.caller.is_admin() {
        let message = format!("You are not permitted to create images owned by '{}'", image.owner);
        return Err(Refused::forbidden(message));
    }
    access::may_show(shared, call, &image.visibility)?;
    let region = shared.region(&call.cloud, &call.region).unwrap_or_default();
    let mut state = shared.state();
    let here = state.glance.region(&call.cloud, &call.region);
    quota::room_for_record(shared, call, here)?;
    if here.images.contains_key(&image.id) || here.burned.contains(&image.id) {
        return Err(Refused::conflict(format!("Image ID {} already exists!", image.id)));
    }
    if !image.audience().is_empty() {
        access::expose(shared, call, &image);
    }
    let reply = json(201, &image.describe()).header("location", format!("/v2/images/{}", image.id));
    let reply = reply.header("openstack-image-import-methods", region.import_methods.join(","));
    here.images.insert(image.id.clone(), image);
    Ok(if region.stores.is_empty() {
        reply
    } else {
        reply.header("openstack-image-store-ids", region.stores.join(","))
    })
}

fn read(call: &Call, wanted: &Map<String, Value>) -> Result<Image, Refused> {
    let mut image = Image {
        id: Uuid::new_v4().to_string(),
        seq: call.seq,
        name: None,
        status: Status::Queued,
        visibility: "shared".to_owned(),
        owner: call.caller.project_id.clone(),
        disk_format: None,
        container_format: None,
        os_hidden: false,
        protected: false,
        min_disk: 0,
        min_ram: 0,
        tags: BTreeSet::new(),
        created_at: call.now,
        updated_at: call.now,
        properties: BTreeMap::new(),
        members: BTreeMap::new(),
        stores: Vec::new(),
        content: None,
        staged: None,
        busy: None,
        in_use: false,
    };
    for (name, value) in wanted {
        schema::may_be_set(name)?;
        match name.as_str() {
            "id" => image.id = schema::id(value)?,
            _ => schema::set(&mut image, name, value)?,
        }
    }
    Ok(image)
}
