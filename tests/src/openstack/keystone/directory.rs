//! Projects, as clients look them up by name or id.

use serde_json::{Value, json};

use super::{answer, domain};
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::settings::project_id;
use crate::openstack::world::Shared;

pub(super) fn projects(shared: &Shared, call: &Call) -> Outcome {
    let cloud = shared.cloud(&call.cloud).ok_or_else(Refused::unauthorized)?;
    let mine = |project: &str| cloud.users.get(&call.caller.user).is_some_and(|user| user.roles.contains_key(project));
    let describe = |name: &String| -> Value {
        let id = project_id(&call.cloud, name);
        json!({"id": id, "name": name, "domain_id": domain()["id"], "enabled": true, "is_domain": false, "description": "",
               "parent_id": domain()["id"], "tags": [], "options": {}})
    };
    if call.operation == "ShowProject" {
        let mut names = cloud.projects.keys();
        let wanted = names.find(|name| project_id(&call.cloud, name) == call.name(0));
        let refused = || Refused::not_found(format!("Could not find project: {}.", call.name(0)));
        let wanted = wanted.ok_or_else(refused)?;
        if !call.caller.is_admin() && !mine(wanted) {
            return Err(Refused::forbidden(
                "You are not authorized to perform the requested action: identity:get_project.",
            ));
        }
        return Ok(answer(200, &json!({"project": describe(wanted)})));
    }
    if call.operation == "ListProjects" && !call.caller.is_admin() {
        return Err(Refused::forbidden(
            "You are not authorized to perform the requested action: identity:list_projects.",
        ));
    }
    let named = |name: &&String| call.query("name").is_none_or(|wanted| wanted == name.as_str());
    let all = cloud.projects.keys().filter(named);
    let listed: Vec<Value> = all.filter(|name| call.operation == "ListProjects" || mine(name)).map(describe).collect();
    Ok(answer(200, &json!({"projects": listed, "links": {"next": null, "self": null, "previous": null}})))
}
