//! RunInstances, as far as it shows whether an account can use an image: nothing runs.

use crate::aws::query;
use crate::aws::reply::{Outcome, Refused};
use crate::aws::xml::Xml;

use super::request::{Request, check_id, image_not_found, image_unavailable, invalid};
use super::state::State;

/// A machine that uses an image.
#[derive(Debug)]
pub(super) struct Instance {
    /// Whose machine it is.
    pub(super) account: String,
    /// The image; it may be gone by now.
    pub(super) image: String,
}

/// Launches an image that the caller may use. Deprecated ones can still be launched, disabled ones cannot.
pub(super) fn run(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ImageId")?;
    check_id(id, "ami-")?;
    let count: u32 = query::parsed(request.params(), "MaxCount")?.unwrap_or(1);
    if !(1..=100).contains(&count) {
        return Err(invalid("Value for parameter maxCount is invalid."));
    }
    let (now, account) = (request.now(), request.account());
    let organizations = state.organizations_of(account);
    let image = state
        .images
        .get_mut(id)
        .filter(|image| image.region == request.region() && image.is_open_to(account, &organizations, now))
        .ok_or_else(|| image_not_found(id))?;
    if image.state(now) != "available" {
        return Err(image_unavailable(id));
    }
    image.last_launched = Some(now);
    let ids: Vec<String> = (0..count).map(|_| state.new_id("i-")).collect();
    for instance in &ids {
        state.instances.insert(instance.clone(), Instance { account: account.to_owned(), image: id.to_owned() });
    }
    let reservation = state.new_id("r-");
    request.answer(|xml| {
        xml.text("reservationId", reservation).text("ownerId", account);
        xml.list("instancesSet", ids, |xml, instance| {
            xml.text("instanceId", instance).text("imageId", id);
            write_state(xml, "instanceState", "0", "pending");
        });
    })
}

/// Ends instances of the caller.
pub(super) fn terminate(state: &mut State, request: &Request<'_>) -> Outcome {
    let ids = request.list("InstanceId");
    for id in &ids {
        if state.instances.get(*id).is_none_or(|instance| instance.account != request.account()) {
            let message = format!("The instance ID '{id}' does not exist");
            return Err(Refused::bad("InvalidInstanceID.NotFound", message));
        }
    }
    for id in &ids {
        state.instances.remove(*id);
    }
    request.answer(|xml| {
        xml.list("instancesSet", ids, |xml, id| {
            xml.text("instanceId", id);
            write_state(xml, "currentState", "48", "terminated");
            write_state(xml, "previousState", "16", "running");
        });
    })
}

fn write_state(xml: &mut Xml, name: &str, code: &str, word: &str) {
    xml.node(name, |xml| {
        xml.text("code", code).text("name", word);
    });
}
