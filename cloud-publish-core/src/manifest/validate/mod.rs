//! Checks a document against a JSON Schema and finds everything that is wrong, with places and near words.
//!
//! Only the keywords that our generated schemas use are known ([`KEYWORDS`]; a test holds the schemas to it): they have
//! no `$ref`. A mistyped key counts as one mistake, not as an unknown and a missing one.

mod choice;
mod kinds;
mod scalar;

use serde_json::{Map, Value};

use super::document::{Document, Node, Step, Tree, Way};
use super::problem::{Place, Problem, Problems};
use super::words::{list, nearest, quote};

/// The keywords that are checked, and those that only inform.
#[cfg(test)]
pub(crate) const KEYWORDS: &[&str] = &[
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "maximum",
    "minItems",
    "minimum",
    "oneOf",
    "properties",
    "propertyNames",
    "required",
    "type",
    "$schema",
    "default",
    "description",
    "examples",
    "title",
];

/// Everything in `document` that `schema` does not allow.
pub(crate) fn validate(schema: &Value, document: &Document) -> Problems {
    let mut check = Check { document, way: Way::default(), problems: Problems::default() };
    check.node(schema, document.root());
    check.problems
}

/// The walk through schema and document at once.
struct Check<'d> {
    document: &'d Document,
    way: Way,
    problems: Problems,
}

impl Check<'_> {
    /// Records a mistake at a byte of the text.
    fn wrong(&mut self, at: usize, message: String, suggestion: Option<String>) {
        if self.problems.is_full() {
            // Finding a place in a long line takes time, and nobody will read it.
            return self.problems.count_only();
        }
        let way = self.way.to_string();
        self.wrong_at(self.document.place(at), &way, (message, suggestion));
    }

    fn wrong_at(&mut self, place: Place, way: &str, (message, suggestion): (String, Option<String>)) {
        self.problems.push(Problem { suggestion, ..Problem::new(place, way, message) });
    }

    /// How the value is called in messages: `` `artifact[0].file` ``.
    fn name(&self) -> String {
        if self.way.0.is_empty() { "the document".to_owned() } else { quote(&self.way.to_string()) }
    }

    fn inside(&mut self, step: Step, check: impl FnOnce(&mut Self)) {
        self.way.0.push(step);
        check(self);
        self.way.0.pop();
    }

    fn node(&mut self, schema: &Value, node: &Node) {
        if !self.scalar(schema, node) {
            return;
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(keyword).and_then(Value::as_array) {
                self.choice(branches, node);
            }
        }
        match &node.tree {
            Tree::List(nodes) => self.list(schema, node, nodes),
            Tree::Table(_) => self.table(schema, node),
            _ => {}
        }
    }

    fn list(&mut self, schema: &Value, node: &Node, nodes: &[Node]) {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
        if (nodes.len() as u64) < least {
            self.wrong(node.at, format!("{} is empty", self.name()), None);
        }
        if let Some(items) = schema.get("items") {
            for (index, item) in nodes.iter().enumerate() {
                self.inside(Step::Index(index), |check| check.node(items, item));
            }
        }
    }

    fn table(&mut self, schema: &Value, node: &Node) {
        let empty = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let mut mistyped = Vec::new();
        for (key, entry) in node.entries() {
            if let Some(inner) = known.get(key).or_else(|| schema.get("additionalProperties").filter(|s| s.is_object()))
            {
                if let Some(names) = schema.get("propertyNames").filter(|_| !known.contains_key(key)) {
                    self.inside(Step::Key(key.clone()), |check| check.key(names, key, entry.key_at));
                }
                self.inside(Step::Key(key.clone()), |check| check.node(inner, &entry.node));
            } else if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                mistyped.extend(self.unknown_key(known, node, key));
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| node.get(key).is_none()) {
            if !mistyped.contains(&key) {
                self.missing(node, &quote(key));
            }
        }
    }

    /// Reports a key that the table does not have; returns the absent one that was probably meant.
    fn unknown_key<'s>(&mut self, known: &'s Map<String, Value>, table: &Node, key: &str) -> Option<&'s str> {
        let words = || known.keys().map(String::as_str);
        if self.problems.is_full() {
            self.problems.count_only();
            return None;
        }
        let meant = nearest(key, words().filter(|word| table.get(word).is_none()));
        let suggestion = match meant {
            Some(meant) => format!("did you mean {}?", quote(meant)),
            None => format!("known here are {}", list(words())),
        };
        let at = table.entries().get(key).map_or(table.at, |entry| entry.key_at);
        self.inside(Step::Key(key.to_owned()), |check| {
            check.wrong(at, format!("unknown key {}", quote(key)), Some(suggestion));
        });
        meant
    }

    fn missing(&mut self, node: &Node, keys: &str) {
        let table = if self.way.0.is_empty() { String::new() } else { format!(" in {}", self.name()) };
        self.wrong(node.at, format!("missing key {keys}{table}"), None);
    }
}

#[cfg(test)]
mod tests;
