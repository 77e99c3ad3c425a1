//! Sizes, counts and times in words.

use std::time::Duration;

/// Bytes as people read them: `304 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    let (scale, unit) = scale_of(bytes);
    format!("{} {unit}", scaled(bytes, scale))
}

/// How much of it there is, in one unit: `145/321 MiB`.
pub(crate) fn part_of(done: u64, total: u64) -> String {
    let (scale, unit) = scale_of(total);
    format!("{}/{} {unit}", scaled(done, scale), scaled(total, scale))
}

/// The largest unit that is not larger than so many bytes.
fn scale_of(bytes: u64) -> (u64, &'static str) {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS.into_iter().find(|(scale, _)| bytes >= *scale).unwrap_or((1, "B"))
}

fn scaled(bytes: u64, scale: u64) -> String {
    let (whole, rest) = (bytes / scale, bytes % scale);
    match rest.saturating_mul(10) / scale {
        tenth if whole < 10 && tenth > 0 => format!("{whole}.{tenth}"),
        _ => whole.to_string(),
    }
}

/// A text of at most `width` characters; what is too long ends with an ellipsis.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('…');
    }
    short
}

/// A text as lines of at most `width` characters, broken between words; a word that is longer has a longer line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Names in a sentence: `a, b and c`.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number with its noun: `1 image`, `2 images`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A duration that goes on, in whole seconds: `7 s`, `4 min 7 s`.
pub(crate) fn span(time: Duration) -> String {
    if time.as_secs() < 60 { format!("{} s", time.as_secs()) } else { took(time) }
}

/// A duration as people read it: `3.2 s`, `4 min 7 s`.
pub(crate) fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{count, listed, part_of, shorten, size, span, took, wrap};

    #[test]
    fn sizes_have_two_digits_and_a_unit() {
        let sizes = [0, 1023, 1024, 1536, 10 << 20, 304 << 20, (3 << 30) + (1 << 29), u64::MAX];
        assert_eq!(
            sizes.map(size),
            ["0 B", "1023 B", "1 KiB", "1.5 KiB", "10 MiB", "304 MiB", "3.5 GiB", "16777215 TiB"]
        );
    }

    #[test]
    fn one_is_singular_and_times_grow_coarser() {
        assert_eq!([0, 1, 2].map(|number| count(number, "image")), ["0 images", "1 image", "2 images"]);
        let times = [3, 247, 7300].map(Duration::from_secs).map(took);
        assert_eq!(times, ["3.0 s", "4 min 7 s", "2 h 1 min"]);
        assert_eq!([3, 247].map(Duration::from_secs).map(span), ["3 s", "4 min 7 s"]);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!([&["a"][..], &["a", "b"], &["a", "b", "c"]].map(listed), ["a", "a and b", "a, b and c"]);
    }

    #[test]
    fn a_part_has_the_unit_of_the_whole() {
        assert_eq!(part_of(145 << 20, 321 << 20), "145/321 MiB");
        assert_eq!(part_of(300 << 20, 3 << 30), "0.2/3 GiB");
        assert_eq!(part_of(0, 0), "0/0 B");
    }

    #[test]
    fn a_text_is_broken_between_words_and_no_word_is() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one extraordinary word", 5), ["one", "extraordinary", "word"]);
    }

    #[test]
    fn a_text_that_is_too_long_ends_with_an_ellipsis() {
        assert_eq!(["abc", "abcd", "abcde"].map(|text| shorten(text, 4)), ["abc", "abcd", "abc…"]);
        assert_eq!(shorten("abc", 0), "");
    }
}
