//! Patterns.

/// Tells whether a text fits a pattern of `*` and `?`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((back, begun)) = star else { return false };
                star = Some((back, begun + 1));
                at = back + 1;
                from = begun + 1;
            }
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_match_whole_texts() {
        assert!(glob("debian-*-amd??", "debian-12-amd64"));
        assert!(glob("*", ""));
        assert!(!glob("debian", "debian-12"));
        assert!(!glob("a?c", "ac"));
    }
}
