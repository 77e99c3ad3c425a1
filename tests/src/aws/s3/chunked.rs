//! Bodies in `aws-chunked` encoding: chunks with their length before them, and checksums in trailers behind the last.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
//!
//! Signatures of chunks are left out of account, like those of requests.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

/// What an encoded body carried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) content: Bytes,
    /// By name, in lower case.
    pub(super) trailers: BTreeMap<String, String>,
}

/// Decodes a whole body; none if it is not one.
pub(super) fn decode(body: &Bytes) -> Option<Decoded> {
    let mut pieces = Vec::new();
    let mut rest = body.clone();
    loop {
        let line = take_line(&mut rest)?;
        let length = line.split(';').next()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            break;
        }
        if rest.len() < length + 2 {
            return None;
        }
        pieces.push(rest.split_to(length));
        if rest.split_to(2) != "\r\n" {
            return None;
        }
    }
    let mut trailers = BTreeMap::new();
    while !rest.is_empty() {
        let line = take_line(&mut rest)?;
        if let Some((name, value)) = line.split_once(':') {
            trailers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        } else if !line.trim().is_empty() {
            return None;
        }
    }
    let content = match pieces.as_slice() {
        [only] => only.clone(),
        pieces => {
            let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
            pieces.iter().for_each(|piece| all.extend_from_slice(piece));
            all.freeze()
        }
    };
    Some(Decoded { content, trailers })
}

/// Takes a line off the front, without its end. Some clients end trailers with a bare line feed.
fn take_line(rest: &mut Bytes) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = rest.split_to(end + 1);
    Some(String::from_utf8(line.to_vec()).ok()?.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::decode;

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let body = "3;chunk-signature=00\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        let decoded = decode(&Bytes::from_static(body.as_bytes())).unwrap();
        assert_eq!(decoded.content, "abcde");
        assert_eq!(decoded.trailers["x-amz-checksum-crc32"], "AAAAAA==");
    }

    #[test]
    fn a_body_that_ends_early_is_none() {
        assert_eq!(decode(&Bytes::from_static(b"5\r\nabc\r\n0\r\n\r\n")), None);
        assert_eq!(decode(&Bytes::from_static(b"3\r\nabc\r\n")), None);
        assert_eq!(decode(&Bytes::from_static(b"plain text")), None);
    }
}
