//! A TOML or JSON file as one tree of values that remembers where each of them was written.
//!
//! It knows both syntaxes and their limits (size, depth), and nothing about what the keys mean.

mod json;
mod toml;
mod tree;

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub(crate) use tree::{Entry, Node, Tree};

use super::problem::{Place, Problem, Problems};
use crate::error::{Error, Kind, Result};

/// Files larger than this are refused unread. A manifest of a thousand artifacts has half of it; reading one byte takes up
/// to eighty of memory.
const MAX_BYTES: u64 = 1 << 20;

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a table.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// The way from the top of a document to a value; shown as `artifact[0].file`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way(pub(crate) Vec<Step>);

impl Way {
    /// The way through tables only.
    pub(crate) fn keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }
}

impl Display for Way {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (count, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if count == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Document {
    file: PathBuf,
    text: String,
    lines: Vec<usize>,
    root: Node,
}

impl Document {
    /// Reads the text of a file, of at most 1 MiB.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::InvalidInput`] when it is too large or not UTF-8,
    /// [`Kind::Storage`] when it cannot be read.
    pub(crate) fn text_of(file: &Path) -> Result<String> {
        let unreadable = |e: std::io::Error| {
            let kind = match e.kind() {
                std::io::ErrorKind::NotFound => Kind::NotFound,
                _ => Kind::Storage,
            };
            Error::new(kind, format!("could not read `{}`", file.display())).caused_by(e)
        };
        let mut bytes = Vec::new();
        File::open(file).and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::new(Kind::InvalidInput, format!("`{}` is larger than 1 MiB", file.display()))
                .hint("is it a disk image? a manifest or configuration is a small text file"));
        }
        String::from_utf8(bytes).map_err(|e| {
            let good = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
            let lines = Lines::of(&String::from_utf8_lossy(good));
            let place = lines.place(file, &String::from_utf8_lossy(good), good.len());
            Problems::from(Problem::new(place, "", "not UTF-8 text").suggest("save the file as UTF-8")).into()
        })
    }

    /// Parses a text; a file name ending in `.json` means JSON, all others mean TOML.
    ///
    /// # Errors
    /// Every syntax error of the file (JSON: the first one).
    pub(crate) fn parse(file: &Path, text: String) -> Result<Self, Problems> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let parsed = if text.len() as u64 > MAX_BYTES {
            Err(vec![Mistake { at: 0, message: "larger than 1 MiB".to_owned() }])
        } else if is_json {
            json::parse(&text).map_err(|mistake| vec![mistake])
        } else {
            toml::parse(&text)
        };
        let lines = Lines::of(&text);
        match parsed {
            Ok(root) => Ok(Self { file: file.to_owned(), text, lines: lines.0, root }),
            Err(mistakes) => {
                let mut problems = Problems::default();
                for mistake in mistakes {
                    problems.push(Problem::new(lines.place(file, &text, mistake.at), "", mistake.message));
                }
                Err(problems)
            }
        }
    }

    /// The file's name as given.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The topmost value.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// The place of a byte of the text.
    pub(crate) fn place(&self, at: usize) -> Place {
        place(&self.lines, &self.file, &self.text, at)
    }

    /// The place of a value, or of the innermost value around it that was written.
    pub(crate) fn place_of(&self, way: &Way) -> Place {
        let mut at = self.root.at;
        let mut node = &self.root;
        for step in &way.0 {
            let inside = match (step, &node.tree) {
                (Step::Key(key), Tree::Table(entries)) => entries.get(key).map(|entry| &entry.node),
                (Step::Index(index), Tree::List(nodes)) => nodes.get(*index),
                _ => None,
            };
            let Some(inside) = inside else { break };
            node = inside;
            at = node.at;
        }
        self.place(at)
    }
}

/// A syntax error at a byte of the text.
#[derive(Debug)]
pub(crate) struct Mistake {
    at: usize,
    message: String,
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    fn place(&self, file: &Path, text: &str, at: usize) -> Place {
        place(&self.0, file, text, at)
    }
}

fn place(lines: &[usize], file: &Path, text: &str, at: usize) -> Place {
    let line = lines.partition_point(|start| *start <= at).max(1);
    let start = lines.get(line - 1).copied().unwrap_or_default();
    let before = text.get(start..at.min(text.len())).unwrap_or_default();
    Place { file: file.to_owned(), line, column: before.chars().count() + 1 }
}

#[cfg(test)]
mod tests;
