//! Deflate, one block at a time, so that any number of threads gives the same bytes.

use flate2::{Compress, Compression, FlushCompress};

use crate::error::{Error, Kind, Result};

/// How hard to compress: 1 is the fastest, 9 the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u32);

impl Level {
    /// Level 1: a third of the time of [`Level::DEFAULT`], about a third more bytes.
    pub const FAST: Self = Self(1);
    /// Level 6.
    pub const DEFAULT: Self = Self(6);

    /// A level from 1 to 9; `None` for other numbers.
    pub fn new(level: u32) -> Option<Self> {
        (1..=9).contains(&level).then_some(Self(level))
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A raw deflate compressor that is reset before each block.
///
/// `zlib-rs` gives the same bytes on every machine: what it does does not depend on the processor, only how fast.
pub(super) struct Deflater(Compress);

impl Deflater {
    /// With the window of 32 KiB that gzip has.
    pub(super) fn new(level: Level) -> Self {
        Self(Compress::new(Compression::new(level.0), false))
    }

    /// With a smaller window of 2^`bits` bytes.
    pub(super) fn with_window(level: Level, bits: u8) -> Self {
        Self(Compress::new_with_window_bits(Compression::new(level.0), false, bits))
    }

    /// Deflates a block that needs nothing of the others, and ends at a whole byte: such blocks in a row are one
    /// stream, which [`END`] ends.
    pub(super) fn flushed(&mut self, block: &[u8]) -> Result<Vec<u8>> {
        self.run(block, FlushCompress::Full)
    }

    /// Deflates a block to a whole stream.
    pub(super) fn finished(&mut self, block: &[u8]) -> Result<Vec<u8>> {
        self.run(block, FlushCompress::Finish)
    }

    fn run(&mut self, block: &[u8], flush: FlushCompress) -> Result<Vec<u8>> {
        self.0.reset();
        let mut out = Vec::with_capacity(block.len() + block.len() / 64 + 64);
        loop {
            let read = usize::try_from(self.0.total_in()).unwrap_or(usize::MAX);
            let rest = block.get(read..).unwrap_or_default();
            let done = self.0.compress_vec(rest, &mut out, flush);
            done.map_err(|error| Error::new(Kind::Unexpected, "could not deflate a block").caused_by(error))?;
            // With room left over, everything that was to be written is.
            if self.0.total_in() == block.len() as u64 && out.len() < out.capacity() {
                // Not shrunk where it is: what is left free between results is too short for the next block.
                return Ok(out.as_slice().to_vec());
            }
            out.reserve(1 << 16);
        }
    }
}

/// An empty last block, which ends a deflate stream: RFC 1951, 3.2.3.
pub(super) const END: [u8; 2] = [0x03, 0x00];

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::{Deflater, END, Level};
    use crate::disk::testing::noise;

    fn inflated(stream: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        DeflateDecoder::new(stream).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn flushed_blocks_make_up_one_stream() {
        let blocks = [noise(100_000), vec![0; 70_000], b"short".to_vec(), Vec::new()];
        let mut deflater = Deflater::new(Level::DEFAULT);
        let mut stream: Vec<u8> = blocks.iter().flat_map(|block| deflater.flushed(block).unwrap()).collect();
        stream.extend(END);
        assert_eq!(inflated(&stream), blocks.concat());
    }

    #[test]
    fn a_block_that_does_not_shrink_is_still_whole() {
        let random: Vec<u8> =
            (0_u32..4096).flat_map(|n| crate::digest::Digest::from_bytes(hash(n)).as_bytes().to_vec()).collect();
        for level in [Level::FAST, Level::DEFAULT, Level::new(9).unwrap()] {
            let mut deflater = Deflater::with_window(level, 12);
            assert_eq!(inflated(&deflater.finished(&random).unwrap()), random);
        }
    }

    #[test]
    fn a_used_deflater_gives_the_bytes_of_a_new_one() {
        let (one, two) = (noise(50_000), noise(60_000));
        let mut used = Deflater::new(Level::FAST);
        used.flushed(&one).unwrap();
        assert_eq!(used.flushed(&two).unwrap(), Deflater::new(Level::FAST).flushed(&two).unwrap());
    }

    #[test]
    fn levels_are_one_to_nine() {
        assert_eq!((Level::new(0), Level::new(10), Level::new(6)), (None, None, Some(Level::DEFAULT)));
    }

    fn hash(number: u32) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(number.to_be_bytes()).into()
    }
}
