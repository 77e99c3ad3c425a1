//! What is wrong with a file, and where: collected, sorted, and shown one per line.
//!
//! Finding the problems is not done here.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind};

/// Beyond this many problems the rest are only counted.
const KEPT: usize = 200;
/// A message is cut after this many characters: a file may hold a value of megabytes.
const MESSAGE: usize = 400;

/// A place in a file that a person edits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was named by the caller.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The first character of a file.
    pub fn start(file: &Path) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1 }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// One mistake in a file.
///
/// Shown as ``releases/x.toml:12:1: unknown key `varian`; did you mean `variant`?``.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The dotted path of the value: `artifact[0].file`; empty for the whole document.
    pub path: String,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// What to write instead, where that is known.
    pub suggestion: Option<String>,
}

impl Problem {
    /// Describes a mistake; a very long message is cut.
    pub fn new(place: Place, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place, path: path.into(), message: clip(message.into()), suggestion: None }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(clip(suggestion.into()));
        self
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |suggestion| write!(f, "; {suggestion}"))
    }
}

/// Everything that is wrong, in the order of the files' lines.
///
/// An empty list is what a good file has; [`Problems::into_result`] turns the list into a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Adds one; beyond 200 they are only counted.
    pub fn push(&mut self, problem: Problem) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        // A few at most out of order: files are walked from the top, tables by the names of their keys.
        let at = self.kept.partition_point(|known| known.place <= problem.place);
        self.kept.insert(at, problem);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, others: Self) {
        self.more += others.more;
        others.kept.into_iter().for_each(|problem| self.push(problem));
    }

    /// True when more would only be counted: looking for near words is no use any more.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= KEPT
    }

    /// Counts one that nobody will read.
    pub(crate) fn count_only(&mut self) {
        self.more += 1;
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many mistakes there are, those only counted included.
    pub fn len(&self) -> usize {
        self.kept.len() + self.more
    }

    /// The mistakes kept, sorted by file, line and column.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.kept.iter()
    }

    /// Returns `value` when nothing is wrong.
    ///
    /// # Errors
    /// The list itself, when it is not empty.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { kept: vec![problem], more: 0 }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (count, problem) in self.kept.iter().enumerate() {
            let line = if count == 0 { "" } else { "\n" };
            write!(f, "{line}{problem}")?;
        }
        if self.more == 0 { Ok(()) } else { write!(f, "\nand {} more", self.more) }
    }
}

impl StdError for Problems {}

impl From<Problems> for Error {
    /// The message lists every problem, one per line.
    fn from(problems: Problems) -> Self {
        Self::new(Kind::InvalidInput, problems.to_string())
            .hint("correct the lines named above; `publish schema` prints what may be written where")
    }
}

/// Cuts what is too long and escapes control characters: what a file says must not reach a terminal as a command.
fn clip(text: String) -> String {
    let mut clipped = String::with_capacity(text.len().min(2 * MESSAGE));
    for (count, c) in text.chars().enumerate() {
        match c {
            _ if count == MESSAGE => {
                clipped.push_str("...");
                break;
            }
            c if c.is_control() => clipped.extend(c.escape_debug()),
            c => clipped.push(c),
        }
    }
    clipped
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Place, Problem, Problems};
    use crate::error::{Error, Kind};

    fn problem(line: usize) -> Problem {
        let place = Place { line, ..Place::start(Path::new("releases/x.toml")) };
        Problem::new(place, "artifact[0].varian", "unknown key `varian`").suggest("did you mean `variant`?")
    }

    #[test]
    fn a_problem_is_shown_with_its_place_and_what_to_write() {
        assert_eq!(problem(12).to_string(), "releases/x.toml:12:1: unknown key `varian`; did you mean `variant`?");
    }

    #[test]
    fn an_error_made_of_problems_lists_them_all_in_order_of_lines() {
        let mut problems = Problems::default();
        problems.push(problem(7));
        problems.push(problem(3));
        let error = Error::from(problems);
        assert_eq!(error.kind(), Kind::InvalidInput);
        let lines: Vec<&str> = error.message().lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["releases/x.toml:3:1", "releases/x.toml:7:1"]);
    }

    #[test]
    fn a_flood_of_problems_is_counted_and_a_long_message_is_cut() {
        let mut problems = Problems::default();
        (0..1000).for_each(|line| problems.push(problem(line)));
        assert_eq!(problems.len(), 1000);
        assert!(problems.to_string().ends_with("and 800 more"));
        let long = Problem::new(Place::start(Path::new("x")), "", "é".repeat(9000));
        assert_eq!(long.message.chars().count(), 403);
    }

    #[test]
    fn a_message_stays_on_its_line_and_commands_no_terminal() {
        let problem = Problem::new(Place::start(Path::new("x")), "", "`a\nb\u{1b}[2J`");
        assert_eq!(problem.to_string(), "x:1:1: `a\\nb\\u{1b}[2J`");
    }
}
