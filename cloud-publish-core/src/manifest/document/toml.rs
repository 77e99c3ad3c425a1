//! TOML text to a tree; the grammar and its limit of 80 levels are the `toml` crate's.

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Mistake, Node, Tree};

/// Parses a whole document.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|error| Mistake { at: error.span().map_or(0, |span| span.start), message: one_line(error.message()) })
        .collect();
    // What is nested too deep is complained of once for each level that it leaves open.
    mistakes.dedup_by(|next, last| (next.at, &next.message) == (last.at, &last.message));
    let root = self::table(0, table.into_inner(), &mut mistakes);
    if mistakes.is_empty() { Ok(root) } else { Err(mistakes) }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

fn table(at: usize, table: DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Node {
    let entries = table.into_iter().map(|(key, value)| {
        let key_at = key.span().start;
        (key.into_inner().into_owned(), Entry { key_at, node: node(value, mistakes) })
    });
    Node { at, tree: Tree::Table(entries.collect()) }
}

fn node(value: Spanned<DeValue<'_>>, mistakes: &mut Vec<Mistake>) -> Node {
    let at = value.span().start;
    let mut number = |number: Option<Number>| {
        number.map(Tree::Number).unwrap_or_else(|| {
            mistakes.push(Mistake { at, message: "number out of range".to_owned() });
            Tree::Null
        })
    };
    let tree = match value.into_inner() {
        DeValue::String(text) => Tree::Text(text.into_owned()),
        DeValue::Boolean(value) => Tree::Bool(value),
        DeValue::Datetime(date) => Tree::Date(date.to_string()),
        DeValue::Integer(digits) => number(i64::from_str_radix(digits.as_str(), digits.radix()).ok().map(Number::from)),
        DeValue::Float(digits) => number(digits.as_str().parse().ok().and_then(Number::from_f64)),
        DeValue::Array(values) => Tree::List(values.into_iter().map(|value| node(value, mistakes)).collect()),
        DeValue::Table(inner) => return table(at, inner, mistakes),
    };
    Node { at, tree }
}
