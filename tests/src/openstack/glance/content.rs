//! The bytes of images: kept in pieces, zeros without taking room, hashed as they come.

use std::sync::Arc;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha512};

/// Pieces are kept as zeros or as bytes.
const PIECE: usize = 256 * 1024;

static ZEROS: [u8; PIECE] = [0; PIECE];

/// The bytes of an image.
#[derive(Debug)]
pub(crate) struct Content {
    pieces: Vec<Bytes>,
    pub(crate) size: u64,
    /// Hex.
    pub(crate) md5: String,
    /// Hex.
    pub(crate) sha512: String,
}

/// Collects bytes as they come.
#[derive(Debug)]
pub(super) struct Collector {
    pieces: Vec<Bytes>,
    /// Less than a piece.
    rest: Vec<u8>,
    size: u64,
    md5: Md5,
    sha512: Sha512,
}

impl Collector {
    pub(super) fn new() -> Self {
        Self { pieces: Vec::new(), rest: Vec::new(), size: 0, md5: Md5::new(), sha512: Sha512::new() }
    }

    /// How many have come.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn push(&mut self, mut data: &[u8]) {
        self.size += data.len() as u64;
        while !data.is_empty() {
            let taken = (PIECE - self.rest.len()).min(data.len());
            let (now, later) = data.split_at(taken);
            self.rest.extend_from_slice(now);
            data = later;
            if self.rest.len() == PIECE {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        self.md5.update(&self.rest);
        self.sha512.update(&self.rest);
        let piece = match ZEROS.get(..self.rest.len()) {
            Some(zeros) if zeros == self.rest => Bytes::from_static(zeros),
            _ => Bytes::copy_from_slice(&self.rest),
        };
        self.pieces.push(piece);
        self.rest.clear();
    }

    pub(super) fn finish(mut self) -> Arc<Content> {
        if !self.rest.is_empty() {
            self.close();
        }
        let (md5, sha512) = (hex(&self.md5.finalize()), hex(&self.sha512.finalize()));
        Arc::new(Content { pieces: self.pieces, size: self.size, md5, sha512 })
    }
}

impl Content {
    /// The bytes from `start`, `length` of them, in pieces that are not copied.
    pub(super) fn range(&self, start: u64, length: u64) -> Vec<Bytes> {
        let end = (start + length).min(self.size);
        let mut at = 0;
        let mut found = Vec::new();
        for piece in &self.pieces {
            let next = at + piece.len() as u64;
            if next > start && at < end {
                let inside = |place: u64| usize::try_from(place.clamp(at, next) - at).unwrap_or(piece.len());
                found.push(piece.slice(inside(start)..inside(end)));
            }
            at = next;
        }
        found
    }

    /// The first bytes, at most so many.
    pub(super) fn head(&self, length: u64) -> Vec<u8> {
        self.range(0, length).concat()
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Collector, PIECE};

    #[test]
    fn what_comes_in_odd_pieces_is_given_back_in_any_range() {
        let bytes: Vec<u8> = (0..PIECE * 2 + 7).map(|at| (at % 251) as u8).collect();
        let mut collector = Collector::new();
        for piece in bytes.chunks(100_003) {
            collector.push(piece);
        }
        let content = collector.finish();
        assert_eq!(content.range(0, content.size).concat(), bytes);
        let around = PIECE - 3..PIECE + 5;
        assert_eq!(content.range(around.start as u64, 8).concat(), bytes[around]);
    }

    #[test]
    fn the_digests_are_those_of_the_bytes() {
        let mut collector = Collector::new();
        collector.push(b"abc");
        let content = collector.finish();
        assert_eq!(content.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert!(content.sha512.starts_with("ddaf35a193617abacc417349ae204131"));
    }
}
