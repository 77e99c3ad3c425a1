//! What is done to a whole image: shown, deleted, deactivated, tagged.

use super::image::Status;
use super::{access, json, schema};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

/// `GET /v2/images/ID`
pub(super) fn show(shared: &Shared, call: &Call) -> Outcome {
    access::seen(shared, call, |image| Ok(json(200, &image.describe())))
}

/// `DELETE /v2/images/ID`: its id stays taken.
pub(super) fn delete(shared: &Shared, call: &Call) -> Outcome {
    let id = access::owned(shared, call, |image| {
        if image.protected {
            let message = format!("Image {} is protected and cannot be deleted.", image.id);
            return Err(Refused::forbidden(message));
        }
        if image.in_use {
            let message =
                format!("Image {} could not be deleted because it is in use: The image has a snapshot.", image.id);
            return Err(Refused::conflict(message));
        }
        Ok(image.id.clone())
    })?;
    let mut state = shared.state();
    let here = state.glance.region(&call.cloud, &call.region);
    // Another request may have been quicker.
    here.images.remove(&id).ok_or_else(|| Refused::not_found(format!("Failed to find image {id} to delete")))?;
    here.burned.insert(id);
    Ok(Reply::empty(204))
}

/// `DELETE /v2/stores/STORE/ID`
pub(super) fn delete_from_store(shared: &Shared, call: &Call) -> Outcome {
    let store = call.name(1);
    let region = shared.region(&call.cloud, &call.region).unwrap_or_default();
    if !region.stores.iter().any(|known| known == store) {
        return Err(Refused::conflict(format!("The selected store {store} is not available on this node.")));
    }
    access::owned(shared, call, |image| {
        if image.status != Status::Active {
            let message = "It's not allowed to remove image data from store if image status is not 'active'";
            return Err(Refused::conflict(message));
        }
        if !image.stores.iter().any(|known| known == store) {
            return Err(Refused::not_found(format!("Image {} is not stored in store {store}.", image.id)));
        }
        if image.stores.len() == 1 {
            return Err(Refused::forbidden("Cannot delete image data from the only store containing it."));
        }
        image.stores.retain(|known| known != store);
        Ok(Reply::empty(204))
    })
}

/// `POST /v2/images/ID/actions/deactivate` and `reactivate`
pub(super) fn switch(shared: &Shared, call: &Call) -> Outcome {
    access::permitted(shared, call, |policy| &policy.deactivate)?;
    let wanted = if call.operation == "DeactivateImage" { Status::Deactivated } else { Status::Active };
    access::owned(shared, call, |image| {
        if !matches!(image.status, Status::Active | Status::Deactivated) {
            let (from, to) = (image.status.name(), wanted.name());
            let message = format!("Not allowed to change image status from {from} to {to}");
            return Err(Refused::forbidden(message));
        }
        image.status = wanted;
        image.updated_at = call.now;
        Ok(Reply::empty(204))
    })
}

/// `PUT` and `DELETE /v2/images/ID/tags/TAG`
pub(super) fn tag(shared: &Shared, call: &Call) -> Outcome {
    let tag = call.name(1).to_owned();
    access::owned(shared, call, |image| {
        if call.operation == "AddTag" {
            schema::within(image.tags.len() + usize::from(!image.tags.contains(&tag)), "tags")?;
            image.tags.insert(tag);
        } else if !image.tags.remove(&tag) {
            return Err(Refused::not_found(format!("Tag {tag} not found")));
        }
        image.updated_at = call.now;
        Ok(Reply::empty(204))
    })
}
