//! The last step of reading: a checked document becomes its Rust type.
//!
//! What a schema cannot say (a rule of a provider's own type) is found here, and gets its place too.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::document::{Document, Step, Way};
use super::problem::{Problem, Problems};
use super::validate::validate;

/// A failure inside a value, and the way to it.
pub(crate) struct Failure {
    pub(crate) way: Way,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// The problem in a document in which the value stands at `outer`.
    pub(crate) fn locate(self, document: &Document, outer: &Way) -> Problem {
        let way = Way(outer.0.iter().chain(&self.way.0).cloned().collect());
        let message = if way.0.is_empty() { self.message } else { format!("`{way}`: {}", self.message) };
        let problem = Problem::new(document.place_of(&way), way.to_string(), message);
        match self.hint {
            Some(hint) => problem.suggest(hint),
            None => problem,
        }
    }
}

/// Turns a value into `T`.
pub(crate) fn value<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        Failure { way: Way(steps.collect()), message: error.inner().to_string(), hint: None }
    })
}

/// Checks a document by its schema and by `rules`, which sees the tree even when the schema refused it; then decodes.
pub(crate) fn document<T: DeserializeOwned>(
    document: &Document,
    schema: &Value,
    rules: impl FnOnce(&Document, &mut Problems),
) -> Result<T, Problems> {
    let mut problems = validate(schema, document);
    rules(document, &mut problems);
    problems.into_result(())?;
    value(&document.root().to_json()).map_err(|failure| failure.locate(document, &Way::default()).into())
}
