//! Where the tables of an image are, from its size alone; and its header.

/// Bytes of a cluster, guest's and host's.
pub(super) const CLUSTER: usize = 1 << CLUSTER_BITS;
const CLUSTER_BITS: u32 = 16;
const WIDE: u64 = CLUSTER as u64;

/// Entries of an L2 table, and clusters whose refcounts (16 bits each) are in one refcount block.
pub(super) const L2_ENTRIES: usize = CLUSTER / 8;
pub(super) const COUNTS: usize = CLUSTER / 2;

/// The tables at the start: the header's cluster, the refcount table, the L1 table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of the disk.
    pub(super) size: u64,
    /// Clusters of the refcount table.
    pub(super) refcount_clusters: u64,
    /// Entries of the L1 table.
    pub(super) l1_entries: u64,
}

impl Layout {
    pub(super) fn new(size: u64) -> Self {
        let guest = size.div_ceil(WIDE);
        let l1_entries = guest.div_ceil(L2_ENTRIES as u64);
        // At worst all clusters are plain, each behind one that another table has begun.
        let most = 2 * (guest + l1_entries + l1_entries.div_ceil(L2_ENTRIES as u64)) + 16;
        let refcount_blocks = most.div_ceil(COUNTS as u64) + 1;
        Self { size, refcount_clusters: refcount_blocks.div_ceil(L2_ENTRIES as u64), l1_entries }
    }

    /// Where the refcount table is, in bytes.
    pub(super) fn refcount_table(&self) -> u64 {
        WIDE
    }

    /// Where the L1 table is, in bytes.
    pub(super) fn l1(&self) -> u64 {
        (1 + self.refcount_clusters) * WIDE
    }

    /// Clusters of all tables at the start.
    pub(super) fn reserved(&self) -> u64 {
        1 + self.refcount_clusters + (self.l1_entries * 8).div_ceil(WIDE)
    }

    /// The header of version 3: all feature bits are 0, there is no backing file, no encryption and no snapshot.
    pub(super) fn header(&self) -> Vec<u8> {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let fields: [&[u8]; 18] = [
            b"QFI\xfb",
            &3_u32.to_be_bytes(),
            &0_u64.to_be_bytes(), // backing file: where its name is
            &0_u32.to_be_bytes(), // and how long
            &CLUSTER_BITS.to_be_bytes(),
            &self.size.to_be_bytes(),
            &0_u32.to_be_bytes(), // encryption
            &small(self.l1_entries).to_be_bytes(),
            &self.l1().to_be_bytes(),
            &self.refcount_table().to_be_bytes(),
            &small(self.refcount_clusters).to_be_bytes(),
            &0_u32.to_be_bytes(),   // snapshots
            &0_u64.to_be_bytes(),   // and where they are
            &0_u64.to_be_bytes(),   // incompatible features
            &0_u64.to_be_bytes(),   // compatible features
            &0_u64.to_be_bytes(),   // features to clear
            &4_u32.to_be_bytes(),   // refcounts of 2^4 bits
            &104_u32.to_be_bytes(), // bytes of this header
        ];
        fields.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn the_tables_have_room_for_any_content() {
        for size in [512, 65_536, (1 << 30) + 512, 2 << 40, 1 << 50] {
            let layout = Layout::new(size);
            assert!(layout.l1_entries * 8192 * 65_536 >= size, "{size}");
            assert!(layout.refcount_clusters * 8192 * 32_768 * 65_536 >= size + (size >> 8), "{size}");
            assert!(layout.l1() + layout.l1_entries * 8 <= layout.reserved() * 65_536);
            assert_eq!(layout.header().len(), 104);
        }
    }
}
