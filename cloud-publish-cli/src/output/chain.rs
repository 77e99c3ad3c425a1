//! Errors as people read them: what failed, what caused it, what to do.

use cloud_publish_core::error::Error;

use super::clean::clean;
use super::style::{Word, paint};

/// An error with its causes and its hint.
///
/// An error that lists several problems, one per line, is shown as several.
pub(crate) fn halt_text(error: &Error) -> String {
    let mut chain = error.chain().into_iter();
    let first = chain.next().unwrap_or_default();
    let causes: Vec<String> = chain.collect();
    block((Word::Bad, "error:"), &first, &causes, error.advice())
}

/// A failure whose chain is one text.
pub(crate) fn failure_text(what: &str, cause: &str, hint: Option<&str>) -> String {
    block((Word::Bad, "error:"), what, &[cause.to_owned()], hint)
}

/// Something that is waited for, and why.
pub(crate) fn waiting_text(what: &str, cause: &str, hint: Option<&str>) -> String {
    block((Word::Warning, "waiting:"), &format!("{what}: {}", cause.replace('\n', "\n    ")), &[], hint)
}

fn block((word, label): (Word, &str), first: &str, causes: &[String], hint: Option<&str>) -> String {
    let mut text = String::new();
    for line in clean(first).lines() {
        // A line that is indented continues the one before.
        match line.starts_with(' ') {
            true => text.push_str(&format!("{line}\n")),
            false => text.push_str(&format!("{} {line}\n", paint(word, label))),
        }
    }
    for cause in causes {
        text.push_str(&format!("  caused by: {}\n", clean(cause).replace('\n', "\n    ")));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("{} {}\n", paint(Word::Good, "hint:"), clean(hint)));
    }
    text
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::{Error, Kind};

    use super::halt_text;

    fn plain(error: &Error) -> String {
        anstream::adapter::strip_str(&halt_text(error)).to_string()
    }

    #[test]
    fn an_error_shows_its_causes_and_the_hint_of_any_of_them() {
        let cause = Error::new(Kind::PermissionDenied, "region is not enabled").hint("enable it");
        let error = Error::new(Kind::Unexpected, "could not copy `x`").caused_by(cause);
        assert_eq!(plain(&error), "error: could not copy `x`\n  caused by: region is not enabled\nhint: enable it\n");
    }

    #[test]
    fn several_problems_are_several_errors_and_indented_lines_continue() {
        let error = Error::new(Kind::InvalidInput, "a:1:1: x\na:2:1: y\n  more");
        assert_eq!(plain(&error), "error: a:1:1: x\nerror: a:2:1: y\n  more\n");
    }
}
