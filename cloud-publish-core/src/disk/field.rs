//! Reads numbers out of on-disk structures.
//!
//! Bytes past the end read as zero: callers hand in whole structures, so that never decides anything.

/// `N` bytes at `at`.
pub(super) fn bytes<const N: usize>(structure: &[u8], at: usize) -> [u8; N] {
    structure.get(at..).and_then(|tail| tail.first_chunk()).copied().unwrap_or([0; N])
}

/// A little-endian number of four bytes.
pub(super) fn le32(structure: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes(structure, at))
}

/// A little-endian number of eight bytes.
pub(super) fn le64(structure: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes(structure, at))
}

/// A big-endian number of four bytes.
pub(super) fn be32(structure: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes(structure, at))
}

/// A big-endian number of eight bytes.
pub(super) fn be64(structure: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes(structure, at))
}
