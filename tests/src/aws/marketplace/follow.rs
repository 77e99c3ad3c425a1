//! Change sets after their start: described, listed in pages, cancelled.
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-catalog_DescribeChangeSet.html>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{Change, ChangeSet};
use super::{TYPE, arn, in_use, invalid, not_found, paged};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// The most of a page.
const PAGE: u64 = 20;

/// A time as answers have it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn wanted(call: &Call) -> Result<&str, Refused> {
    call.query("changeSetId").ok_or_else(|| invalid("changeSetId is missing"))
}

/// DescribeChangeSet.
pub(super) fn describe(shared: &Shared, call: &Call) -> Outcome {
    let id = wanted(call)?;
    let world = shared.state();
    let set = world.marketplace.change_set(&call.caller.account, id);
    let set = set.ok_or_else(|| not_found(&format!("The change set {id}")))?;
    let mut answer = summary(set, call.now);
    let failed = set.status(call.now) == "FAILED";
    answer["Intent"] = json!(set.intent);
    answer["ChangeSet"] = set.changes.iter().map(|change| described(change, failed)).collect();
    if failed {
        answer["FailureDescription"] = json!("Change set finished with errors. See the changes for details.");
    }
    Ok(Reply::json(&answer))
}

fn described(change: &Change, failed: bool) -> Value {
    let faults = change.faults.iter().filter(|_| failed);
    let errors = faults.map(|fault| json!({"ErrorCode": fault.code, "ErrorMessage": fault.message}));
    json!({
        "ChangeType": change.kind,
        "Entity": {"Type": TYPE, "Identifier": change.product},
        "ChangeName": change.name,
        "Details": change.details.to_string(),
        "DetailsDocument": change.details,
        "ErrorDetailList": errors.collect::<Vec<_>>(),
    })
}

fn summary(set: &ChangeSet, now: Timestamp) -> Value {
    let status = set.status(now);
    json!({
        "ChangeSetId": set.id,
        "ChangeSetArn": arn(&set.account, "ChangeSet", &set.id),
        "ChangeSetName": set.name,
        "StartTime": time(set.started),
        "EndTime": set.ended(now).map(time),
        "Status": status,
        "FailureCode": (status == "FAILED").then_some("CLIENT_ERROR"),
    })
}

/// ListChangeSets: the newest first, unless asked otherwise.
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let filters = call.json["FilterList"].as_array().map(Vec::as_slice).unwrap_or_default();
    let filters: Vec<Filter<'_>> = filters.iter().map(Filter::read).collect::<Result<_, _>>()?;
    let sort = &call.json["Sort"];
    if !matches!(sort["SortBy"].as_str(), None | Some("StartTime" | "EndTime")) {
        return Err(invalid("Change sets are sorted by StartTime or EndTime"));
    }
    let by_end = sort["SortBy"] == "EndTime";
    let world = shared.state();
    let own = world.marketplace.change_sets.iter().filter(|set| set.account == call.caller.account);
    let mut sets: Vec<&ChangeSet> = own.filter(|set| filters.iter().all(|it| it.accepts(set, call.now))).collect();
    sets.sort_by_key(|set| if by_end { set.ended(call.now).unwrap_or(Timestamp::MAX) } else { set.started });
    if sort["SortOrder"] != "ASCENDING" {
        sets.reverse();
    }
    let page = paged(shared, call, sets, PAGE)?;
    let entry = |set: &ChangeSet| {
        let mut entry = summary(set, call.now);
        entry["EntityIdList"] = set.changes.iter().map(|change| json!(change.product)).collect();
        entry
    };
    let list: Vec<Value> = page.items.into_iter().map(entry).collect();
    Ok(Reply::json(&json!({"ChangeSetSummaryList": list, "NextToken": page.next})))
}

/// One filter of a list.
struct Filter<'f> {
    name: &'f str,
    values: Vec<&'f str>,
}

impl<'f> Filter<'f> {
    fn read(filter: &'f Value) -> Result<Self, Refused> {
        let name = filter["Name"].as_str().unwrap_or_default();
        let values: Vec<&str> =
            filter["ValueList"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let times = ["BeforeStartTime", "AfterStartTime", "BeforeEndTime", "AfterEndTime"];
        let is_time = times.contains(&name);
        if !is_time && !["ChangeSetName", "Status", "EntityId"].contains(&name) {
            return Err(invalid(format!("The filter {name} is not supported")));
        }
        if values.is_empty() || (is_time && values.iter().any(|value| value.parse::<Timestamp>().is_err())) {
            return Err(invalid(format!("The filter {name} has no usable value")));
        }
        Ok(Self { name, values })
    }

    fn accepts(&self, set: &ChangeSet, now: Timestamp) -> bool {
        let time = || self.values.first().and_then(|value| value.parse::<Timestamp>().ok());
        let ended = set.ended(now);
        match self.name {
            "ChangeSetName" => set.name.as_deref().is_some_and(|name| self.values.contains(&name)),
            "Status" => self.values.contains(&set.status(now)),
            "EntityId" => set.changes.iter().any(|change| self.values.contains(&change.product.as_str())),
            "BeforeStartTime" => time().is_some_and(|time| set.started < time),
            "AfterStartTime" => time().is_some_and(|time| set.started > time),
            "BeforeEndTime" => time().is_some_and(|time| ended.is_some_and(|end| end < time)),
            _ => time().is_some_and(|time| ended.is_some_and(|end| end > time)),
        }
    }
}

/// CancelChangeSet: as long as it is prepared.
/// <https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-catalog_CancelChangeSet.html>
pub(super) fn cancel(shared: &Shared, call: &Call) -> Outcome {
    let id = wanted(call)?;
    let mut world = shared.state();
    let state = &mut world.marketplace;
    let set = state.change_sets.iter_mut().find(|set| set.account == call.caller.account && set.id == id);
    let set = set.ok_or_else(|| not_found(&format!("The change set {id}")))?;
    if set.status(call.now) != "PREPARING" {
        return Err(in_use(format!("The change set {id} is {} and cannot be cancelled", set.status(call.now))));
    }
    set.cancelled = Some(call.now);
    let products: Vec<String> = set.changes.iter().map(|change| change.product.clone()).collect();
    for product in products {
        if let Some(product) = state.product_mut(&product) {
            product.revisions.retain(|(from, _)| *from <= call.now);
        }
    }
    Ok(Reply::json(&json!({"ChangeSetId": id, "ChangeSetArn": arn(&call.caller.account, "ChangeSet", id)})))
}
