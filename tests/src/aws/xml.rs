//! Writes XML.

use std::fmt::{Display, Write as _};

use quick_xml::escape::escape;

/// A piece of a document. Elements are written in the order of the calls.
#[derive(Debug, Default, Clone)]
pub(crate) struct Xml(String);

impl Xml {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `<name>value</name>`.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        write!(self.0, "<{name}>{}</{name}>", escape(&value)).expect("text grows");
        self
    }

    /// As [`Self::text`], or nothing.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// `<name>...</name>`.
    pub(crate) fn node(&mut self, name: &str, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.node_with(name, &[], inner)
    }

    /// An element with attributes.
    pub(crate) fn node_with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inner: impl FnOnce(&mut Self),
    ) -> &mut Self {
        write!(self.0, "<{name}").expect("text grows");
        for (key, value) in attributes {
            write!(self.0, " {key}=\"{}\"", escape(*value)).expect("text grows");
        }
        self.0.push('>');
        inner(self);
        write!(self.0, "</{name}>").expect("text grows");
        self
    }

    /// `<name><item>...</item>...</name>`, as EC2 writes lists; an empty one is an empty element.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.node(name, |xml| {
            for each in items {
                xml.node("item", |xml| item(xml, each));
            }
        })
    }

    /// `<tagSet>` of key and value, as EC2 writes tags.
    pub(crate) fn tags<'t>(&mut self, tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> &mut Self {
        self.list("tagSet", tags, |xml, (key, value)| {
            xml.text("key", key).text("value", value);
        })
    }

    /// Another piece.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The whole, as a document.
    pub(crate) fn document(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.0)
    }
}
