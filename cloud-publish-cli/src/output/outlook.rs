//! What the next run would do, and how to begin it.

use super::size::{listed, size};
use crate::overview::{Count, Next};

/// Two sentences: what, and with which command.
pub(crate) fn outlook(release: &str, next: &Next, is_settled: bool) -> String {
    let steps: Vec<String> = next.steps.iter().map(|step| words(step, next.bytes)).collect();
    let command = &next.command;
    if !next.unreachable.is_empty() {
        return unreached(next);
    }
    match (next.refused, steps.as_slice()) {
        (0, []) if is_settled => format!("nothing to do: all of {release} is published\n"),
        (0, []) => "the next run would do nothing about it\n".to_owned(),
        (0, steps) => format!("the next run: {}\nnext: `{command}`\n", steps.join(", ")),
        (_, _) => format!("the next run would be refused; `{command} --dry-run` says what to do about it\n"),
    }
}

/// What publishing would do about what is not as it should be.
pub(crate) fn remedy(next: &Next) -> String {
    let command = &next.command;
    match (next.refused, next.steps.as_slice()) {
        _ if !next.unreachable.is_empty() => unreached(next),
        (0, []) => format!(
            "next: `{command}` would leave it as it is; with --repair it sets visibility back; it never changes content\n"
        ),
        (0, _) => format!(
            "next: `{command}` adds what is missing; with --repair it sets visibility back; it never changes content\n"
        ),
        (_, _) => format!("next: `{command}` would be refused; with --dry-run it says what to do about it\n"),
    }
}

/// Without a word from a target nothing is done at the others either, unless they are to go on.
fn unreached(next: &Next) -> String {
    let names: Vec<&str> = next.unreachable.iter().map(AsRef::as_ref).collect();
    let mut text = format!("the next run is refused until {} can be reached\n", listed(&names));
    if next.seen > 0 {
        text.push_str(&format!("next: `{} --keep-going` goes on with the others\n", next.command));
    }
    text
}

fn words(step: &Count, bytes: u64) -> String {
    let Count { verb, count } = step;
    match *verb {
        "upload" => format!("{count} {verb} ({})", size(bytes)),
        _ => format!("{count} {verb}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{outlook, remedy};
    use crate::overview::{Count, Next};

    fn next(verb: &'static str) -> Next {
        Next { steps: vec![Count { verb, count: 2 }], seen: 1, command: "publish".to_owned(), ..Next::default() }
    }

    #[test]
    fn nothing_is_promised_that_a_run_would_not_do() {
        assert!(remedy(&next("register")).contains("adds what is missing"));
        let refused = Next { refused: 1, ..next("register") };
        let idle = Next { steps: Vec::new(), ..next("register") };
        for other in [refused, idle] {
            assert!(!remedy(&other).contains("adds"), "{other:?}");
        }
    }

    #[test]
    fn targets_out_of_reach_are_named_with_the_way_around_them() {
        let unreachable = ["aws", "openstack"].map(|name| name.parse().unwrap()).to_vec();
        let half = Next { unreachable, ..next("register") };
        let said = "the next run is refused until aws and openstack can be reached\n";
        let around = format!("{said}next: `publish --keep-going` goes on with the others\n");
        assert_eq!((outlook("r", &half, false), remedy(&half)), (around.clone(), around));
        assert_eq!(outlook("r", &Next { seen: 0, ..half }, false), said);
    }
}
