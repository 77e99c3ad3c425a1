//! Pages that do not lose or repeat anything when something is made or deleted between two of them.
//!
//! A token is good for the very request that it came from. Filters are applied after a page was cut, as EC2 does: a
//! page can be empty although more follow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};

use crate::aws::query;
use crate::aws::reply::Refused;

use super::request::{Request, invalid};

/// What may be asked for in one page.
const LIMITS: std::ops::RangeInclusive<usize> = 5..=1000;

/// One page.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// Cuts the wanted page out of all candidates, which `key` orders.
pub(super) fn cut<T>(request: &Request<'_>, mut all: Vec<T>, key: impl Fn(&T) -> String) -> Result<Page<T>, Refused> {
    let wanted: Option<usize> = query::parsed(request.params(), "MaxResults")?;
    if let Some(most) = wanted.filter(|most| !LIMITS.contains(most)) {
        let message =
            format!("Value ( {most} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.");
        return Err(invalid(message));
    }
    let scope = scope(request);
    if let Some(token) = request.text("NextToken") {
        let after = read(token, &scope).ok_or_else(|| invalid("Unable to parse pagination token"))?;
        all.retain(|item| key(item) > after);
    }
    all.sort_by_cached_key(|item| key(item));
    let size = wanted.unwrap_or(usize::MAX).min(request.settings.page_size).max(1);
    let is_last = all.len() <= size;
    all.truncate(size);
    let next = if is_last { None } else { all.last().map(|item| BASE64.encode(format!("{scope}\n{}", key(item)))) };
    Ok(Page { items: all, next })
}

fn scope(request: &Request<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{} {} {}\n", request.account(), request.region(), request.call.operation));
    for (name, value) in
        request.params().iter().filter(|(name, _)| !matches!(name.as_str(), "NextToken" | "MaxResults"))
    {
        hash.update(format!("{name}={value}\n"));
    }
    BASE64.encode(&hash.finalize()[..12])
}

fn read(token: &str, scope: &str) -> Option<String> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    let (from, after) = text.split_once('\n')?;
    (from == scope).then(|| after.to_owned())
}
