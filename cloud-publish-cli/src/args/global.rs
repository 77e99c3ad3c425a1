//! Options of every verb.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every verb.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Global {
    /// The configuration, instead of ./publish.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print events as JSON, one object per line, the last one the summary
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more to standard error; up to three times
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// How to show what is being done
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) progress: ShowProgress,
    /// The same as --progress=none
    #[arg(long, global = true, conflicts_with = "progress")]
    pub(crate) no_progress: bool,
    /// Look, plan and stop: nothing is written anywhere
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Do not ask before changing something
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to show what is being done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowProgress {
    /// Live on a terminal that can, else plain; CI and TERM=dumb mean plain
    #[default]
    Auto,
    /// Lines that change in place below everything else
    Live,
    /// A line whenever something begins or ends, and every 10 s for what takes long
    Plain,
    /// Nothing
    None,
}
