//! The options of what the command prints about itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `publish completions`
#[derive(Args, Clone, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// A shell that can complete commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash; into /etc/bash_completion.d or ~/.local/share/bash-completion/completions
    Bash,
    /// zsh; as _publish into a folder of $fpath
    Zsh,
    /// fish; as publish.fish into ~/.config/fish/completions
    Fish,
}

/// `publish man`
#[derive(Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// Write publish.1 and one page for each verb into this folder; without it publish.1 is printed
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
