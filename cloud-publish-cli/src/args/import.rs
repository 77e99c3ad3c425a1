//! The options of `publish import-debian`.

use std::path::PathBuf;

use clap::Args;
use cloud_publish_core::names::Class;

/// `publish import-debian`
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportArgs {
    /// The folder of image files, build manifests and SHA512SUMS
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where to write: NAME.toml, which names the release; a folder; or - for standard output. DIR itself by default
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// What sort of build it is, where the builds do not say: release, daily or dev
    #[arg(long, value_name = "CLASS")]
    pub(crate) class: Option<Class>,
    /// When it was built, where the version does not begin with it: 2024-01-01, or with time and zone
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
    /// Which of a build's files to take, by its ending: qcow2, raw, tar.xz. Others are not looked at
    #[arg(long, value_name = "ENDING")]
    pub(crate) format: Option<String>,
    /// The address of the build's log
    #[arg(long, value_name = "URL")]
    pub(crate) build_job: Option<String>,
    /// A Packages file of the suite, plain, .gz or .xz: packages that are in none are marked. Once for each file
    #[arg(long, value_name = "FILE")]
    pub(crate) packages: Vec<PathBuf>,
    /// Write over a manifest that says something else
    #[arg(long)]
    pub(crate) force: bool,
}
