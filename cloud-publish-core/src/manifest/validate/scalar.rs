//! The keywords that look at one value alone: type, words, bounds and formats.

use serde_json::Value;

use super::Check;
use super::kinds::{expected, kind, kinds, spoken, words};
use crate::manifest::document::{Node, Tree};
use crate::manifest::formats::{self, DATE_TIME};
use crate::manifest::words::{did_you_mean, list, quote};

impl Check<'_> {
    /// Checks the value itself; false when looking inside it makes no sense any more.
    pub(super) fn scalar(&mut self, schema: &Value, node: &Node) -> bool {
        if schema.get("type").is_some() && !takes(schema, node) {
            self.mistyped(schema, node);
            return false;
        }
        if let Some(wanted) = schema.get("const").filter(|wanted| wanted.is_i64() || wanted.is_u64()) {
            if node.to_json() != *wanted {
                let message = format!("{} is {}, this program reads {wanted}", self.name(), node.to_json());
                self.wrong(node.at, message, None);
            }
            return false;
        }
        match &node.tree {
            Tree::Text(text) | Tree::Date(text) => self.text(schema, node, text),
            Tree::Number(number) => {
                let (least, most) = bounds(schema);
                if number.as_i128().is_some_and(|number| number < least || number > most) {
                    let suggestion = format!("it may be {least} to {most}");
                    self.wrong(node.at, format!("{} is {number}", self.name()), Some(suggestion));
                }
            }
            _ => {}
        }
        true
    }

    fn text(&mut self, schema: &Value, node: &Node, text: &str) {
        let words =
            if schema.get("enum").or_else(|| schema.get("const")).is_some() { words(schema) } else { Vec::new() };
        if !words.is_empty() {
            if !words.contains(&text) {
                self.unknown_word(node, text, &words);
            }
        } else if let Some(format) = schema.get("format").and_then(Value::as_str) {
            self.format(format, text, node.at);
        }
    }

    /// Checks the name of a key.
    pub(super) fn key(&mut self, names: &Value, key: &str, key_at: usize) {
        if let Some(format) = names.get("format").and_then(Value::as_str) {
            self.format(format, key, key_at);
        }
    }

    fn format(&mut self, format: &str, text: &str, at: usize) {
        if let Err(error) = formats::check(format, text) {
            let suggestion = error.advice().map(ToOwned::to_owned);
            let (message, name) = (error.message(), self.name());
            self.wrong(at, format!("{name}: {message}"), suggestion);
        }
    }

    pub(super) fn unknown_word(&mut self, node: &Node, text: &str, words: &[&str]) {
        let suggestion = did_you_mean(text, words.iter().copied());
        let message = format!("{} is {}, not one of {}", self.name(), quote(text), list(words.iter().copied()));
        self.wrong(node.at, message, suggestion);
    }

    pub(super) fn mistyped(&mut self, schema: &Value, node: &Node) {
        let quotes =
            kinds(schema).contains("string") && matches!(kind(node), "integer" | "number" | "boolean" | "date");
        let brackets = kinds(schema).contains("array") && kind(node) == "string";
        let suggestion = match (quotes, brackets) {
            (true, _) => Some("write it in quotes".to_owned()),
            (_, true) => node.text().map(|text| format!("write [{text:?}]")),
            _ => None,
        };
        let message = format!("{} is {}, expected {}", self.name(), spoken(kind(node)), expected(schema));
        self.wrong(node.at, message, suggestion);
    }
}

/// True when the value is of a sort that the schema takes.
pub(super) fn takes(schema: &Value, node: &Node) -> bool {
    let kinds = kinds(schema);
    match kind(node) {
        _ if kinds.is_empty() => true,
        "date" => kinds.contains("string") && schema.get("format").and_then(Value::as_str) == Some(DATE_TIME),
        "integer" => kinds.contains("integer") || kinds.contains("number"),
        kind => kinds.contains(kind),
    }
}

/// The bounds of a number: as written, or those of its Rust type.
fn bounds(schema: &Value) -> (i128, i128) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let written = |keyword: &str| schema.get(keyword).and_then(Value::as_i64).map(i128::from);
    (written("minimum").unwrap_or(least), written("maximum").unwrap_or(most))
}
