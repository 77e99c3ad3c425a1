//! The view: what digests, checks and uploads read from, whatever format is underneath.

use super::extent::{Extent, Extents};
use crate::error::{Error, Kind, Result};

/// Sparse random access to a number of bytes.
pub(super) trait View: Send + Sync {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// The amount that is best read at once, in bytes.
    fn block(&self) -> usize;

    /// The data from `start` up to `end`; what is between is zeros.
    fn data(&self, start: u64, end: u64) -> Extents<'_>;

    /// Fills `buffer` from bytes that are all data.
    fn read_data(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Fills `buffer`; holes become zeros without being read.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let end = check_bounds(self, offset, buffer)?;
        buffer.fill(0);
        for extent in self.data(offset, end) {
            let Extent { offset: at, length } = extent?;
            let from = usize::try_from(at - offset).unwrap_or(usize::MAX);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if let Some(part) = buffer.get_mut(from..from.saturating_add(length)) {
                self.read_data(at, part)?;
            }
        }
        Ok(())
    }
}

/// The end of a read, if it is inside the view.
pub(super) fn check_bounds<V: View + ?Sized>(view: &V, offset: u64, buffer: &[u8]) -> Result<u64> {
    let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= view.size());
    end.ok_or_else(|| {
        Error::new(Kind::Unexpected, "a read reaches past the end of the disk")
            .with("offset", offset)
            .with("length", buffer.len())
            .with("size", view.size())
    })
}
