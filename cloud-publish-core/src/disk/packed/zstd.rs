//! zstd: all frames of a stream, with their checksums compared, which `ruzstd` leaves to its caller.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Reads the content of all frames, to the very end of the input.
pub(super) struct Frames<R> {
    input: R,
    decoder: FrameDecoder,
    /// Bytes read of the frame that is being decoded.
    frame: Option<u64>,
}

impl<R: BufRead> Frames<R> {
    /// `max_window` is the most memory for the window of a frame, in bytes.
    pub(super) fn new(input: R, max_window: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(max_window);
        Self { input, decoder, frame: None }
    }

    /// Begins the next frame; false at the end of the input.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.frame = Some(0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut (&mut self.input).take(length.into()), &mut io::sink())?;
                    if skipped != u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error @ FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::Error::new(io::ErrorKind::OutOfMemory, error));
                }
                Err(error) => return Err(invalid(error)),
            }
        }
        Ok(false)
    }

    /// Holds a frame that was read against what it says of itself.
    fn check(&self, length: u64) -> io::Result<()> {
        let announced = self.decoder.content_size();
        if announced != 0 && announced != length {
            return Err(invalid("a frame does not have the size that it announces"));
        }
        let checksum = self.decoder.get_checksum_from_data();
        if checksum.is_some() && checksum != self.decoder.get_calculated_checksum() {
            return Err(invalid("the checksum of a frame is wrong"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(length) = self.frame else { if self.begin()? { continue } else { return Ok(0) } };
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)).map_err(invalid)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.frame = Some(length + read as u64);
                return Ok(read);
            }
            self.check(length)?;
            self.frame = None;
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
