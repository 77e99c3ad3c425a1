//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// How it is called.
const USAGE: &str = "usage: sandbox [--real] [--config publish.toml] [--] COMMAND [ARGUMENT...]

Runs COMMAND in a world made for it: clouds on this machine that publish.toml leads to as it is, and a copy of its
folder. COMMAND begins in the copy, so scripts, releases and gates must lie in the folder. `state` and the directories of
`local` targets begin empty there. Everything ends and vanishes with COMMAND.

  --real          real servers where there are some: Keystone and Glance
  --config FILE   the configuration, instead of ./publish.toml
  -h, --help      prints this
  -V, --version   prints the version

Exits with COMMAND's own code; with 125 when the world could not be made.";

/// What the arguments ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A run.
    Run(Options),
    /// This text, on standard output.
    Text(String),
}

/// What is wanted of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Real servers where there are some.
    pub real: bool,
    /// The configuration.
    pub config: PathBuf,
    /// The program and its arguments; at least the program.
    pub command: Vec<OsString>,
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What is wrong with them, or how to write them.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
        let mut arguments = arguments.into_iter().peekable();
        let mut options = Self { real: false, config: "publish.toml".into(), command: Vec::new() };
        while let Some(argument) = arguments.next_if(|argument| argument.to_string_lossy().starts_with('-')) {
            match argument.to_string_lossy().as_ref() {
                "--" => break,
                "--real" => options.real = true,
                "--config" => options.config = arguments.next().ok_or("--config needs a file")?.into(),
                "-h" | "--help" => return Ok(Asked::Text(USAGE.to_owned())),
                "-V" | "--version" => return Ok(Asked::Text(format!("sandbox {}", env!("CARGO_PKG_VERSION")))),
                other => return Err(format!("unknown option {other}\n{USAGE}")),
            }
        }
        options.command = arguments.collect();
        if options.command.is_empty() {
            return Err(format!("no command is named\n{USAGE}"));
        }
        Ok(Asked::Run(options))
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Options};

    fn ask(line: &str) -> Result<Asked, String> {
        Options::parse(line.split_whitespace().map(Into::into))
    }

    fn parse(line: &str) -> Result<Options, String> {
        match ask(line)? {
            Asked::Run(options) => Ok(options),
            Asked::Text(text) => Err(text),
        }
    }

    #[test]
    fn the_options_end_where_the_command_begins() {
        let options = parse("--real --config etc/p.toml publish --real --config x").unwrap();
        assert!(options.real);
        assert_eq!(options.config.to_str(), Some("etc/p.toml"));
        assert_eq!(options.command, ["publish", "--real", "--config", "x"]);
        assert_eq!(parse("-- --strange").unwrap().command, ["--strange"]);
    }

    #[test]
    fn what_is_no_option_and_what_has_no_command_is_refused() {
        assert!(parse("--rael publish").unwrap_err().starts_with("unknown option --rael"));
        assert!(parse("--real").unwrap_err().starts_with("no command is named"));
    }
}
