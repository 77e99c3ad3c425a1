//! The limits of projects: <https://docs.openstack.org/glance/latest/admin/quotas.html>.

use serde_json::{Value, json};

use super::state::Regional;
use crate::openstack::call::Call;
use crate::openstack::refused::Refused;
use crate::openstack::settings::Quotas;
use crate::openstack::world::Shared;

const MIB: u64 = 1 << 20;

/// What a project uses.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    /// MiB
    size: u64,
    /// MiB
    staged: u64,
    count: u64,
    uploading: u64,
}

/// Refuses one more record.
pub(super) fn room_for_record(shared: &Shared, call: &Call, here: &Regional) -> Result<(), Refused> {
    let count = |used: Used, quotas: Quotas| ("image_count_total", quotas.image_count_total, used.count, 1);
    check(shared, call, here, count)
}

/// Refuses so many bytes; a body of unknown length counts as none, as at Glance.
pub(super) fn room_for_data(shared: &Shared, call: &Call, here: &Regional, bytes: u64) -> Result<(), Refused> {
    check(shared, call, here, |used, quotas| ("image_size_total", quotas.image_size_total, used.size, bytes / MIB))
}

/// Refuses so many bytes to be staged.
pub(super) fn room_to_stage(shared: &Shared, call: &Call, here: &Regional, bytes: u64) -> Result<(), Refused> {
    check(shared, call, here, |used, quotas| ("image_stage_total", quotas.image_stage_total, used.staged, bytes / MIB))
}

/// Refuses when too many uploads are under way, the one that asks included.
pub(super) fn uploads(shared: &Shared, call: &Call, here: &Regional) -> Result<(), Refused> {
    check(shared, call, here, |used, quotas| ("image_count_uploading", quotas.image_count_uploading, used.uploading, 0))
}

/// `GET /v2/info/usage`
pub(super) fn usage(shared: &Shared, call: &Call, here: &Regional) -> Value {
    let Some(quotas) = quotas(shared, call) else { return json!({"usage": {}}) };
    let used = used(call, here);
    let entry = |limit: u64, usage: u64| json!({"limit": limit, "usage": usage});
    json!({"usage": {
        "image_size_total": entry(quotas.image_size_total, used.size),
        "image_stage_total": entry(quotas.image_stage_total, used.staged),
        "image_count_total": entry(quotas.image_count_total, used.count),
        "image_count_uploading": entry(quotas.image_count_uploading, used.uploading),
    }})
}

/// `limit` tells name, limit, what is used, and how much more is wanted.
fn check(
    shared: &Shared,
    call: &Call,
    here: &Regional,
    limit: impl FnOnce(Used, Quotas) -> (&'static str, u64, u64, u64),
) -> Result<(), Refused> {
    let Some(quotas) = quotas(shared, call) else { return Ok(()) };
    let (name, limit, usage, wanted) = limit(used(call, here), quotas);
    if usage + wanted <= limit {
        return Ok(());
    }
    let project = &call.caller.project_id;
    Err(Refused::too_large(format!(
        "Project {project} is over a limit for [Resource {name} is over limit of {limit} due to current usage {usage} \
         and delta {wanted}]"
    )))
}

fn quotas(shared: &Shared, call: &Call) -> Option<Quotas> {
    shared.settings().clouds.get(&call.cloud)?.projects.get(&call.caller.project)?.quotas
}

fn used(call: &Call, here: &Regional) -> Used {
    let mut used = Used::default();
    let (mut size, mut staged) = (0, 0);
    for image in here.images.values().filter(|image| image.owner == call.caller.project_id) {
        let stores = image.stores.len().max(1) as u64;
        size += image.content.as_ref().map_or(0, |content| content.size * stores);
        staged += image.staged.as_ref().map_or(0, |content| content.size);
        used.count += 1;
        used.uploading += u64::from(image.status.is_uploading());
    }
    (used.size, used.staged) = (size / MIB, staged / MIB);
    used
}
