//! The values of a document, each with the byte at which it was written.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

/// A value and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    /// The byte at which it begins; of a table with a header, the header.
    pub(crate) at: usize,
    /// What it is.
    pub(crate) tree: Tree,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Tree {
    /// JSON's null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text.
    Text(String),
    /// TOML's unquoted date or time, in RFC 3339 form.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Entry>),
}

/// A key of a table and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The byte at which the key begins.
    pub(crate) key_at: usize,
    /// The value.
    pub(crate) node: Node,
}

impl Node {
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().get(key).map(|entry| &entry.node)
    }

    /// The entries of a table; none of anything else.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Entry> {
        static NONE: BTreeMap<String, Entry> = BTreeMap::new();
        match &self.tree {
            Tree::Table(entries) => entries,
            _ => &NONE,
        }
    }

    /// The values of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.tree {
            Tree::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// The value without its places; dates become texts.
    pub(crate) fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(value) => Value::Number(value.clone()),
            Tree::Text(text) | Tree::Date(text) => Value::String(text.clone()),
            Tree::List(nodes) => Value::Array(nodes.iter().map(Self::to_json).collect()),
            Tree::Table(entries) => {
                Value::Object(entries.iter().map(|(key, entry)| (key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}
