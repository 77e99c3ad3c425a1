use std::collections::BTreeMap;

use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::{Catalogue, Scope, read, write};
use crate::digest::Digest;
use crate::identity::{ImageTags, Marks, Place};
use crate::manifest::Visibility;
use crate::names::{Class, Region};
use crate::publisher::{Capability, ReadBack, Replication, TargetInfo};
use crate::survey::{FoundImage, Gap, Life, Native, Survey};

fn info() -> TargetInfo {
    TargetInfo {
        target: "cloud".parse().unwrap(),
        place: Place { provider: "memory".parse().unwrap(), account: "acc".parse().unwrap() },
        home: "one".parse().unwrap(),
        regions: Vec::new(),
        skipped: Vec::new(),
        renditions: Vec::new(),
        capability: Capability {
            replication: Replication::Independent,
            stages_apart: true,
            replicas_are_visible: false,
            visibilities: std::collections::BTreeSet::new(),
            together: None,
            pointers: false,
            marketplace: false,
            read_back: ReadBack::Nothing,
            file_sha512: false,
            keeps_renditions: false,
        },
    }
}

fn image(region: &str, id: &str) -> FoundImage {
    FoundImage {
        region: region.parse().unwrap(),
        id: id.parse().unwrap(),
        name: "debian-12".into(),
        native: Native::Available,
        visibility: Visibility::Private,
        tags: Some(ImageTags {
            owner: "debian".parse().unwrap(),
            release: "bookworm-20240101".parse().unwrap(),
            suite: "bookworm".parse().unwrap(),
            version: "20240101-1614".parse().unwrap(),
            class: Class::Release,
            variant: "genericcloud".parse().unwrap(),
            arch: "amd64".parse().unwrap(),
            rendition: "as-is".parse().unwrap(),
            date: "2024-01-01T00:00:00Z".parse().unwrap(),
            digest: Digest::from_bytes([1; 32]),
        }),
        marks: Marks { published: Some("2024-01-02T00:00:00Z".parse().unwrap()), ..Marks::default() },
        extra_tags: BTreeMap::new(),
        created: None,
        attributes: BTreeMap::new(),
        links: BTreeMap::new(),
        problems: Vec::new(),
    }
}

fn survey(images: Vec<FoundImage>) -> Survey {
    Survey { images, ..Survey::default() }
}

fn ids(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.rows.iter().map(|row| row.id.as_str()).collect()
}

#[test]
fn a_survey_replaces_the_rows_of_the_regions_it_covers() {
    let mut catalogue = Catalogue::default();
    catalogue.take(&info(), &survey(vec![image("two", "b"), image("one", "a")]), Scope::Place);
    assert_eq!(ids(&catalogue), ["a", "b"]);
    let gap = Gap { region: Some("two".parse::<Region>().unwrap()), reason: "503".into(), passing: true };
    catalogue.take(&info(), &Survey { incomplete: vec![gap], ..survey(vec![image("one", "c")]) }, Scope::Place);
    assert_eq!(ids(&catalogue), ["c", "b"], "what could not be read stays as it was");
}

#[test]
fn without_a_lease_a_survey_speaks_for_its_own_release_only() {
    let mut catalogue = Catalogue::default();
    let mut other = image("one", "b");
    other.tags.as_mut().unwrap().release = "bookworm-20240201".parse().unwrap();
    catalogue.take(&info(), &survey(vec![image("one", "a"), other.clone()]), Scope::Place);
    let release = "bookworm-20240101".parse().unwrap();
    catalogue.take(&info(), &survey(vec![image("one", "c")]), Scope::Release(&release));
    assert_eq!(ids(&catalogue), ["c", "b"], "the other release was published after this survey was made");
    let mut lost = Catalogue::default();
    lost.take(&info(), &survey(vec![image("one", "a"), other]), Scope::Release(&release));
    assert_eq!(ids(&lost), ["a", "b"], "a lost catalogue comes back whole");
}

#[test]
fn tombstones_stay_and_untrusted_objects_never_enter() {
    let mut catalogue = Catalogue::default();
    catalogue.take(&info(), &survey(vec![image("one", "a")]), Scope::Place);
    catalogue.rows[0].state = Life::Deleted;
    let foreign = FoundImage { tags: None, ..image("one", "x") };
    catalogue.take(&info(), &survey(vec![foreign]), Scope::Place);
    assert_eq!(ids(&catalogue), ["a"]);
}

#[tokio::test]
async fn the_file_is_written_once_and_read_again() {
    let store = InMemory::new();
    assert_eq!(read(&store).await.unwrap(), Catalogue::default());
    let mut catalogue = Catalogue::default();
    catalogue.take(&info(), &survey(vec![image("one", "a")]), Scope::Place);
    write(&store, &catalogue).await.unwrap();
    let first = object_store::ObjectStoreExt::head(&store, &"catalogue.json".into()).await.unwrap();
    write(&store, &catalogue).await.unwrap();
    let second = object_store::ObjectStoreExt::head(&store, &"catalogue.json".into()).await.unwrap();
    assert_eq!((read(&store).await.unwrap(), first.e_tag), (catalogue, second.e_tag));
}

#[tokio::test]
async fn a_damaged_catalogue_is_reported_with_the_way_out() {
    let store = InMemory::new();
    let dyn_store: &dyn ObjectStore = &store;
    dyn_store.put_opts(&"catalogue.json".into(), "{\"sch".into(), Default::default()).await.unwrap();
    let error = read(&store).await.unwrap_err();
    assert!(error.advice().is_some_and(|hint| hint.contains("remove it")));
}
