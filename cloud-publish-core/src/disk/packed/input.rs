//! The packed file as a stream: read once from begin to end, hashed meanwhile.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use crate::disk::digests::{Watch, check_cancelled};
use crate::disk::hashing::{Block, Hashers};
use crate::disk::source::Source;
use crate::disk::view::View;
use crate::error::{Error, Result};

/// Reads the file for a decoder, which only knows [`io::Error`]: the real reason of a failure is kept beside.
pub(super) struct Input<'a, 'scope> {
    file: &'a Source,
    hashers: &'a Hashers<'scope>,
    watch: &'a dyn Watch,
    block: Arc<Vec<u8>>,
    /// What was taken of the block.
    taken: usize,
    /// The end of the block in the file.
    at: u64,
    failure: Option<Error>,
}

impl<'a, 'scope> Input<'a, 'scope> {
    pub(super) fn new(file: &'a Source, hashers: &'a Hashers<'scope>, watch: &'a dyn Watch) -> Self {
        Self { file, hashers, watch, block: Arc::default(), taken: 0, at: 0, failure: None }
    }

    /// Why reading failed, if it did.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure
    }

    fn advance(&mut self) -> Result<()> {
        check_cancelled(self.watch)?;
        let left = usize::try_from(self.file.size() - self.at).unwrap_or(usize::MAX);
        let mut block = vec![0; left.min(self.file.block())];
        self.file.read_data(self.at, &mut block)?;
        self.at += block.len() as u64;
        self.block = Arc::new(block);
        self.taken = 0;
        self.hashers.send(&Block::Data(Arc::clone(&self.block)))?;
        self.watch.advanced(self.block.len() as u64);
        Ok(())
    }
}

impl BufRead for Input<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.block.len() && self.at < self.file.size() {
            self.advance().map_err(|error| {
                self.failure = Some(error);
                io::Error::other("the packed file could not be read")
            })?;
        }
        Ok(self.block.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.block.len());
    }
}

impl Read for Input<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let copied = self.fill_buf()?.read(buffer)?;
        self.consume(copied);
        Ok(copied)
    }
}
