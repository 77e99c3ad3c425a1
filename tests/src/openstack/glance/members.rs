//! With whom an image is shared: <https://docs.openstack.org/api-ref/image/v2/#sharing>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::image::{Image, Member};
use super::{access, json as answer, schema};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

#[derive(Deserialize)]
struct Add {
    member: String,
}

#[derive(Deserialize)]
struct Update {
    status: String,
}

pub(super) fn handle(shared: &Shared, call: &Call) -> Outcome {
    match call.operation {
        "ListMembers" => access::seen(shared, call, |image| {
            shared_only(image)?;
            let all = image.members.iter().filter(|(project, _)| may_see(call, image, project));
            let list: Vec<Value> = all.map(|(project, member)| member.describe(&image.id, project)).collect();
            Ok(answer(200, &json!({"members": list, "schema": "/v2/schemas/members"})))
        }),
        "ShowMember" => access::seen(shared, call, |image| {
            let member = image.members.get(call.name(1)).filter(|_| may_see(call, image, call.name(1)));
            Ok(answer(200, &member.ok_or_else(|| unknown(call))?.describe(&image.id, call.name(1))))
        }),
        "AddMember" => {
            let Add { member } = call.json()?;
            access::owned(shared, call, |image| add(shared, call, image, member))
        }
        "UpdateMember" => update(shared, call),
        _ => access::owned(shared, call, |image| {
            shared_only(image)?;
            image.members.remove(call.name(1)).ok_or_else(|| unknown(call))?;
            access::expose(shared, call, image);
            Ok(Reply::empty(204))
        }),
    }
}

fn add(shared: &Shared, call: &Call, image: &mut Image, project: String) -> Outcome {
    shared_only(image)?;
    if project.is_empty() || project.chars().count() > 255 {
        return Err(Refused::bad("Member can't be empty"));
    }
    if image.members.contains_key(&project) {
        return Err(Refused::conflict(format!("Member {project} is duplicated for image {}", image.id)));
    }
    schema::within(image.members.len() + 1, "members")?;
    let member = Member { status: "pending".to_owned(), created_at: call.now, updated_at: call.now };
    let body = member.describe(&image.id, &project);
    image.members.insert(project, member);
    access::expose(shared, call, image);
    Ok(answer(200, &body))
}

/// The consumer accepts or rejects; the owner cannot.
fn update(shared: &Shared, call: &Call) -> Outcome {
    let Update { status } = call.json()?;
    if !["pending", "accepted", "rejected"].contains(&status.as_str()) {
        return Err(Refused::bad(format!("'{status}' is not a valid member status")));
    }
    let project = call.name(1);
    if project != call.caller.project_id && !call.caller.is_admin() {
        let message = format!("Not allowed to update members for image {}.", call.name(0));
        return access::seen(shared, call, |_| Err(Refused::forbidden(message)));
    }
    let mut state = shared.state();
    let image = state.glance.region(&call.cloud, &call.region).images.get_mut(call.name(0));
    let image = image.ok_or_else(|| unknown(call))?;
    let id = image.id.clone();
    let member = image.members.get_mut(project).ok_or_else(|| unknown(call))?;
    member.status = status;
    member.updated_at = call.now;
    Ok(answer(200, &member.describe(&id, project)))
}

fn may_see(call: &Call, image: &Image, project: &str) -> bool {
    call.caller.is_admin() || image.owner == call.caller.project_id || project == call.caller.project_id
}

fn shared_only(image: &Image) -> Result<(), Refused> {
    if image.visibility == "shared" {
        return Ok(());
    }
    Err(Refused::forbidden("Only shared images have members."))
}

fn unknown(call: &Call) -> Refused {
    let (image, member) = (call.name(0), call.name(1));
    Refused::not_found(format!("{member} not found in the member list of the image {image}."))
}
