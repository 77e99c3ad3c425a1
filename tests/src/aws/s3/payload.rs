//! The body of an upload as it was meant, after every digest that came with it has been verified.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest, Md5};

use super::checksum::Algorithm;
use super::{chunked, refusals};
use crate::aws::call::Call;
use crate::aws::reply::Refused;

/// A verified body.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) content: Bytes,
    /// In quotes: the MD5 of the content in hexadecimal digits.
    pub(super) etag: String,
    /// The checksum that came with it, in base64.
    pub(super) checksum: Option<(Algorithm, String)>,
}

/// Decodes and verifies the body of a request.
pub(super) fn read(call: &Call) -> Result<Payload, Refused> {
    let (content, trailers) = decode(call)?;
    let sha256 = Algorithm::Sha256;
    let announced = call.header("x-amz-content-sha256").filter(|value| value.len() == 64);
    let raw_sha256 = announced.map(|_| sha256.digest([content.as_ref()]));
    if let (Some(announced), Some(raw)) = (announced, &raw_sha256)
        && announced != hex(raw)
    {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Refused::bad("XAmzContentSHA256Mismatch", message));
    }
    let checksum = claimed(call, &trailers)?;
    if let Some((algorithm, claimed)) = &checksum {
        let known = raw_sha256.filter(|_| *algorithm == sha256);
        let computed = known.unwrap_or_else(|| algorithm.digest([content.as_ref()]));
        if STANDARD.encode(computed) != *claimed {
            return Err(refusals::bad_digest(algorithm.name()));
        }
    }
    let md5 = Md5::digest(&content);
    match call.header("content-md5") {
        Some(claimed) if claimed != STANDARD.encode(md5) => Err(refusals::bad_digest("Content-MD5")),
        _ => Ok(Payload { content, etag: quoted(&hex(&md5)), checksum }),
    }
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entity tag, which has its quotes with it everywhere.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn decode(call: &Call) -> Result<(Bytes, BTreeMap<String, String>), Refused> {
    let streaming = call.header("x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-"));
    if !streaming && !call.header("content-encoding").is_some_and(|value| value.contains("aws-chunked")) {
        return Ok((call.body.clone(), BTreeMap::new()));
    }
    let incomplete = || Refused::bad("IncompleteBody", "The request body terminated unexpectedly");
    let decoded = chunked::decode(&call.body).ok_or_else(incomplete)?;
    let length = call
        .header("x-amz-decoded-content-length")
        .ok_or_else(|| Refused::new(411, "MissingContentLength", "You must provide x-amz-decoded-content-length."))?;
    if length.parse() != Ok(decoded.content.len()) {
        return Err(incomplete());
    }
    let announced = call.header("x-amz-trailer").unwrap_or_default();
    let missing =
        announced.split(',').map(str::trim).find(|name| !name.is_empty() && !decoded.trailers.contains_key(*name));
    if let Some(name) = missing {
        return Err(Refused::bad("MalformedTrailerError", format!("The request has no trailer {name}.")));
    }
    Ok((decoded.content, decoded.trailers))
}

/// The one checksum that may come with a body, in a header or in a trailer.
fn claimed(call: &Call, trailers: &BTreeMap<String, String>) -> Result<Option<(Algorithm, String)>, Refused> {
    let mut found: Vec<(Algorithm, String)> = Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| {
            let name = algorithm.header();
            [call.headers.get(name), trailers.get(name)]
                .into_iter()
                .flatten()
                .map(move |value| (algorithm, value.clone()))
        })
        .collect();
    let wanted = call.header("x-amz-sdk-checksum-algorithm");
    match (found.len(), wanted) {
        (0, Some(_)) => {
            let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                           x-amz-trailer headers were found.";
            Err(refusals::invalid_request(message))
        }
        (0 | 1, _) => {
            let found = found.pop();
            match (&found, wanted) {
                (Some((algorithm, _)), Some(wanted)) if algorithm.name() != wanted => {
                    let message = "Value for x-amz-sdk-checksum-algorithm header is invalid.";
                    Err(refusals::invalid_request(message))
                }
                _ => Ok(found),
            }
        }
        _ => {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            Err(refusals::invalid_request(message))
        }
    }
}
