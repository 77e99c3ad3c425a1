//! Wording shared by all messages: quoting, lists, and "did you mean".

/// Longer words are not compared: nobody mistypes that much, and comparing costs the product of both lengths.
const COMPARED: usize = 64;
/// Quoted values are cut after this many characters.
const QUOTED: usize = 80;

/// A value in back quotes, control characters escaped, cut when long.
pub(crate) fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("`{}{dots}`", short.escape_debug())
}

/// Quoted words in one line: `` `a`, `b` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// The allowed word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > COMPARED {
        return None;
    }
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    let distances = allowed.into_iter().filter(|known| known.len() <= COMPARED).map(|known| {
        let distance = strsim::damerau_levenshtein(&lower, &known.to_lowercase());
        (distance, known)
    });
    distances.filter(|(distance, _)| *distance <= (length / 3).max(1)).min().map(|(_, known)| known)
}

/// "did you mean `x`?", when something near is allowed.
pub fn did_you_mean<'a>(word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, allowed).map(|known| format!("did you mean {}?", quote(known)))
}

#[cfg(test)]
mod tests {
    use super::{nearest, quote};

    #[test]
    fn only_near_words_are_suggested() {
        let allowed = ["variant", "arch", "file"];
        assert_eq!(nearest("varian", allowed), Some("variant"));
        assert_eq!(nearest("ARHC", allowed), Some("arch"));
        assert_eq!(nearest("colour", allowed), None);
        assert_eq!(nearest(&"variant".repeat(100), allowed), None);
    }

    #[test]
    fn quoted_values_show_no_raw_control_characters_and_end() {
        assert_eq!(quote("a\u{1b}[31m"), "`a\\u{1b}[31m`");
        assert_eq!(quote(&"x".repeat(500)).len(), 85);
    }
}
