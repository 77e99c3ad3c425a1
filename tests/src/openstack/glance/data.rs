//! `GET /v2/images/ID/file`

use bytes::Bytes;

use super::access;
use super::image::Status;
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::world::Shared;

pub(super) fn download(shared: &Shared, call: &Call) -> Outcome {
    access::seen(shared, call, |image| {
        if image.status == Status::Deactivated && !call.caller.is_admin() {
            return Err(Refused::forbidden(
                "The requested image has been deactivated. Image data download is forbidden.",
            ));
        }
        let Some(content) = &image.content else { return Ok(Reply::empty(204)) };
        let range = call.header("range").map(|header| range(header, content.size)).transpose()?;
        let (start, length) = range.unwrap_or((0, content.size));
        let reply = Reply { tail: content.range(start, length), ..Reply::bytes(Bytes::new()) };
        let reply =
            reply.header("content-type", "application/octet-stream").header("content-length", length.to_string());
        Ok(match range {
            None => reply.header("content-md5", &content.md5),
            Some(_) => {
                let range = format!("bytes {start}-{}/{}", start + length - 1, content.size);
                reply.header("content-range", range).status(206)
            }
        })
    })
}

/// One range of bytes: where it begins and how long it is.
fn range(header: &str, size: u64) -> Result<(u64, u64), Refused> {
    let refused = || Refused::new(416, format!("Invalid Range header: {header}"));
    let (first, last) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(refused)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| refused());
    let (start, end) = match (first, last) {
        ("", last) => (size.saturating_sub(number(last)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => (number(first)?, number(last)?.saturating_add(1).min(size)),
    };
    if start < end { Ok((start, end - start)) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_inclusive_and_may_be_open() {
        assert_eq!(range("bytes=2-4", 10), Ok((2, 3)));
        assert_eq!(range("bytes=8-", 10), Ok((8, 2)));
        assert_eq!(range("bytes=-3", 10), Ok((7, 3)));
        assert_eq!(range("bytes=10-", 10).map_err(|refused| refused.status), Err(416));
    }
}
