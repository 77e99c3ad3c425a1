//! What the next run would do, and how to begin it.

use super::size::size;
use crate::overview::Next;

/// Two sentences: what, and with which command.
pub(crate) fn outlook(release: &str, next: &Next, is_settled: bool) -> String {
    let steps: Vec<String> = next.steps.iter().map(|(verb, number)| step(verb, *number, next.bytes)).collect();
    let command = &next.command;
    match (next.refused, steps.as_slice()) {
        (0, []) if is_settled => format!("nothing to do: all of {release} is published\n"),
        (0, []) => "the next run would do nothing about it\n".to_owned(),
        (0, steps) => format!("the next run: {}\nnext: `{command}`\n", steps.join(", ")),
        (_, _) => format!("the next run would be refused; `{command} --dry-run` says what to do about it\n"),
    }
}

fn step(verb: &str, number: usize, bytes: u64) -> String {
    match verb {
        "upload" => format!("{number} {verb} ({})", size(bytes)),
        _ => format!("{number} {verb}"),
    }
}
