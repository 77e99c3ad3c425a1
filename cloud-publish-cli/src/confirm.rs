//! Asks a person whether to go on.

use std::io;

use cloud_publish_core::error::{Error, Kind, Result};
use tokio_util::sync::CancellationToken;

use crate::output::Console;

/// What a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether to publish.
    Publish,
    /// Whether to approve.
    Approve,
}

impl Question {
    fn text(self) -> &'static str {
        match self {
            Self::Publish => "Publish? [y/N] ",
            Self::Approve => "Approve? [y/N] ",
        }
    }

    /// What a person who does not say yes hears.
    fn result(self) -> &'static str {
        match self {
            Self::Publish => "nothing was published",
            Self::Approve => "nothing was approved",
        }
    }
}

/// Asks on standard error and reads one line of standard input; only `y` and `yes` mean yes.
///
/// # Errors
/// [`Kind::InvalidInput`] when the answer is no, or Ctrl-C: nothing is under way yet that could be stopped.
pub(crate) async fn confirm(console: &Console, stop: &CancellationToken, question: Question) -> Result<()> {
    let _asking = console.ask(question.text());
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        () = stop.cancelled() => {
            // The question stands on a line of its own from now on.
            console.insist("\n");
            return Err(Error::new(Kind::InvalidInput, question.result()));
        }
        answer = reading => answer,
    };
    let line = answer.map(Result::ok).ok().flatten().unwrap_or_default();
    if is_yes(&line) {
        return Ok(());
    }
    let refusal = format!("{}, because the answer was not yes", question.result());
    Err(Error::new(Kind::InvalidInput, refusal).hint("answer y, or use --yes"))
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_clear_yes_counts() {
        assert!(["y\n", "YES\n", " y "].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yeah\n"].into_iter().any(is_yes));
    }
}
