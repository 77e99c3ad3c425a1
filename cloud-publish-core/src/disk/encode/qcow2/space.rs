//! The space of a qcow2 file: handed out from its start to its end, and counted.
//!
//! A refcount block describes a region of 2 GiB and is its first cluster (of the first region: the first behind the
//! reserved ones), so only the blocks of the last two regions must be held.

use std::collections::BTreeMap;

use super::layout::{CLUSTER, COUNTS, Layout};

const WIDE: u64 = CLUSTER as u64;

/// A refcount block: where it belongs, and its counts.
#[derive(Debug)]
pub(super) struct Counts {
    /// Its cluster.
    pub(super) cluster: u64,
    counts: Vec<u16>,
}

impl Counts {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.counts.iter().flat_map(|count| count.to_be_bytes()).collect()
    }
}

/// Free space and reference counts.
#[derive(Debug)]
pub(super) struct Space {
    /// The first cluster that nobody has.
    next: u64,
    /// The bytes that are left at the end of the last cluster with deflated data: from, to.
    rest: (u64, u64),
    /// By region.
    open: BTreeMap<u64, Counts>,
}

impl Space {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut space = Self { next: 0, rest: (0, 0), open: BTreeMap::new() };
        let counts = Counts { cluster: layout.reserved(), counts: vec![0; COUNTS] };
        space.open.insert(0, counts);
        for _ in 0..=layout.reserved() {
            space.count(space.next);
            space.next += 1;
        }
        space
    }

    /// A cluster of its own; its place in bytes.
    pub(super) fn cluster(&mut self) -> u64 {
        let cluster = self.fresh();
        self.count(cluster);
        cluster * WIDE
    }

    /// Room for some deflated bytes, fewer than a cluster has; their place in bytes.
    pub(super) fn bytes(&mut self, length: u64) -> u64 {
        let (from, to) = self.rest;
        let from = if length <= to - from {
            self.rest.0 += length;
            from
        } else {
            let cluster = self.fresh();
            let start = cluster * WIDE;
            // What is left of the cluster before can be used if this one follows it.
            let from = if to == start && to > from { from } else { start };
            self.rest = (from + length, start + WIDE);
            from
        };
        for cluster in from / WIDE..=(from + length - 1) / WIDE {
            self.count(cluster);
        }
        from
    }

    /// Bytes of the file so far.
    pub(super) fn size(&self) -> u64 {
        self.next * WIDE
    }

    /// The refcount blocks that will not change any more, by region; `all` of them at the end.
    pub(super) fn settled(&mut self, all: bool) -> Vec<(u64, Counts)> {
        let region = self.next / COUNTS as u64;
        let open = if all { BTreeMap::new() } else { self.open.split_off(&region.saturating_sub(1)) };
        std::mem::replace(&mut self.open, open).into_iter().collect()
    }

    fn fresh(&mut self) -> u64 {
        if self.next.is_multiple_of(COUNTS as u64) {
            let counts = Counts { cluster: self.next, counts: vec![0; COUNTS] };
            self.open.insert(self.next / COUNTS as u64, counts);
            self.count(self.next);
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }

    fn count(&mut self, cluster: u64) {
        let index = usize::try_from(cluster % COUNTS as u64).unwrap_or(usize::MAX);
        let counts = self.open.get_mut(&(cluster / COUNTS as u64));
        if let Some(count) = counts.and_then(|open| open.counts.get_mut(index)) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, Space, WIDE};
    use crate::disk::encode::qcow2::layout::Layout;

    #[test]
    fn deflated_bytes_follow_each_other_across_clusters() {
        let layout = Layout::new(1 << 20);
        let mut space = Space::new(&layout);
        let first = space.bytes(60_000);
        assert_eq!(first, (layout.reserved() + 1) * WIDE);
        assert_eq!(space.bytes(60_000), first + 60_000);
        let plain = space.cluster();
        assert_eq!(plain, first + 2 * WIDE);
        assert_eq!(space.bytes(1000), first + 120_000, "the rest is filled");
        assert_eq!(space.bytes(60_000), plain + WIDE, "what does not fit goes behind");
        let blocks = space.settled(true);
        let at = usize::try_from(first / WIDE).unwrap();
        assert_eq!(blocks[0].1.counts[at..at + 4], [2, 2, 1, 1]);
    }

    #[test]
    fn every_region_starts_with_its_own_refcount_block() {
        let mut space = Space::new(&Layout::new(8 << 30));
        let mut settled = Vec::new();
        for _ in 0..3 * COUNTS {
            space.cluster();
            settled.extend(space.settled(false));
            assert!(space.open.len() <= 2);
        }
        settled.extend(space.settled(true));
        let regions: Vec<_> = settled.iter().map(|(region, counts)| (*region, counts.cluster)).collect();
        let wide = COUNTS as u64;
        assert_eq!(regions[1..], [(1, wide), (2, 2 * wide), (3, 3 * wide)]);
        let counted: u64 = settled.iter().flat_map(|(_, counts)| &counts.counts).map(|count| u64::from(*count)).sum();
        assert_eq!(counted * WIDE, space.size());
    }
}
