//! Who sees an image, who may change it, and what the policy says. What one may not see is not found.

use super::image::Image;
use crate::fake::Exposure;
use crate::openstack::call::{Call, Caller};
use crate::openstack::refused::Refused;
use crate::openstack::settings::Policy;
use crate::openstack::world::Shared;

/// Runs with an image that the caller may see.
pub(super) fn seen<T>(
    shared: &Shared,
    call: &Call,
    run: impl FnOnce(&Image) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut state = shared.state();
    let images = &state.glance.region(&call.cloud, &call.region).images;
    run(images.get(call.name(0)).filter(|image| sees(&call.caller, image)).ok_or_else(|| not_found(call))?)
}

/// Runs with an image that the caller may change.
pub(super) fn owned<T>(
    shared: &Shared,
    call: &Call,
    run: impl FnOnce(&mut Image) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut state = shared.state();
    let images = &mut state.glance.region(&call.cloud, &call.region).images;
    let image = images.get_mut(call.name(0)).filter(|image| sees(&call.caller, image));
    let image = image.ok_or_else(|| not_found(call))?;
    may_change(&call.caller, image)?;
    run(image)
}

/// Everybody sees their own, what is public or for the community, and what is shared with them.
pub(super) fn sees(caller: &Caller, image: &Image) -> bool {
    caller.is_admin()
        || image.owner == caller.project_id
        || matches!(image.visibility.as_str(), "public" | "community")
        || (image.visibility == "shared" && image.members.contains_key(&caller.project_id))
}

/// The owner and administrators.
pub(super) fn may_change(caller: &Caller, image: &Image) -> Result<(), Refused> {
    if caller.is_admin() || image.owner == caller.project_id {
        return Ok(());
    }
    Err(Refused::forbidden(format!("You are not authorized to modify image {}.", image.id)))
}

/// Tells whether the policy lets the caller do something that it rules in particular.
pub(super) fn permitted(shared: &Shared, call: &Call, may: impl FnOnce(&Policy) -> &[String]) -> Result<(), Refused> {
    let cloud = shared.cloud(&call.cloud).unwrap_or_default();
    if Policy::allows(may(&cloud.policy), &call.caller.roles) {
        return Ok(());
    }
    Err(Refused::forbidden("You are not authorized to complete this action."))
}

/// Tells whether an image may get this visibility.
pub(super) fn may_show(shared: &Shared, call: &Call, visibility: &str) -> Result<(), Refused> {
    match visibility {
        "public" => permitted(shared, call, |policy| &policy.publicize),
        "community" => permitted(shared, call, |policy| &policy.communitize),
        _ => Ok(()),
    }
}

/// Notes in the log who sees an image from now on.
pub(super) fn expose(shared: &Shared, call: &Call, image: &Image) {
    shared.log.expose(Exposure {
        seq: call.seq,
        time: call.now,
        kind: "image",
        id: image.id.clone(),
        region: call.region.clone(),
        sharing: image.audience(),
    });
}

fn not_found(call: &Call) -> Refused {
    Refused::not_found(format!("No image found with ID {}", call.name(0)))
}
