//! `[target.NAME.gate]`: the command that must pass before anything of an artifact is published at the target.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::paths::resolve;
use super::span::{Span, SpanFile};
use crate::digest::hex;

/// How long a gate may take unless the configuration says otherwise.
const TIME: Duration = Duration::from_secs(3600);

/// The images that a gate is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateRegions {
    /// Those of all regions that this run brings it to, asked about when it is in every required one; a best-effort
    /// region where it could not be made is left out. What passed counts for a region that is filled later, too.
    #[default]
    All,
    /// The one in the home region, as soon as it is there; copies are made meanwhile.
    Home,
}

/// A gate as the configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateConfig {
    /// The program and its arguments, as they are written.
    pub command: Vec<String>,
    /// The program: resolved against the folder of publish.toml when it is written with a slash.
    pub program: PathBuf,
    /// How long it may take for one artifact.
    pub timeout: Duration,
    /// Which images it is asked about.
    pub regions: GateRegions,
    /// How many artifacts of the target it is asked about at once.
    pub concurrency: u32,
}

/// The keys of a gate, as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateFile {
    /// The program and its arguments. With a slash the program is found from the folder of publish.toml, else by PATH.
    #[schemars(length(min = 1), with = "Vec<Argument>")]
    command: Vec<String>,
    /// How long it may take for one artifact: seconds, or a text such as "30m"; one hour when absent.
    #[schemars(with = "Option<SpanFile>")]
    timeout: Option<Span>,
    /// The images it is asked about: "all" regions at once, or "home" alone and early.
    #[serde(default)]
    regions: GateRegions,
    /// How many artifacts it is asked about at once; one after the other when absent.
    concurrency: Option<NonZeroU32>,
}

/// Stands in the schema for a word of a command line.
pub(crate) struct Argument;

impl JsonSchema for Argument {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Argument".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": super::formats::ARGUMENT})
    }
}

impl GateConfig {
    pub(super) fn new(file: GateFile, folder: &Path) -> Self {
        let first = file.command.first().map(String::as_str).unwrap_or_default();
        let program = match (first.contains('/'), folder == Path::new("")) {
            (false, _) => first.into(),
            // Without a slash it would be looked for by PATH.
            (true, true) => Path::new(".").join(resolve(folder, first)),
            (true, false) => resolve(folder, first),
        };
        Self {
            program,
            command: file.command,
            timeout: file.timeout.map_or(TIME, |span| span.0),
            regions: file.regions,
            concurrency: file.concurrency.map_or(1, NonZeroU32::get),
        }
    }

    /// Whether the program is a file that the configuration names, and is not looked for by PATH.
    pub fn names_a_file(&self) -> bool {
        self.command.first().is_some_and(|program| program.contains('/'))
    }

    /// What tells this gate from another: 16 hex digits of the command as it is written and of the regions it sees, the
    /// same on every machine. What passed for the home region alone has not passed for all.
    pub fn identity(&self) -> String {
        let regions = match self.regions {
            GateRegions::All => "all",
            GateRegions::Home => "home",
        };
        let mut digits = hex(&Sha256::digest(format!("{regions}\0{}", self.command.join("\0"))));
        digits.truncate(16);
        digits
    }
}
