//! Texts of others: what a cloud, a file or a name says must not reach a terminal as a command.

/// Escapes control characters, line ends excepted.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => clean.push(c),
            c if c.is_control() => clean.extend(c.escape_debug()),
            c => clean.push(c),
        }
    }
    clean
}

/// The same on one line.
pub(crate) fn line_of(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{clean, line_of};

    #[test]
    fn escape_sequences_of_others_become_visible() {
        assert_eq!(clean("a\u{1b}[2J\nb\r"), "a\\u{1b}[2J\nb\\r");
        assert_eq!(line_of("a\nb"), "a b");
    }
}
