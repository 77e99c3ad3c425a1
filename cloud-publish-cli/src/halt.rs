//! Why a command stopped before it had a result: at which stage, and the error.

use cloud_publish_core::error::{Error, Kind};

use crate::exit::Exit;

/// The stage at which a command stopped, as the `step` of a failure in the `--json` summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Reading the command line.
    Arguments,
    /// Reading publish.toml and making its targets.
    Config,
    /// Reading release manifests.
    Manifest,
    /// Reading image files and looking at the targets.
    Input,
    /// Asking the targets whether it can succeed.
    Preflight,
    /// Asking the person.
    Confirm,
    /// Writing down that a person approves.
    Approve,
    /// Carrying it out.
    Run,
}

impl Stage {
    /// The word in summaries.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Config => "config",
            Self::Manifest => "manifest",
            Self::Input => "input",
            Self::Preflight => "preflight",
            Self::Confirm => "confirm",
            Self::Approve => "approve",
            Self::Run => "run",
        }
    }
}

/// A command that stopped.
#[derive(Debug)]
pub(crate) struct Halt {
    /// Where.
    pub(crate) stage: Stage,
    /// Why.
    pub(crate) error: Error,
}

impl Halt {
    /// For `map_err`: stops at a stage.
    pub(crate) fn at(stage: Stage) -> impl Fn(Error) -> Self {
        move |error| Self { stage, error }
    }

    /// How the command ends: what stops it is always before the first step; what fails later is in a summary.
    pub(crate) fn exit(&self) -> Exit {
        Exit::of_refusal(&self.error)
    }

    /// The stage to report: a bad file is the input's fault, whenever it was noticed.
    pub(crate) fn word(&self) -> &'static str {
        match (self.stage, self.error.kind()) {
            (Stage::Run, Kind::InvalidInput) => Stage::Input.as_str(),
            (stage, _) => stage.as_str(),
        }
    }
}
