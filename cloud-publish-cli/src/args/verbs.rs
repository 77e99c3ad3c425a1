//! The options of each verb.

use clap::{Args, ValueEnum};

/// Which targets.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Names of targets in publish.toml, separated by commas
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    pub(crate) to: Vec<String>,
    /// All targets of publish.toml
    #[arg(long, conflicts_with = "to")]
    pub(crate) all_targets: bool,
}

/// Publishing.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PublishArgs {
    /// The release: the name of a manifest in the releases folder
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Go on with the other targets when one cannot be used
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Set visibility back that somebody changed by hand
    #[arg(long)]
    pub(crate) repair: bool,
    /// Publish again what was deleted
    #[arg(long)]
    pub(crate) republish: bool,
    /// Do not wait for another run that works on a target: exit code 4
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `publish plan`
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArgs {
    /// The release
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Plan to set visibility back that somebody changed by hand
    #[arg(long)]
    pub(crate) repair: bool,
    /// Plan to publish again what was deleted
    #[arg(long)]
    pub(crate) republish: bool,
}

/// `publish status`
#[derive(Args, Clone, Debug)]
pub(crate) struct StatusArgs {
    /// The release
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) targets: Targets,
}

/// `publish approve`
#[derive(Args, Clone, Debug)]
pub(crate) struct ApproveArgs {
    /// The release
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    /// Names of the targets, separated by commas
    #[arg(long, visible_alias = "to", value_name = "TARGETS", value_delimiter = ',')]
    pub(crate) target: Vec<String>,
    /// Who approves, instead of the user's name
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// `publish verify`
#[derive(Args, Clone, Debug)]
pub(crate) struct VerifyArgs {
    /// The release
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Ask each cloud to show what it holds of the content: where bytes were sent, or in all regions, which some clouds
    /// charge for
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "home")]
    pub(crate) prove: Option<Prove>,
}

/// Where `--prove` reads content back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prove {
    /// Wherever bytes of ours arrived
    Home,
    /// In every region
    All,
}

/// `publish check`
#[derive(Args, Clone, Debug)]
pub(crate) struct CheckArgs {
    /// Only this release; otherwise every manifest in the releases folder
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
}

/// `publish schema`
#[derive(Args, Clone, Debug)]
pub(crate) struct SchemaArgs {
    /// Of which file
    #[arg(value_enum, value_name = "FILE")]
    pub(crate) of: SchemaOf,
}

/// A file whose schema can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A release manifest
    Release,
    /// publish.toml
    Config,
}
