//! A set of block indexes, compact where they follow each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Runs of indexes: the first of each, and the one after its last. They neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u32, u32)>", into = "Vec<(u32, u32)>")]
pub(super) struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    /// Whether an index is in it.
    pub(super) fn contains(&self, index: u32) -> bool {
        self.0.range(..=index).next_back().is_some_and(|(_, end)| index < *end)
    }

    /// Adds one index.
    pub(super) fn insert(&mut self, index: u32) {
        self.add(index, index.saturating_add(1));
    }

    /// Adds all of another set.
    pub(super) fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|(start, end)| self.add(*start, *end));
    }

    /// Every run, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().map(|(start, end)| (*start, *end))
    }

    /// Adds the indexes from `start` up to `end`, joining what touches.
    pub(super) fn add(&mut self, mut start: u32, mut end: u32) {
        if start >= end {
            return;
        }
        if let Some((before, its_end)) = self.0.range(..=start).next_back().map(|(it, its_end)| (*it, *its_end))
            && its_end >= start
        {
            start = before;
            end = end.max(its_end);
        }
        while let Some((after, its_end)) = self.0.range(start..=end).next().map(|(it, its_end)| (*it, *its_end)) {
            self.0.remove(&after);
            end = end.max(its_end);
        }
        self.0.insert(start, end);
    }
}

impl From<Vec<(u32, u32)>> for Ranges {
    fn from(runs: Vec<(u32, u32)>) -> Self {
        let mut ranges = Self::default();
        runs.into_iter().for_each(|(start, end)| ranges.add(start, end));
        ranges
    }
}

impl From<Ranges> for Vec<(u32, u32)> {
    fn from(ranges: Ranges) -> Self {
        ranges.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

    use super::Ranges;

    proptest! {
        #[test]
        fn a_set_of_ranges_is_a_set_of_indexes(runs in prop::collection::vec((0_u32..60, 0_u32..8), 0..20)) {
            let mut ranges = Ranges::default();
            let mut indexes = BTreeSet::new();
            for (start, length) in runs {
                ranges.add(start, start + length);
                indexes.extend(start..start + length);
            }
            for index in 0..80 {
                prop_assert_eq!(ranges.contains(index), indexes.contains(&index));
            }
            let ends: Vec<_> = ranges.iter().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0), "runs that touch: {ends:?}");
            let text = serde_json::to_string(&ranges).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), ranges);
        }
    }
}
