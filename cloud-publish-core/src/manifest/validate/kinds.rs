//! Which sorts of values a schema takes, and how people call them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifest::document::{Node, Tree};
use crate::manifest::words::list;

/// The JSON Schema word for a value's sort.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.tree {
        Tree::Null => "null",
        Tree::Bool(_) => "boolean",
        Tree::Number(number) if number.is_f64() => "number",
        Tree::Number(_) => "integer",
        Tree::Text(_) => "string",
        Tree::Date(_) => "date",
        Tree::List(_) => "array",
        Tree::Table(_) => "object",
    }
}

/// The sorts a schema takes, of all its branches; empty means all.
pub(super) fn kinds(schema: &Value) -> BTreeSet<&str> {
    let own: BTreeSet<&str> = match schema.get("type") {
        Some(Value::String(kind)) => [kind.as_str()].into(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => branches(schema).flat_map(kinds).collect(),
    };
    own
}

/// The words a schema takes, of all its branches.
pub(super) fn words(schema: &Value) -> Vec<&str> {
    let fixed = schema.get("const").into_iter();
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    fixed.chain(listed).filter_map(Value::as_str).chain(branches(schema).flat_map(words)).collect()
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let all = ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema.get(keyword).and_then(Value::as_array));
    all.flatten()
}

/// True when a schema takes any text, not only certain words.
pub(super) fn takes_any_text(schema: &Value) -> bool {
    let inner: Vec<&Value> = branches(schema).collect();
    if inner.is_empty() {
        kinds(schema).contains("string") && words(schema).is_empty()
    } else {
        inner.into_iter().any(takes_any_text)
    }
}

/// What is expected, for people: "`all` or a list".
pub(super) fn expected(schema: &Value) -> String {
    let mut alternatives = Vec::new();
    match words(schema).as_slice() {
        [] => {}
        [word] => alternatives.push(list([*word])),
        words => alternatives.push(format!("one of {}", list(words.iter().copied()))),
    }
    let spelled = !alternatives.is_empty() && !takes_any_text(schema);
    let others = kinds(schema).into_iter().filter(|kind| *kind != "null" && !(spelled && *kind == "string"));
    alternatives.extend(others.map(|kind| spoken(kind).to_owned()));
    alternatives.join(" or ")
}

/// A sort of value as people call it.
pub(super) fn spoken(kind: &str) -> &'static str {
    match kind {
        "null" => "nothing",
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a text",
        "date" => "a date without quotes",
        "array" => "a list",
        _ => "a table",
    }
}
