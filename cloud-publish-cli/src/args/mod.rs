//! The command line as typed values. Nothing is looked up here: what the words mean is the commands' matter.

mod documents;
mod find;
mod global;
mod import;
mod mistake;
mod verbs;

use clap::{Parser, Subcommand};

pub(crate) use self::documents::{CompletionsArgs, ManArgs, Shell};
pub(crate) use self::find::FindArgs;
pub(crate) use self::global::{Colour, Global, ShowProgress};
pub(crate) use self::import::ImportArgs;
pub(crate) use self::mistake::mistake;
pub(crate) use self::verbs::{
    ApproveArgs, CheckArgs, PlanArgs, Prove, PublishArgs, SchemaArgs, SchemaOf, StatusArgs, Targets, VerifyArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    incomplete: something failed, the same command again continues
  2    refused before anything was attempted
  3    a safety guard refused
  4    waiting for something outside: the same command later continues
  130  stopped at once by a second Ctrl-C";

/// Publishes the disk images of a release to every cloud named in publish.toml.
///
/// Without a verb it publishes: `publish --release bookworm-20240101 --to local,openstack`. Run again, it does what is
/// still missing and nothing else.
#[derive(Debug, Parser)]
#[command(name = "publish", version, after_help = EXIT_CODES, subcommand_help_heading = "Verbs")]
#[command(subcommand_value_name = "VERB", max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do instead of publishing.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) publish: PublishArgs,
}

/// What can be done besides publishing.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print every step that publishing would take, and why; changes nothing
    Plan(PlanArgs),
    /// Show what is where of a release, and what publishing would do next
    Status(StatusArgs),
    /// Compare what the clouds have with what the manifest says
    Verify(VerifyArgs),
    /// Let images become public that wait for a person's word
    Approve(ApproveArgs),
    /// Look up images in the catalogue of what was published
    Find(Box<FindArgs>),
    /// Check configuration, manifests and image files, without asking any cloud
    Check(CheckArgs),
    /// Make a release manifest of a folder as Debian's image builds leave it
    ImportDebian(ImportArgs),
    /// Print the JSON Schema of release manifests or of publish.toml
    Schema(SchemaArgs),
    /// Print what completes commands in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each verb
    Man(ManArgs),
}

impl Cli {
    /// The release that was named, as it was typed.
    pub(crate) fn release(&self) -> Option<&str> {
        match &self.verb {
            None => self.publish.release.as_deref(),
            Some(Verb::Plan(args)) => args.release.as_deref(),
            Some(Verb::Status(args)) => args.release.as_deref(),
            Some(Verb::Verify(args)) => args.release.as_deref(),
            Some(Verb::Approve(args)) => args.release.as_deref(),
            Some(Verb::Check(args)) => args.release.as_deref(),
            Some(Verb::Find(_) | Verb::ImportDebian(_) | Verb::Schema(_) | Verb::Completions(_) | Verb::Man(_)) => None,
        }
    }

    /// Refuses options of publishing that stand before another verb, where they would be without effect.
    pub(crate) fn check(self) -> Result<Self, clap::Error> {
        if self.verb.is_none() || self.publish == PublishArgs::default() {
            return Ok(self);
        }
        let message = "options such as --release and --to belong after the verb: publish VERB --release NAME";
        Err(<Self as clap::CommandFactory>::command().error(clap::error::ErrorKind::ArgumentConflict, message))
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, Verb};

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_verb_means_publish_and_targets_are_a_comma_list() {
        let cli = Cli::try_parse_from(["publish", "--release", "r", "--to", "a,b", "--to", "c"]).unwrap();
        assert!(cli.verb.is_none());
        assert_eq!(cli.publish.targets.to, ["a", "b", "c"]);
    }

    #[test]
    fn global_options_stand_before_or_after_the_verb() {
        for line in [["publish", "--json", "plan", "--release", "r"], ["publish", "plan", "--release", "r", "--json"]] {
            let cli = Cli::try_parse_from(line).unwrap().check().unwrap();
            assert!(cli.global.json && matches!(cli.verb, Some(Verb::Plan(_))));
            assert_eq!(cli.release(), Some("r"));
        }
    }

    #[test]
    fn options_of_publishing_before_another_verb_are_refused() {
        let cli = Cli::try_parse_from(["publish", "--to", "aws", "status", "--release", "r"]).unwrap();
        assert!(cli.check().unwrap_err().to_string().contains("after the verb"));
    }
}
