//! One thing that is being done, and how far it is.

use std::time::Duration;

use super::fit::Line;
use crate::output::clean::line_of;
use crate::output::rate::{Rate, time_left};
use crate::output::size::{part_of, size, span};

/// One thing that is being done.
#[derive(Debug)]
pub(super) struct Task {
    /// How events name it: a step's id, a file.
    pub(super) key: String,
    /// The verb.
    pub(super) verb: String,
    what: String,
    target: String,
    /// Where at the target, if that is not the same.
    region: Option<String>,
    begun: Duration,
    /// Bytes through and in all, if it said so.
    bytes: Option<(u64, u64)>,
    /// What it waits for, in words.
    says: Option<String>,
    rate: Rate,
}

/// How far a task is, as the parts of a line. What is less important can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Far {
    /// So many bytes.
    Bytes {
        /// `45 %`
        percent: String,
        /// `145/321 MiB`
        amount: String,
        /// `24 MiB/s`
        rate: String,
        /// `7 s left`
        left: String,
    },
    /// Only words.
    Words(String),
}

impl Task {
    /// Something that is done to something from now on.
    pub(super) fn new(key: &str, (verb, what): (&str, &str), begun: Duration) -> Self {
        Self {
            key: key.to_owned(),
            verb: short(verb).to_owned(),
            what: line_of(what),
            target: String::new(),
            region: None,
            begun,
            bytes: None,
            says: None,
            rate: Rate::default(),
        }
    }

    /// The same at a target, and there in a region.
    pub(super) fn at(self, target: String, region: Option<String>) -> Self {
        Self { target, region: region.map(|region| line_of(&region)), ..self }
    }

    /// Takes in that it moved on.
    pub(super) fn moved(&mut self, now: Duration, done: u64, total: u64) {
        self.bytes = Some((done, total));
        self.says = None;
        self.rate.saw(now, done);
    }

    /// Takes in what it waits for.
    pub(super) fn says(&mut self, words: &str) {
        self.says = Some(line_of(words));
    }

    /// Whether it moves bytes.
    pub(super) fn has_bytes(&self) -> bool {
        self.bytes.is_some()
    }

    /// Bytes through and in all of an upload.
    pub(super) fn upload(&self) -> Option<(u64, u64)> {
        self.bytes.filter(|_| self.verb == "upload")
    }

    /// The line that shows it; the target is named when there are several.
    pub(super) fn line(&mut self, now: Duration, is_named: bool) -> Line {
        let place = match &self.region {
            Some(region) if is_named => format!("{} {region}", self.target),
            Some(region) => region.clone(),
            None => self.target.clone(),
        };
        Line { verb: self.verb.clone(), what: self.what.clone(), place, far: self.far(now) }
    }

    /// How far it is.
    fn far(&mut self, now: Duration) -> Far {
        match (self.bytes, &self.says) {
            (Some((done, total)), None) if done < total => {
                let rate = self.rate.per_second(now);
                bytes(done, total, rate)
            }
            (_, Some(words)) => Far::Words(words.clone()),
            (_, None) => Far::Words(span(now.saturating_sub(self.begun))),
        }
    }
}

/// A verb of a plan in the room that a line has for it.
fn short(verb: &str) -> &str {
    match verb {
        "replicate" => "copy",
        "set-visibility" => "share",
        "mark-published" => "mark",
        verb => verb,
    }
}

/// How far something of `total` bytes is.
pub(super) fn bytes(done: u64, total: u64, rate: Option<u64>) -> Far {
    let percent = u128::from(done).saturating_mul(100).checked_div(u128::from(total)).unwrap_or(100);
    Far::Bytes {
        percent: format!("{percent:>3} %"),
        amount: part_of(done, total),
        rate: rate.map(|rate| format!("{}/s", size(rate))).unwrap_or_default(),
        left: time_left(done, total, rate).map(|time| format!("{} left", span(time))).unwrap_or_default(),
    }
}

impl Far {
    /// The text; `level` 0 has everything, each further one less.
    pub(super) fn text(&self, level: usize) -> String {
        let Self::Bytes { percent, amount, rate, left } = self else { return self.words().to_owned() };
        let parts: &[&String] = match level {
            0 => &[percent, amount, rate, left],
            1 => &[percent, amount, left],
            2 => &[percent, left],
            _ => &[percent],
        };
        let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).filter(|part| !part.is_empty()).collect();
        parts.join("  ")
    }

    fn words(&self) -> &str {
        match self {
            Self::Words(words) => words,
            Self::Bytes { percent, .. } => percent,
        }
    }
}
