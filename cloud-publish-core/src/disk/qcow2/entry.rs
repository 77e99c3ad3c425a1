//! L2 entries: where the content of one guest cluster is.

use super::damaged;
use super::header::Header;
use crate::error::Result;

/// The offset in an L1 or L2 entry: bits 9 to 55.
pub(super) const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
const ZERO: u64 = 1;

/// A decoded L2 entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Reads as zeros; where a zero flag keeps a cluster allocated, its place.
    Zero(Option<u64>),
    /// A cluster as it is.
    Plain(u64),
    /// Deflated bytes from..to; the end is rounded up to a sector and may overshoot.
    Compressed(u64, u64),
}

impl Entry {
    pub(super) fn decode(raw: u64, header: &Header) -> Result<Self> {
        if raw & COMPRESSED != 0 {
            return Self::decode_compressed(raw, header.cluster_bits);
        }
        let flags = raw & !(OFFSET | COPIED);
        let offset = raw & OFFSET;
        let place = (offset != 0).then_some(offset);
        match (flags, place) {
            (0, Some(offset)) => Ok(Self::Plain(offset)),
            (0, None) => Ok(Self::Zero(None)),
            (ZERO, place) if header.version >= 3 => Ok(Self::Zero(place)),
            _ => Err(damaged("an L2 entry has unknown flags")),
        }
    }

    fn decode_compressed(raw: u64, cluster_bits: u32) -> Result<Self> {
        if raw & COPIED != 0 {
            return Err(damaged("an L2 entry has unknown flags"));
        }
        let offset_bits = 62 - (cluster_bits - 8);
        let descriptor = raw & (COMPRESSED - 1);
        let offset = descriptor & ((1 << offset_bits) - 1);
        let sectors = descriptor >> offset_bits;
        Ok(Self::Compressed(offset, (offset & !511).saturating_add((sectors + 1) * 512)))
    }
}

#[cfg(test)]
mod tests {
    use super::Entry;
    use crate::disk::qcow2::header::{Header, Table};

    fn header(version: u32) -> Header {
        let table = Table { offset: 65_536, length: 8 };
        Header { version, cluster_bits: 16, size: 512, l1: table, refcounts: table }
    }

    #[test]
    fn entries_are_decoded_as_specified() {
        let decode = |raw| Entry::decode(raw, &header(3)).unwrap();
        assert_eq!(decode(0), Entry::Zero(None));
        assert_eq!(decode(1), Entry::Zero(None));
        assert_eq!(decode(0x5_0001), Entry::Zero(Some(0x5_0000)));
        assert_eq!(decode(1 << 63 | 0x5_0000), Entry::Plain(0x5_0000));
        assert_eq!(decode(1 << 62 | 2 << 54 | 0x5_0123), Entry::Compressed(0x5_0123, 0x5_0600));
    }

    #[test]
    fn unknown_flags_are_refused() {
        for raw in [2, 1 << 8, 1 << 56, 1 << 61, 1 << 63 | 1 << 62] {
            assert!(Entry::decode(raw, &header(3)).is_err(), "{raw:#x}");
        }
        assert!(Entry::decode(0x5_0001, &header(2)).is_err(), "version 2 has no zero flag");
    }
}
