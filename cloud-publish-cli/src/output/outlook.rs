//! What the next run would do, and how to begin it.

use super::size::size;
use crate::overview::{Count, Next};

/// Two sentences: what, and with which command.
pub(crate) fn outlook(release: &str, next: &Next, is_settled: bool) -> String {
    let steps: Vec<String> = next.steps.iter().map(|step| words(step, next.bytes)).collect();
    let command = &next.command;
    match (next.refused, steps.as_slice()) {
        (0, []) if is_settled => format!("nothing to do: all of {release} is published\n"),
        (0, []) => "the next run would do nothing about it\n".to_owned(),
        (0, steps) => format!("the next run: {}\nnext: `{command}`\n", steps.join(", ")),
        (_, _) => format!("the next run would be refused; `{command} --dry-run` says what to do about it\n"),
    }
}

fn words(step: &Count, bytes: u64) -> String {
    let Count { verb, count } = step;
    match *verb {
        "upload" => format!("{count} {verb} ({})", size(bytes)),
        _ => format!("{count} {verb}"),
    }
}
