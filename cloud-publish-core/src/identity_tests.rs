use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::{ImageTags, Marks, Place, TAG_PREFIX};
use crate::digest::Digest;
use crate::names::{Class, Region};

fn place() -> Place {
    Place { provider: "openstack".parse().unwrap(), account: "0b12".parse().unwrap() }
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn tags() -> ImageTags {
    ImageTags {
        owner: "debian".parse().unwrap(),
        release: "bookworm-20240101".parse().unwrap(),
        suite: "bookworm".parse().unwrap(),
        version: "20240101-1614".parse().unwrap(),
        class: Class::Release,
        variant: "genericcloud".parse().unwrap(),
        arch: "amd64".parse().unwrap(),
        rendition: "as-is".parse().unwrap(),
        date: "2024-01-01T00:00:00Z".parse().unwrap(),
        digest: Digest::from_bytes([7; 32]),
    }
}

#[test]
fn the_key_is_stable_and_depends_on_the_region() {
    let one = tags().key(&place(), &region("RegionOne"));
    assert_eq!(one.as_str().len(), 32);
    assert_eq!(one, tags().key(&place(), &region("RegionOne")));
    assert_ne!(one, tags().key(&place(), &region("RegionTwo")));
}

#[test]
fn tokens_differ_by_generation_and_content() {
    let (place, region) = (place(), region("RegionOne"));
    let other = ImageTags { digest: Digest::from_bytes([8; 32]), ..tags() };
    assert_ne!(tags().uuid(&place, &region, 0), tags().uuid(&place, &region, 1));
    assert_ne!(tags().uuid(&place, &region, 0), other.uuid(&place, &region, 0));
    assert_eq!(tags().token(&place, &region, 0), tags().token(&place, &region, 0));
}

#[test]
fn a_missing_or_changed_tag_makes_the_image_not_ours_to_touch() {
    let (place, region) = (place(), region("RegionOne"));
    let complete = tags().to_map(&place, &region);
    for name in complete.keys() {
        let mut without = complete.clone();
        without.remove(name);
        assert!(ImageTags::from_map(&without, &place, &region).is_err(), "{name} removed");
    }
    for name in ["owner", "release", "variant", "arch", "rendition"] {
        let mut changed = complete.clone();
        changed.insert(format!("{TAG_PREFIX}{name}"), "other".into());
        assert!(ImageTags::from_map(&changed, &place, &region).is_err(), "{name} changed");
    }
    let elsewhere = "RegionTwo".parse().unwrap();
    assert!(ImageTags::from_map(&complete, &place, &elsewhere).is_err());
}

#[test]
fn an_unreadable_mark_is_a_problem() {
    let marks = Marks { published: Some("2024-01-02T03:04:05Z".parse().unwrap()), ..Marks::default() };
    let mut map = marks.to_map();
    assert_eq!(Marks::from_map(&map).unwrap(), marks);
    map.insert(format!("{TAG_PREFIX}retired"), "soon".into());
    assert!(Marks::from_map(&map).is_err());
}

proptest! {
    #[test]
    fn tags_round_trip(
        words in proptest::collection::vec("[a-z0-9][a-z0-9.+~_-]{0,20}", 7),
        place_name in "[a-z0-9]{1,32}",
        area in "[A-Za-z0-9-]{1,20}",
        seconds in 0_i64..4_000_000_000,
        bytes in any::<[u8; 32]>().prop_map(Digest::from_bytes),
    ) {
        let own = ImageTags {
            owner: words[0].parse().unwrap(),
            release: words[1].parse().unwrap(),
            suite: words[2].parse().unwrap(),
            version: words[3].parse().unwrap(),
            variant: words[4].parse().unwrap(),
            arch: words[5].parse().unwrap(),
            rendition: words[6].parse().unwrap(),
            class: Class::Daily,
            date: jiff::Timestamp::from_second(seconds).unwrap(),
            digest: bytes,
        };
        let place = Place { provider: "memory".parse().unwrap(), account: place_name.parse().unwrap() };
        let area = region(&area);
        prop_assert_eq!(ImageTags::from_map(&own.to_map(&place, &area), &place, &area).unwrap(), own);
    }
}
