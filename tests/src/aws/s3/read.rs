//! Objects: read, whole or in ranges, or only looked at.

use bytes::Bytes;

use super::refusals;
use super::route::Target;
use super::state::Object;
use super::xml::http_time;
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::Shared;

/// GetObject and HeadObject, which differ in the body alone.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(super) fn get(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let object = {
        let mut world = shared.state();
        world.s3.bucket(call, target)?.object(&target.key)?.clone()
    };
    if let Some(refusal) = unmet(call, &object) {
        return refusal;
    }
    let size = object.size();
    let range = call.header("range").and_then(|range| parse_range(range, size)).transpose()?;
    let (start, length) = range.unwrap_or((0, size));
    let mut headers = headers(call, &object, range.is_some());
    if range.is_some() {
        headers.push(("content-range".to_owned(), format!("bytes {start}-{}/{size}", start + length - 1)));
    }
    headers.push(("content-length".to_owned(), length.to_string()));
    // The length of what HEAD leaves out is told all the same.
    let body = if call.method == "HEAD" { Bytes::new() } else { object.slice(start, length) };
    Ok(Reply { status: if range.is_some() { 206 } else { 200 }, headers, ..Reply::bytes(body) })
}

fn headers(call: &Call, object: &Object, partial: bool) -> Vec<(String, String)> {
    let default_type = "binary/octet-stream";
    let content_type = object.about.content_type.as_deref().unwrap_or(default_type);
    let mut headers = vec![
        ("etag".to_owned(), object.etag.clone()),
        ("last-modified".to_owned(), http_time(object.modified)),
        ("accept-ranges".to_owned(), "bytes".to_owned()),
        ("content-type".to_owned(), content_type.to_owned()),
    ];
    headers.extend(object.about.metadata.clone());
    if !object.about.tags.is_empty() {
        headers.push(("x-amz-tagging-count".to_owned(), object.about.tags.len().to_string()));
    }
    let asked = call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
    if asked && !partial {
        headers.extend(object.checksum.headers());
    }
    headers
}

fn unmet(call: &Call, object: &Object) -> Option<Outcome> {
    let is_it = |wanted: &str| wanted == "*" || wanted.trim_matches('"') == object.etag.trim_matches('"');
    if call.header("if-match").is_some_and(|wanted| !is_it(wanted)) {
        return Some(Err(refusals::precondition_failed()));
    }
    call.header("if-none-match").is_some_and(is_it).then(|| Ok(Reply::empty(304).header("etag", &object.etag)))
}

/// Start and length of a single range; a header of another form asks for everything (RFC 9110, section 14.2).
fn parse_range(range: &str, size: u64) -> Option<Result<(u64, u64), Refused>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.trim(), last.trim()) {
        ("", suffix) => (size.saturating_sub(suffix.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.saturating_add(1).min(size)),
    };
    if start >= end {
        return Some(Err(Refused::new(416, "InvalidRange", "The requested range is not satisfiable")));
    }
    Some(Ok((start, end - start)))
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges_are_read_as_http_defines_them() {
        let range = |text| parse_range(text, 10).map(|range| range.map_err(|refused| refused.status));
        assert_eq!(range("bytes=0-3"), Some(Ok((0, 4))));
        assert_eq!(range("bytes=8-99"), Some(Ok((8, 2))));
        assert_eq!(range("bytes=4-"), Some(Ok((4, 6))));
        assert_eq!(range("bytes=-3"), Some(Ok((7, 3))));
        assert_eq!(range("bytes=10-"), Some(Err(416)));
        assert_eq!(range("lines=1-2"), None);
    }
}
