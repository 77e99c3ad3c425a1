//! The XML of S3: a body is read into a tree; answers are written with [`Xml`].

use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use crate::aws::reply::{Refused, Reply};
use crate::aws::xml::Xml;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An element of a request, without attributes and name spaces.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

impl Element {
    /// Reads a whole body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refused> {
        std::str::from_utf8(body).ok().and_then(read).ok_or_else(|| {
            let message = "The XML you provided was not well-formed or did not validate against our published schema";
            Refused::bad("MalformedXML", message)
        })
    }

    /// The children of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of a name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.trim())
    }

    fn named(tag: &BytesStart<'_>) -> Option<Self> {
        let name = String::from_utf8(tag.local_name().as_ref().to_vec()).ok()?;
        Some(Self { name, ..Self::default() })
    }
}

fn read(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => open.push(Element::named(&tag)?),
            Event::Empty(tag) => open.last_mut()?.children.push(Element::named(&tag)?),
            Event::End(_) => {
                let closed = open.pop()?;
                open.last_mut()?.children.push(closed);
            }
            Event::Text(piece) => open.last_mut()?.text.push_str(&piece.xml10_content().ok()?),
            Event::GeneralRef(entity) => {
                let name = entity.decode().ok()?;
                let text = &mut open.last_mut()?.text;
                match entity.resolve_char_ref().ok()? {
                    Some(character) => text.push(character),
                    None => text.push_str(resolve_predefined_entity(&name)?),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let mut root = open.pop().filter(|_| open.is_empty())?;
    root.children.pop()
}

/// A time as answers have it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A time as headers have it.
pub(super) fn http_time(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A whole answer, whose root carries S3's name space.
pub(super) fn document(root: &str, inner: impl FnOnce(&mut Xml)) -> Reply {
    let mut xml = Xml::new();
    xml.node_with(root, &[("xmlns", NAMESPACE)], inner);
    Reply::xml(xml)
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn elements_keep_their_text_with_its_entities_resolved() {
        let body = br#"<?xml version="1.0"?><A xmlns="x"><B> <C>&quot;a&quot;&amp;&#98;</C></B><B/></A>"#;
        let root = Element::parse(body).unwrap();
        assert_eq!(root.name, "A");
        assert_eq!(root.all("B").count(), 2);
        assert_eq!(root.all("B").next().unwrap().value("C"), Some("\"a\"&b"));
    }

    #[test]
    fn what_is_not_xml_is_refused() {
        assert_eq!(Element::parse(b"<A><B></A>").unwrap_err().code, "MalformedXML");
        assert_eq!(Element::parse(b"<A>").unwrap_err().code, "MalformedXML");
        assert_eq!(Element::parse(b"").unwrap_err().code, "MalformedXML");
    }
}
