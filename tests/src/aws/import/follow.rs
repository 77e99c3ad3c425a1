//! Import tasks after their start: described in pages, cancelled.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImportSnapshotTasks.html>

use super::task::{Fate, Task};
use crate::aws::call::Call;
use crate::aws::paging::{Wanted, page};
use crate::aws::query::{Filter, list, parsed};
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;
use crate::aws::xml::Xml;

/// DescribeImportSnapshotTasks.
pub(super) fn describe(shared: &Shared, call: &Call) -> Outcome {
    // Elsewhere they are sent as `Filter.N`; here the service's model gives the list no other name than its own.
    let renamed = call.params.iter().filter_map(|(name, value)| {
        name.strip_prefix("Filters.").map(|rest| (format!("Filter.{rest}"), value.clone()))
    });
    let filters = Filter::all(&renamed.collect())?;
    if let Some(filter) = filters.iter().find(|filter| !filter.name.starts_with("tag:") && filter.name != "tag-key") {
        return Err(filter.unknown());
    }
    let world = shared.state();
    let place = (call.caller.account.clone(), call.region.clone());
    let ids = list(&call.params, "ImportTaskId");
    for id in &ids {
        check_id(id)?;
        if !world.import.tasks.contains_key(&(place.clone(), (*id).to_owned())) {
            return Err(Refused::bad("InvalidConversionTaskId", format!("The import task {id} does not exist")));
        }
    }
    let tasks = world
        .import
        .tasks
        .iter()
        .filter(|((at, id), _)| *at == place && (ids.is_empty() || ids.contains(&id.as_str())));
    let tasks: Vec<_> = tasks.filter(|(_, task)| filters.iter().all(|filter| is_accepted(task, filter))).collect();
    let wanted = Wanted {
        most: parsed(&call.params, "MaxResults")?,
        cap: shared.settings().page_size,
        token: call.param("NextToken"),
    };
    let page =
        page(tasks, wanted).map_err(|_| Refused::bad("InvalidParameterValue", "Unable to parse pagination token"))?;
    let mut xml = Xml::new();
    xml.list("importSnapshotTaskSet", page.items, |xml, ((_, id), task)| task.write(xml, id, call.now));
    xml.optional("nextToken", page.next);
    Ok(Reply::ec2(call, &xml))
}

fn is_accepted(task: &Task, filter: &Filter) -> bool {
    match filter.name.strip_prefix("tag:") {
        Some(key) => task.tags.get(key).is_some_and(|value| filter.accepts(value)),
        None => task.tags.keys().any(|key| filter.accepts(key)),
    }
}

/// CancelImportTask: an active one; its snapshot never comes to light.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelImportTask.html>
pub(super) fn cancel(shared: &Shared, call: &Call) -> Outcome {
    let id = call.required("ImportTaskId")?;
    check_id(id)?;
    let place = (call.caller.account.clone(), call.region.clone());
    let mut world = shared.state();
    let world = &mut *world;
    let task = world.import.tasks.get_mut(&(place, id.to_owned()));
    let task =
        task.ok_or_else(|| Refused::bad("InvalidConversionTaskId", format!("The import task {id} does not exist")))?;
    let before = task.status(call.now);
    if before != "active" {
        return Err(Refused::bad("IncorrectState", format!("The import task {id} is {before}")));
    }
    let reason = call.param("CancelReason").unwrap_or("User initiated task cancelation").to_owned();
    if let Fate::Snapshot(snapshot) = std::mem::replace(&mut task.fate, Fate::Cancelled(reason)) {
        world.ec2.snapshots.remove(&snapshot);
    }
    let mut xml = Xml::new();
    xml.text("importTaskId", id).text("previousState", before).text("state", "deleting");
    Ok(Reply::ec2(call, &xml))
}

fn check_id(id: &str) -> Result<(), Refused> {
    let digits = id.strip_prefix("import-snap-").unwrap_or_default();
    if digits.len() == 17 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Refused::bad(
        "InvalidConversionTaskId.Malformed",
        format!("Invalid id: \"{id}\" (expecting \"import-snap-...\")"),
    ))
}
