//! Pages: smaller than clients ask for, with opaque tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// One page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Present if there are more.
    pub(crate) next: Option<String>,
}

/// A token that no page of this list was given with.
#[derive(Debug)]
pub(crate) struct UnknownToken;

/// Which page is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'t> {
    /// What the client asks for.
    pub(crate) most: Option<usize>,
    /// What the service gives at most.
    pub(crate) cap: usize,
    pub(crate) token: Option<&'t str>,
}

/// The wanted page of a list whose order is stable.
pub(crate) fn page<T>(all: Vec<T>, wanted: Wanted<'_>) -> Result<Page<T>, UnknownToken> {
    let from = match wanted.token {
        None => 0,
        Some(token) => offset(token).filter(|&from| from <= all.len()).ok_or(UnknownToken)?,
    };
    let size = wanted.most.unwrap_or(wanted.cap).min(wanted.cap).max(1);
    let end = from.saturating_add(size).min(all.len());
    let next = (end < all.len()).then(|| BASE64.encode(format!("page-from:{end}")));
    Ok(Page { items: all.into_iter().skip(from).take(size).collect(), next })
}

fn offset(token: &str) -> Option<usize> {
    let decoded = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    decoded.strip_prefix("page-from:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Wanted, page};

    #[test]
    fn pages_join_to_the_whole() {
        let (mut seen, mut token) = (Vec::new(), None::<String>);
        loop {
            let wanted = Wanted { most: Some(1000), cap: 3, token: token.as_deref() };
            let got = page((0..7).collect(), wanted).unwrap();
            assert!(got.items.len() <= 3);
            seen.extend(got.items);
            token = got.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_token_of_no_page_is_unknown() {
        assert!(page(vec![1], Wanted { most: None, cap: 5, token: Some("anything") }).is_err());
    }
}
