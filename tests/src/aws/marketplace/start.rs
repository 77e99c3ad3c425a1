//! StartChangeSet.
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-catalog_StartChangeSet.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::judge::Bench;
use super::state::{Change, ChangeSet, State};
use super::{TYPE, arn, document, in_use, invalid, not_found, shape};
use crate::aws::call::Call;
use crate::aws::ec2::later;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::settings::Settings;
use crate::aws::world::{Shared, World};

/// The most changes of a set.
const CHANGES: usize = 20;

/// The same token with the same request is the same change set.
pub(super) fn start(shared: &Shared, call: &Call) -> Outcome {
    let account = &call.caller.account;
    let intent = call.text("Intent").unwrap_or("APPLY");
    if !["APPLY", "VALIDATE"].contains(&intent) {
        return Err(invalid(format!("The intent {intent} is neither VALIDATE nor APPLY")));
    }
    let changes = changes(call)?;
    let settings = shared.settings();
    let mut world = shared.state();
    let world = &mut *world;
    if let Some(id) = known(&world.marketplace, call)? {
        return Ok(answer(account, &id));
    }
    check_entities(&world.marketplace, call, &changes)?;
    let changes = judged(world, call, &settings, changes);
    let prepared = later(call.now, settings.delays.change_set);
    let fails = changes.iter().any(|change| !change.faults.is_empty());
    let applies = intent == "APPLY" && !fails;
    let applied = if applies { later(prepared, settings.delays.change_set) } else { prepared };
    let id = world.marketplace.next().replace('-', "");
    if applies {
        changes.iter().for_each(|change| apply(world, change, call, applied));
    }
    if let Some(token) = call.text("ClientRequestToken") {
        let key = (account.clone(), token.to_owned());
        world.marketplace.tokens.insert(key, (call.json.clone(), id.clone()));
    }
    world.marketplace.change_sets.push(ChangeSet {
        id: id.clone(),
        account: account.clone(),
        name: call.text("ChangeSetName").map(str::to_owned),
        intent: intent.to_owned(),
        changes,
        started: call.now,
        prepared,
        applied,
        cancelled: None,
    });
    Ok(answer(account, &id))
}

fn answer(account: &str, id: &str) -> Reply {
    Reply::json(&json!({"ChangeSetId": id, "ChangeSetArn": arn(account, "ChangeSet", id)}))
}

fn known(state: &State, call: &Call) -> Result<Option<String>, Refused> {
    let Some(token) = call.text("ClientRequestToken") else { return Ok(None) };
    if !(1..=64).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("ClientRequestToken must be 1 to 64 visible characters"));
    }
    match state.tokens.get(&(call.caller.account.clone(), token.to_owned())) {
        None => Ok(None),
        Some((before, id)) if *before == call.json => Ok(Some(id.clone())),
        Some(_) => Err(invalid("The ClientRequestToken was used for another request")),
    }
}

/// The changes, if their form is right.
fn changes(call: &Call) -> Result<Vec<Change>, Refused> {
    let wanted = call.json["ChangeSet"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=CHANGES).contains(&wanted.len()) {
        return Err(invalid(format!("A change set has 1 to {CHANGES} changes")));
    }
    let mut seen = BTreeSet::new();
    wanted
        .iter()
        .map(|wanted| {
            let change = change(wanted)?;
            let is_first = seen.insert((change.kind.clone(), change.product.clone()));
            let message = "A change set cannot have the same change type for the same entity twice";
            is_first.then_some(change).ok_or_else(|| invalid(message))
        })
        .collect()
}

fn change(wanted: &Value) -> Result<Change, Refused> {
    let kind = wanted["ChangeType"].as_str().ok_or_else(|| invalid("A change has no ChangeType"))?;
    if wanted["Entity"]["Type"] != TYPE {
        return Err(invalid(format!("The entity type {} is not supported", wanted["Entity"]["Type"])));
    }
    let product = wanted["Entity"]["Identifier"].as_str().ok_or_else(|| invalid("The entity has no Identifier"))?;
    let details = match (wanted["Details"].as_str(), &wanted["DetailsDocument"]) {
        (Some(text), Value::Null) => {
            serde_json::from_str(text).map_err(|error| invalid(format!("Details are no JSON: {error}")))?
        }
        (None, document @ Value::Object(_)) => document.clone(),
        _ => return Err(invalid("A change has either Details or a DetailsDocument")),
    };
    shape::check(kind, &details).map_err(invalid)?;
    let name = wanted["ChangeName"].as_str().map(str::to_owned);
    Ok(Change { kind: kind.to_owned(), product: product.to_owned(), name, details, faults: Vec::new() })
}

/// Each product must be the caller's, be named with its newest revision or none, and be locked by nobody.
fn check_entities(state: &State, call: &Call, changes: &[Change]) -> Result<(), Refused> {
    for change in changes {
        let (id, revision) = split(&change.product);
        let product = state.product(&call.caller.account, id).ok_or_else(|| not_found(&format!("The entity {id}")))?;
        if revision.is_some_and(|revision| revision.parse() != Ok(product.at(call.now).0)) {
            return Err(invalid(format!("{} is not the newest revision", change.product)));
        }
        if let Some(lock) = state.lock_of(id, call.now) {
            let what = "Requested change set has entities locked by change sets";
            return Err(in_use(format!("{what} - entity: '{id}' change sets: {}.", lock.id)));
        }
    }
    Ok(())
}

/// An identifier may have the revision behind it: `prod-example@3`.
fn split(identifier: &str) -> (&str, Option<&str>) {
    identifier.split_once('@').map_or((identifier, None), |(id, revision)| (id, Some(revision)))
}

fn judged(world: &World, call: &Call, settings: &Settings, changes: Vec<Change>) -> Vec<Change> {
    changes
        .into_iter()
        .filter_map(|change| {
            let id = split(&change.product).0.to_owned();
            let product = world.marketplace.product(&call.caller.account, &id)?;
            let bench = Bench { settings, ec2: &world.ec2, product, account: &call.caller.account, now: call.now };
            let faults = bench.judge(&change.kind, &change.details);
            Some(Change { product: id, faults, ..change })
        })
        .collect()
}

/// Makes the revision that comes to light at the end.
fn apply(world: &mut World, change: &Change, call: &Call, applied: jiff::Timestamp) {
    let ids: Vec<String> = (0..3).map(|_| world.marketplace.next()).collect();
    let image =
        change.details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["AmiSource"]["AmiId"].as_str();
    let image = image.and_then(|id| world.ec2.images.get(id));
    let architecture = image.map(|image| image.attributes.architecture.clone()).unwrap_or_default();
    let Some(product) = world.marketplace.product_mut(&change.product) else { return };
    // Several changes of one set make one revision.
    let mut document = product.revisions.last().map(|(_, document)| document.clone()).unwrap_or_default();
    let mut ids = ids.into_iter();
    let mut next = || ids.next().unwrap_or_default();
    match change.kind.as_str() {
        "AddDeliveryOptions" => document::add(&mut document, &change.details, &architecture, (call.now, &mut next)),
        "UpdateDeliveryOptions" => document::update(&mut document, &change.details),
        _ => document::restrict(&mut document, &change.details),
    }
    product.revisions.retain(|(from, _)| *from != applied || *from <= call.now);
    product.revisions.push((applied, document));
}
