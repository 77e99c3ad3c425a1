//! JSON text to a tree: a reader of structure only; strings and numbers are read by `serde_json`.
//!
//! Needed because `serde_json` tells no positions. Stricter than it: a key given twice is refused.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{Entry, Mistake, Node, Tree};

/// Deeper nesting is refused, before it can exhaust the stack.
const MAX_DEPTH: usize = 64;

/// Parses a whole document.
pub(super) fn parse(text: &str) -> Result<Node, Mistake> {
    let mut reader = Reader { text, at: 0 };
    let root = reader.value(0)?;
    match reader.peek() {
        None => Ok(root),
        Some(_) => Err(reader.mistake("expected the end of the file")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn mistake(&self, message: &str) -> Mistake {
        Mistake { at: self.at, message: message.to_owned() }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Mistake> {
        if depth > MAX_DEPTH {
            return Err(self.mistake("nested more than 64 levels deep"));
        }
        let next = self.peek();
        let at = self.at;
        let tree = match next {
            Some(b'{') => self.table(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Tree::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                let length = self.rest().find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
                Tree::Number(self.scalar(length, "not a number")?)
            }
            Some(b't' | b'f') => Tree::Bool(self.scalar(self.word(), "expected a value")?),
            Some(b'n') => {
                self.scalar::<()>(self.word(), "expected a value")?;
                Tree::Null
            }
            Some(_) => return Err(self.mistake("expected a value")),
            None => return Err(self.mistake("the file ends where a value is expected")),
        };
        Ok(Node { at, tree })
    }

    fn table(&mut self, depth: usize) -> Result<Tree, Mistake> {
        let mut entries = BTreeMap::new();
        self.at += 1;
        if self.take(b'}') {
            return Ok(Tree::Table(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.mistake("expected a key in double quotes"));
            }
            let key_at = self.at;
            let key = self.string()?;
            if entries.contains_key(&key) {
                return Err(Mistake {
                    at: key_at,
                    message: format!("duplicate key {}", crate::manifest::words::quote(&key)),
                });
            }
            if !self.take(b':') {
                return Err(self.mistake("expected `:`"));
            }
            let node = self.value(depth + 1)?;
            entries.insert(key, Entry { key_at, node });
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b'}') { Ok(Tree::Table(entries)) } else { Err(self.mistake("expected `,` or `}`")) }
    }

    fn list(&mut self, depth: usize) -> Result<Tree, Mistake> {
        let mut nodes = Vec::new();
        self.at += 1;
        if self.take(b']') {
            return Ok(Tree::List(nodes));
        }
        loop {
            nodes.push(self.value(depth + 1)?);
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b']') { Ok(Tree::List(nodes)) } else { Err(self.mistake("expected `,` or `]`")) }
    }

    /// A string with its quotes: its end is the first quote that no odd run of backslashes precedes.
    fn string(&mut self) -> Result<String, Mistake> {
        let mut escaped = false;
        let closing = self.rest().bytes().enumerate().skip(1).find(|(_, byte)| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        });
        match closing {
            Some((last, _)) => self.scalar(Some(last + 1), "not a string of JSON"),
            None => Err(self.mistake("a string without closing quote")),
        }
    }

    fn word(&self) -> Option<usize> {
        self.rest().find(|c: char| !c.is_ascii_alphabetic())
    }

    /// Reads the next `length` bytes (or all that are left) as one scalar.
    fn scalar<T: DeserializeOwned>(&mut self, length: Option<usize>, wrong: &str) -> Result<T, Mistake> {
        let rest = self.rest();
        let length = length.unwrap_or(rest.len());
        let read = rest.get(..length).and_then(|text| serde_json::from_str(text).ok());
        let value = read.ok_or_else(|| self.mistake(wrong))?;
        self.at += length;
        Ok(value)
    }
}
