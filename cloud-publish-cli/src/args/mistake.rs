//! What is wrong with a command line, as an error like all others.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use cloud_publish_core::error::{Error, Kind};

/// How `clap` begins what it tells.
const LABEL: &str = "error: ";

/// How it begins the way in which a command is used.
const USAGE: &str = "Usage: ";

/// The same mistake in our own form: what, and what to do.
pub(crate) fn mistake(error: &clap::Error) -> Error {
    let text = error.to_string();
    let (what, near) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let verb = said(error, ContextKind::InvalidSubcommand);
            (format!("there is no verb {verb}"), said(error, ContextKind::SuggestedSubcommand))
        }
        ErrorKind::UnknownArgument => {
            let option = said(error, ContextKind::InvalidArg);
            (format!("there is no option {option}"), said(error, ContextKind::SuggestedArg))
        }
        _ => (first_paragraph(&text), said(error, ContextKind::SuggestedValue)),
    };
    let help = format!("`{} --help` lists what there is", command(&text));
    let hint = if near.is_empty() { help } else { format!("did you mean {near}? {help}") };
    Error::new(Kind::InvalidInput, what).hint(hint)
}

/// What `clap` knows of a mistake: words, each as they are to be typed.
fn said(error: &clap::Error, kind: ContextKind) -> String {
    let words = match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    };
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(" or ")
}

/// What `clap` says in its own words.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    lines.join("\n").trim_start_matches(LABEL).to_owned()
}

/// The command whose options were misunderstood: `publish status`.
fn command(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix(USAGE)).unwrap_or("publish");
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let words: Vec<&str> = usage.split_whitespace().take_while(is_word).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::mistake;
    use crate::args::Cli;

    fn told(line: &str) -> (String, String) {
        let error = Cli::try_parse_from(line.split_whitespace()).and_then(Cli::check).unwrap_err();
        let error = mistake(&error);
        (error.message().to_owned(), error.advice().unwrap().to_owned())
    }

    #[test]
    fn a_mistyped_verb_or_option_is_answered_with_the_near_one() {
        insta::assert_debug_snapshot!(told("publish statsu --release r"), @r#"
        (
            "there is no verb `statsu`",
            "did you mean `status`? `publish --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish find --latets"), @r#"
        (
            "there is no option `--latets`",
            "did you mean `--latest`? `publish find --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish --relase r"), @r#"
        (
            "there is no option `--relase`",
            "did you mean `--release`? `publish --help` lists what there is",
        )
        "#);
    }

    #[test]
    fn a_value_that_is_none_is_answered_with_those_that_are() {
        insta::assert_debug_snapshot!(told("publish find --state publishd"), @r#"
        (
            "invalid value 'publishd' for '--state <STATES>'\n  [possible values: staged, registered, replicated, published, hidden, retired, deleted, any]",
            "did you mean `published`? `publish --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish find --class nightly"), @r#"
        (
            "invalid value 'nightly' for '--class <CLASSES>'\n  [possible values: release, daily, dev]",
            "`publish --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish schema"), @r#"
        (
            "the following required arguments were not provided:\n  <FILE>",
            "`publish schema --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish find --json --csv"), @r#"
        (
            "the argument '--json' cannot be used with '--csv'",
            "`publish find --help` lists what there is",
        )
        "#);
        insta::assert_debug_snapshot!(told("publish --to aws status"), @r#"
        (
            "options such as --release and --to belong after the verb: publish VERB --release NAME",
            "`publish --help` lists what there is",
        )
        "#);
    }
}
