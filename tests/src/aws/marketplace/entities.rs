//! Products, described and listed.
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-catalog_DescribeEntity.html>

use serde_json::{Value, json};

use super::follow::time;
use super::state::Product;
use super::{TYPE, arn, invalid, not_found, paged};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;
use crate::fake::glob;

/// The type of AMI products in lists.
const LISTED: &str = "AmiProduct";

/// The most of a page.
const PAGE: u64 = 50;

/// DescribeEntity: the product as it is, both as text and as a document.
pub(super) fn describe(shared: &Shared, call: &Call) -> Outcome {
    let id = call.query("entityId").ok_or_else(|| invalid("entityId is missing"))?;
    let world = shared.state();
    let product = world.marketplace.product(&call.caller.account, id);
    let product = product.ok_or_else(|| not_found(&format!("The entity {id}")))?;
    let (revision, document) = product.at(call.now);
    Ok(Reply::json(&json!({
        "EntityType": TYPE,
        "EntityIdentifier": format!("{id}@{revision}"),
        "EntityArn": arn(&call.caller.account, LISTED, id),
        "LastModifiedDate": time(product.modified(call.now)),
        "Details": document.to_string(),
        "DetailsDocument": document,
    })))
}

/// ListEntities of AMI products, with the filters that are theirs.
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    if call.text("EntityType") != Some(LISTED) {
        return Err(invalid(format!("The entity type {} is not supported", call.json["EntityType"])));
    }
    let filters = filters(call)?;
    let world = shared.state();
    let own = world.marketplace.products(&call.caller.account);
    let found = own.filter(|(id, product)| filters.iter().all(|filter| filter.accepts(id, product)));
    let page = paged(shared, call, found.collect(), PAGE)?;
    let entry = |(id, product): (&String, &Product)| {
        json!({
            "Name": product.title,
            "EntityType": LISTED,
            "EntityId": id,
            "EntityArn": arn(&product.account, LISTED, id),
            "LastModifiedDate": time(product.modified(call.now)),
            "Visibility": product.visibility,
            "AmiProductSummary": {"ProductTitle": product.title, "Visibility": product.visibility},
        })
    };
    let list: Vec<Value> = page.items.into_iter().map(entry).collect();
    Ok(Reply::json(&json!({"EntitySummaryList": list, "NextToken": page.next})))
}

struct Filter {
    name: String,
    patterns: Vec<String>,
}

impl Filter {
    fn accepts(&self, id: &str, product: &Product) -> bool {
        let value = match self.name.as_str() {
            "EntityId" => id,
            "Visibility" => &product.visibility,
            _ => &product.title,
        };
        self.patterns.iter().any(|pattern| glob(pattern, value))
    }
}

fn filters(call: &Call) -> Result<Vec<Filter>, Refused> {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut filters = Vec::new();
    for filter in call.json["FilterList"].as_array().into_iter().flatten() {
        let name = filter["Name"].as_str().unwrap_or_default().to_owned();
        filters.push(Filter { name, patterns: texts(&filter["ValueList"]) });
    }
    for (name, filter) in call.json["EntityTypeFilters"]["AmiProductFilters"].as_object().into_iter().flatten() {
        let mut patterns = texts(&filter["ValueList"]);
        patterns.extend(filter["WildCardValue"].as_str().map(|text| format!("*{text}*")));
        filters.push(Filter { name: name.clone(), patterns });
    }
    let known = ["EntityId", "Visibility", "ProductTitle", "Name"];
    match filters.iter().find(|filter| !known.contains(&filter.name.as_str()) || filter.patterns.is_empty()) {
        Some(filter) => Err(invalid(format!("The filter {} is not supported or has no value", filter.name))),
        None => Ok(filters),
    }
}
