//! `oneOf` and `anyOf`: finds the branch that was meant, and reports only what is wrong with that one.

use serde_json::Value;

use super::Check;
use super::kinds::{takes_any_text, words};
use super::scalar::takes;
use crate::manifest::document::{Node, Step, Way};
use crate::manifest::problem::Problems;
use crate::manifest::words::quote;

impl Check<'_> {
    /// Checks that one of the branches takes the value.
    pub(super) fn choice(&mut self, branches: &[Value], node: &Node) {
        if let Some(keys) = only_required(branches) {
            if !keys.iter().any(|key| node.get(key).is_some()) {
                let keys: Vec<String> = keys.iter().map(|key| quote(key)).collect();
                self.missing(node, &keys.join(" or "));
            }
        } else if let Some(key) = discriminator(branches) {
            self.tagged(branches, key, node);
        } else {
            self.untagged(branches, node);
        }
    }

    /// The branches differ by the word of one key, as targets do by `provider`.
    fn tagged(&mut self, branches: &[Value], key: &str, node: &Node) {
        let word_of = |branch: &Value| words(property(branch, key)?).first().map(|word| (*word).to_owned());
        let Some(entry) = node.entries().get(key) else {
            match branches.first().filter(|branch| !takes(branch, node)) {
                Some(branch) => self.mistyped(branch, node),
                None => self.missing(node, &quote(key)),
            }
            return;
        };
        let Some(text) = entry.node.text() else {
            if let Some(schema) = branches.first().and_then(|branch| property(branch, key)) {
                self.inside(Step::Key(key.to_owned()), |check| check.mistyped(schema, &entry.node));
            }
            return;
        };
        match branches.iter().find(|branch| word_of(branch).as_deref() == Some(text)) {
            Some(branch) => self.node(branch, node),
            None => {
                let words: Vec<String> = branches.iter().filter_map(word_of).collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.inside(Step::Key(key.to_owned()), |check| check.unknown_word(&entry.node, text, &words));
            }
        }
    }

    /// The branches differ by sort of value, by word, or by keys.
    fn untagged(&mut self, branches: &[Value], node: &Node) {
        let mut tried = Vec::new();
        for branch in branches.iter().filter(|branch| takes(branch, node)) {
            let mut check =
                Check { document: self.document, way: Way(self.way.0.clone()), problems: Problems::default() };
            check.node(branch, node);
            if check.problems.is_empty() {
                return;
            }
            tried.push(check.problems);
        }
        let whole = serde_json::json!({"anyOf": branches});
        if let Some(text) = node.text().filter(|_| !words(&whole).is_empty() && !takes_any_text(&whole)) {
            self.unknown_word(node, text, &words(&whole));
        } else if let Some(nearest) = tried.into_iter().min_by_key(distance) {
            self.problems.extend(nearest);
        } else {
            self.mistyped(&whole, node);
        }
    }
}

/// How far a value is from a branch: mistakes with a known remedy count less.
fn distance(problems: &Problems) -> usize {
    let likely = |suggestion: &Option<String>| suggestion.as_ref().is_some_and(|text| text.starts_with("did you mean"));
    problems.iter().map(|problem| if likely(&problem.suggestion) { 1 } else { 2 }).sum()
}

fn property<'s>(branch: &'s Value, key: &str) -> Option<&'s Value> {
    branch.get("properties").and_then(|properties| properties.get(key))
}

/// The keys of branches that say nothing but `required`.
fn only_required(branches: &[Value]) -> Option<Vec<&str>> {
    let keys = branches.iter().map(|branch| {
        let keywords = branch.as_object()?;
        let required = keywords.get("required").and_then(Value::as_array)?;
        (keywords.len() == 1).then(|| required.first().and_then(Value::as_str)).flatten()
    });
    keys.collect()
}

/// The key that has a fixed word in every branch.
fn discriminator(branches: &[Value]) -> Option<&str> {
    let first = branches.first()?.get("properties")?.as_object()?;
    let fixed = |branch: &Value, key: &str| property(branch, key).is_some_and(|schema| schema.get("const").is_some());
    first.keys().map(String::as_str).find(|key| branches.iter().all(|branch| fixed(branch, key)))
}
