//! Which tags must be written or taken off: pure.

use std::collections::{BTreeMap, BTreeSet};

use cloud_publish_core::identity::{Marks, TAG_PREFIX};

use crate::tags::{EXTRA, encode_extra};

/// The names of the tags that come and go, without their prefix.
const MARKS: [&str; 3] = ["published", "retired", "withdrawn"];

/// The difference between the tags that are there and those that should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Names to take off.
    pub(super) remove: BTreeSet<String>,
    /// Tags to write.
    pub(super) set: BTreeMap<String, String>,
    /// What those to write were before.
    was: BTreeMap<String, String>,
}

impl Change {
    /// Writes these and takes nothing off.
    pub(super) fn of_new(set: BTreeMap<String, String>) -> Self {
        Self { set, ..Self::default() }
    }

    /// From the tags of an image to these marks.
    pub(super) fn of_marks(have: &BTreeMap<String, String>, marks: &Marks) -> Self {
        Self::between(have, &marks.to_map(), MARKS.map(|name| format!("{TAG_PREFIX}{name}")).into())
    }

    /// From the tags of an object to these tags of the configuration. Tags that [`EXTRA`] does not list are somebody
    /// else's and stay, unless they are to have another value.
    pub(super) fn of_extra(have: &BTreeMap<String, String>, extra: &BTreeMap<String, String>) -> Self {
        let listed = have.get(EXTRA).map(String::as_str).unwrap_or_default();
        let names = listed.split_whitespace().filter(|name| !name.starts_with(TAG_PREFIX));
        let ours = names.chain([EXTRA]).map(str::to_owned).collect();
        Self::between(have, &encode_extra(extra), ours)
    }

    fn between(have: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>, ours: BTreeSet<String>) -> Self {
        let set = wanted.iter().filter(|(name, value)| have.get(*name) != Some(value));
        let remove = ours.into_iter().filter(|name| have.contains_key(name) && !wanted.contains_key(name));
        let set: BTreeMap<_, _> = set.map(|(name, value)| (name.clone(), value.clone())).collect();
        let was = have.iter().filter(|(name, _)| set.contains_key(*name));
        Self { remove: remove.collect(), was: was.map(|(name, value)| (name.clone(), value.clone())).collect(), set }
    }

    /// Both in one.
    pub(super) fn join(&mut self, other: Self) {
        self.remove.extend(other.remove);
        self.set.extend(other.set);
        self.was.extend(other.was);
    }

    /// Whether all is as it should be.
    pub(super) fn is_nothing(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty()
    }

    /// Whether these tags show it, or that somebody has meanwhile written another value: of two publishers at once, each
    /// marks the time of its own publication, and one of them is the last.
    pub(super) fn is_done(&self, now: &BTreeMap<String, String>) -> bool {
        let is_new =
            |name: &String, value| now.get(name).is_some_and(|now| now == value || self.was.get(name) != Some(now));
        self.set.iter().all(|(name, value)| is_new(name, value))
            && self.remove.iter().all(|name| !now.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use cloud_publish_core::identity::Marks;
    use jiff::Timestamp;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::Change;
    use crate::tags::{EXTRA, encode_extra};

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn marks_are_written_and_taken_off_and_nothing_else() {
        let have = tags(&[("cloud-publish-retired", "x"), ("cloud-publish-owner", "debian"), ("Name", "n")]);
        let marks = Marks { published: Some(Timestamp::UNIX_EPOCH), ..Marks::default() };
        let change = Change::of_marks(&have, &marks);
        assert_eq!(change.remove, names(&["cloud-publish-retired"]));
        assert_eq!(change.set, marks.to_map());
        assert!(Change::of_marks(&marks.to_map(), &marks).is_nothing());
    }

    #[test]
    fn only_listed_tags_are_taken_off() {
        let have = tags(&[("colour", "red"), ("team", "cloud"), (EXTRA, "colour gone cloud-publish-owner")]);
        let change = Change::of_extra(&have, &BTreeMap::new());
        assert_eq!(change.remove, names(&["colour", EXTRA]));
        assert!(change.set.is_empty());
    }

    #[test]
    fn a_run_that_died_after_taking_off_is_continued() {
        let wanted = tags(&[("colour", "blue")]);
        let half = tags(&[(EXTRA, "colour size")]);
        assert_eq!(Change::of_extra(&half, &wanted).set, encode_extra(&wanted));
    }

    #[test]
    fn a_value_that_another_publisher_wrote_meanwhile_is_not_waited_out() {
        let (had, wanted) = (tags(&[("published", "monday")]), tags(&[("published", "noon")]));
        let change = Change::between(&had, &wanted, BTreeSet::new());
        assert!(!change.is_done(&had), "the old value is still shown");
        assert!(change.is_done(&wanted));
        assert!(change.is_done(&tags(&[("published", "a moment later")])));
        assert!(!change.is_done(&BTreeMap::new()));
    }

    proptest! {
        #[test]
        fn after_the_change_all_is_as_wanted(
            have in proptest::collection::btree_map("[a-c]", "[x-z]", 0..3),
            foreign in proptest::collection::btree_map("[d-f]", "[x-z]", 0..3),
            wanted in proptest::collection::btree_map("[a-f]", "[x-z]", 0..3),
        ) {
            let mut now = encode_extra(&have);
            now.extend(foreign.clone());
            let change = Change::of_extra(&now, &wanted);
            now.retain(|name, _| !change.remove.contains(name));
            now.extend(change.set.clone());
            prop_assert!(change.is_done(&now));
            prop_assert!(Change::of_extra(&now, &wanted).is_nothing());
            let kept = foreign.iter().filter(|(name, _)| !wanted.contains_key(*name));
            for (name, value) in kept {
                prop_assert_eq!(now.get(name), Some(value));
            }
        }
    }
}
