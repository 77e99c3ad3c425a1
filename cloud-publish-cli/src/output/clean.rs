//! Texts of others: what a cloud, a file or a name says must not reach a terminal as a command, nor show a secret.

/// What stands before a secret in addresses, headers and messages.
const BEFORE: [&str; 11] = [
    "X-Amz-Signature=",
    "X-Amz-Security-Token=",
    "X-Amz-Credential=",
    "X-Goog-Signature=",
    "X-Auth-Token: ",
    "X-Subject-Token: ",
    "Bearer ",
    "access_token=",
    "password=",
    "?sig=",
    "&sig=",
];

/// What is shown in its place.
const HIDDEN: &str = "[hidden]";

/// Escapes control characters, line ends excepted, and hides secrets.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => clean.push(c),
            c if c.is_control() => clean.extend(c.escape_debug()),
            c => clean.push(c),
        }
    }
    without_secrets(&clean)
}

/// The text with the signatures, tokens and passwords in it hidden.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut text = without_user_info(text);
    for before in BEFORE {
        let mut from = 0;
        while let Some(start) = find(&text, before, from) {
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.find(|c: char| c.is_whitespace() || "&\"'`)<>,;\\".contains(c)).unwrap_or(rest.len());
            if length > 0 {
                text.replace_range(start..start + length, HIDDEN);
            }
            from = start;
        }
    }
    text
}

/// Where what stands after a word begins.
fn find(text: &str, before: &str, from: usize) -> Option<usize> {
    let found = text.get(from..)?.to_ascii_lowercase().find(&before.to_ascii_lowercase())?;
    Some(from + found + before.len())
}

/// The text without names and passwords in addresses: `https://user:password@host`.
fn without_user_info(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("://");
        let end = part.find(|c: char| c.is_whitespace() || "/?#\"'`".contains(c)).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => clean.push_str(&format!("{HIDDEN}@{host}")),
            None => clean.push_str(authority),
        }
        clean.push_str(rest);
    }
    clean
}

/// The same on one line.
pub(crate) fn line_of(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{clean, line_of, without_secrets};

    #[test]
    fn escape_sequences_of_others_become_visible() {
        assert_eq!(clean("a\u{1b}[2J\nb\r"), "a\\u{1b}[2J\nb\\r");
        assert_eq!(line_of("a\nb"), "a b");
    }

    #[test]
    fn signatures_tokens_and_passwords_are_hidden_and_nothing_else() {
        for (text, shown) in [
            ("GET https://me:secret@host/x?a=1 failed", "GET https://[hidden]@host/x?a=1 failed"),
            (
                "https://b.s3/x?X-Amz-Signature=abc&X-Amz-Expires=5",
                "https://b.s3/x?X-Amz-Signature=[hidden]&X-Amz-Expires=5",
            ),
            ("https://a.blob/x?sv=1&sig=ab%2Bc \"x\"", "https://a.blob/x?sv=1&sig=[hidden] \"x\""),
            (
                "x-auth-token: gAAAA, authorization: bearer ey.J",
                "x-auth-token: [hidden], authorization: bearer [hidden]",
            ),
            (
                "mail me@example.org about sha256:abc, s3://bucket/state",
                "mail me@example.org about sha256:abc, s3://bucket/state",
            ),
            ("password=", "password="),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(without_secrets(shown), shown, "twice");
        }
    }
}
