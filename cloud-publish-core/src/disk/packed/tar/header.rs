//! The header block of a member: its fields, and whether they can be believed.

use crate::disk::packed::unpack::{damaged, refused};
use crate::error::Result;

/// The unit of an archive, in bytes.
pub(super) const BLOCK: usize = 512;

/// One block that describes a member, or goes on with its map.
pub(super) struct Header(pub(super) [u8; BLOCK]);

impl Header {
    pub(super) fn field(&self, at: usize, length: usize) -> &[u8] {
        self.0.get(at..at + length).unwrap_or_default()
    }

    pub(super) fn kind(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    pub(super) fn number(&self, at: usize) -> Result<u64> {
        number(self.field(at, 12)).ok_or_else(|| damaged("a header of the tar archive has a field that is no number"))
    }

    pub(super) fn check(&self) -> Result<()> {
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        let field = self.field(148, 8);
        let sum = sum - field.iter().map(|byte| u64::from(*byte)).sum::<u64>() + 8 * u64::from(b' ');
        if number(field) != Some(sum) {
            return Err(damaged("the checksum of a header of the tar archive is wrong"));
        }
        if !matches!(self.field(257, 8), b"ustar\x0000" | b"ustar  \0") {
            return Err(refused("the tar archive is of a format before POSIX (no ustar magic)"));
        }
        Ok(())
    }

    /// The name; of POSIX only, the prefix before it.
    pub(super) fn name(&self) -> Vec<u8> {
        let (name, prefix) = (text(self.field(0, 100)), text(self.field(345, 155)));
        if self.field(257, 8) == b"ustar\x0000" && !prefix.is_empty() {
            return [prefix, b"/", name].concat();
        }
        name.to_owned()
    }
}

/// Octal digits, or GNU's binary form, which has the first bit set.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, binary)) = field.split_first() {
        let (high, low) = binary.split_last_chunk::<8>()?;
        return high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low));
    }
    let digits = std::str::from_utf8(text(field)).ok()?.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// A field up to its first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}
