//! Lines that fit a terminal, however narrow: what matters least is left out first, and names are shortened last.

use super::task::Far;
use crate::output::size::shorten;

/// How often less is shown of [`Far`].
const LEVELS: usize = 4;

/// What is left of a name at least.
const SHORTEST_NAME: usize = 6;

/// What is left of a sentence at least.
const SHORTEST_WORDS: usize = 8;

/// What stands between four columns.
const GAPS: usize = 6;

/// A line of the display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The verb.
    pub(super) verb: String,
    /// Done to what.
    pub(super) what: String,
    /// Where.
    pub(super) place: String,
    /// How far it is.
    pub(super) far: Far,
}

/// The lines in aligned columns, none longer than `width`.
pub(super) fn fit(lines: &[Line], width: usize) -> Vec<String> {
    let widest = |of: fn(&Line) -> &str| lines.iter().map(|line| chars(of(line))).max().unwrap_or(0);
    let verb = widest(|line| &line.verb);
    let (mut what, mut place) = (widest(|line| &line.what), widest(|line| &line.place));
    // Numbers are shown whole, words may be cut.
    let far = |level| {
        let of = |line: &Line| match &line.far {
            Far::Bytes { .. } => chars(&line.far.text(level)),
            Far::Words(words) => chars(words).min(SHORTEST_WORDS),
        };
        lines.iter().map(of).max().unwrap_or(0)
    };
    let missing = |what: usize, place: usize, level| (verb + what + place + far(level) + GAPS).saturating_sub(width);
    let level = (0..LEVELS).find(|level| missing(what, place, *level) == 0).unwrap_or(LEVELS);
    what -= missing(what, place, level).min(what.saturating_sub(SHORTEST_NAME));
    place -= missing(what, place, level).min(place.saturating_sub(SHORTEST_NAME));
    let line = |line: &Line| {
        let (name, at) = (shorten(&line.what, what), shorten(&line.place, place));
        let columns = [(&line.verb, verb), (&name, what), (&at, place)];
        let columns = columns.into_iter().filter(|(_, wide)| *wide > 0).map(|(text, wide)| format!("{text:<wide$}"));
        let mut parts: Vec<String> = columns.collect();
        parts.push(line.far.text(level));
        let text = parts.join("  ");
        shorten(text.trim_end(), width)
    };
    lines.iter().map(line).collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::{Line, fit};
    use crate::output::live::task::{Far, bytes};

    const MIB: u64 = 1 << 20;

    fn lines() -> Vec<Line> {
        let line = |verb: &str, place: &str, far| Line {
            verb: verb.to_owned(),
            what: "genericcloud-amd64".to_owned(),
            place: place.to_owned(),
            far,
        };
        vec![
            line("upload", "us-east-1", bytes(145 * MIB, 321 * MIB, Some(24 * MIB))),
            line("copy", "ap-southeast-3", Far::Words("waits for the image to appear in the region".to_owned())),
        ]
    }

    #[test]
    fn a_wide_terminal_shows_everything_and_a_narrow_one_what_matters_most() {
        let shown = |width| fit(&lines(), width).join("\n");
        insta::assert_snapshot!(shown(100), @r#"
        upload  genericcloud-amd64  us-east-1        45 %  145/321 MiB  24 MiB/s  7 s left
        copy    genericcloud-amd64  ap-southeast-3  waits for the image to appear in the region
        "#);
        insta::assert_snapshot!(shown(79), @r#"
        upload  genericcloud-amd64  us-east-1        45 %  145/321 MiB  7 s left
        copy    genericcloud-amd64  ap-southeast-3  waits for the image to appear in t…
        "#);
        insta::assert_snapshot!(shown(39), @r#"
        upload  gener…  us-east-1       45 %
        copy    gener…  ap-southeast…  waits f…
        "#);
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_is_wide() {
        for width in 1..200 {
            let longest = fit(&lines(), width).iter().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width), "{longest:?} of {width}");
        }
    }
}
