//! The rerun table, row by row.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Desired, DesiredPlace, Guard, ImageRef, Permissions, Plan, RefusalKind, TargetState};
use crate::digest::Digest;
use crate::disk::Format;
use crate::identity::{ImageTags, KeyTag, Marks, Place};
use crate::manifest::{Boot, Together, Visibility};
use crate::names::{Class, Region};
use crate::publisher::{
    Capability, Expected, ImageSpec, Listing, ReadBack, Replication, TargetInfo, VisibilityKind, WantedRegion,
};
use crate::survey::{FoundImage, FoundListing, FoundPointer, Gap, Native, Survey};

pub(super) fn region(name: &str) -> Region {
    name.parse().unwrap()
}

pub(super) fn info(replication: Replication) -> TargetInfo {
    let wanted = |name, required| WantedRegion { region: region(name), required };
    TargetInfo {
        target: "cloud".parse().unwrap(),
        place: Place { provider: "memory".parse().unwrap(), account: "acc".parse().unwrap() },
        home: region("one"),
        regions: vec![wanted("one", true), wanted("two", true), wanted("far", false)],
        skipped: Vec::new(),
        renditions: vec!["as-is".parse().unwrap()],
        capability: Capability {
            replication,
            stages_apart: true,
            replicas_are_visible: false,
            visibilities: BTreeSet::from([VisibilityKind::Private, VisibilityKind::Public]),
            together: None,
            pointers: true,
            marketplace: false,
            read_back: ReadBack::Content,
            file_sha512: false,
            keeps_renditions: false,
        },
    }
}

pub(crate) fn tags(release: &str, date: &str) -> ImageTags {
    ImageTags {
        owner: "debian".parse().unwrap(),
        release: release.parse().unwrap(),
        suite: "bookworm".parse().unwrap(),
        version: date.replace('-', "").parse().unwrap(),
        class: Class::Release,
        variant: "genericcloud".parse().unwrap(),
        arch: "amd64".parse().unwrap(),
        rendition: "as-is".parse().unwrap(),
        date: format!("{date}T00:00:00Z").parse().unwrap(),
        digest: Digest::from_bytes([1; 32]),
    }
}

pub(super) fn desired(info: &TargetInfo) -> Desired {
    let tags = tags("r1", "2024-01-01");
    let expected = Expected { pointers: vec!["latest".parse().unwrap()], ..Expected::default() };
    let place = |wanted: &WantedRegion| DesiredPlace {
        region: wanted.region.clone(),
        required: wanted.required,
        expected: expected.clone(),
    };
    Desired {
        image: ImageRef { variant: tags.variant.clone(), arch: tags.arch.clone(), rendition: tags.rendition.clone() },
        places: info.regions.iter().map(place).collect(),
        spec: ImageSpec {
            tags,
            name: "debian-12".parse().unwrap(),
            family: "debian-12".into(),
            description: String::new(),
            suite_id: "12".into(),
            boot: Boot::Uefi,
            format: Format::Raw,
            file_size: 512,
            virtual_size: 512,
            file_sha512: None,
            given: None,
            build_job: None,
            extra_tags: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
            properties: BTreeMap::new(),
            visibility: Visibility::Public,
            build_manifest: None,
            outside_suite: None,
        },
    }
}

pub(super) fn found(name: &str, tags: ImageTags, marks: Marks) -> FoundImage {
    FoundImage {
        region: region(name),
        id: format!("{name}-{}", tags.release).parse().unwrap(),
        name: "debian-12".into(),
        native: Native::Available,
        visibility: if marks.published.is_some() { Visibility::Public } else { Visibility::Private },
        tags: Some(tags),
        marks,
        extra_tags: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
        created: None,
        attributes: BTreeMap::new(),
        links: BTreeMap::new(),
        problems: Vec::new(),
    }
}

pub(super) fn published() -> Marks {
    Marks { published: Some("2024-01-01T01:00:00Z".parse().unwrap()), ..Marks::default() }
}

/// A survey in which the release is there and published everywhere, pointers included.
pub(super) fn finished() -> Survey {
    let names = ["one", "two", "far"];
    Survey {
        images: names.iter().map(|name| found(name, tags("r1", "2024-01-01"), published())).collect(),
        pointers: names
            .iter()
            .map(|name| FoundPointer {
                region: region(name),
                name: "latest".parse().unwrap(),
                to: Some(format!("{name}-r1").parse().unwrap()),
            })
            .collect(),
        ..Survey::default()
    }
}

fn plan_with(info: &TargetInfo, survey: &Survey, tombstones: &BTreeSet<KeyTag>, permissions: Permissions) -> Plan {
    let desired = [desired(info)];
    let (guard, together) = (Guard::default(), Together::Artifact);
    let state = TargetState { info, desired: &desired, survey, tombstones, together, guard: &guard };
    Plan::new(&"r1".parse().unwrap(), &[state], permissions)
}

fn plan(survey: &Survey) -> Plan {
    plan_with(&info(Replication::Independent), survey, &BTreeSet::new(), Permissions::default())
}

pub(super) fn steps(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn nothing_there_plans_everything_behind_one_barrier() {
    let plan = plan(&Survey::default());
    assert_eq!(
        steps(&plan),
        [
            "cloud/genericcloud-amd64/one/upload",
            "cloud/genericcloud-amd64/one/register",
            "cloud/genericcloud-amd64/two/upload",
            "cloud/genericcloud-amd64/two/register",
            "cloud/genericcloud-amd64/far/upload",
            "cloud/genericcloud-amd64/far/register",
            "cloud/genericcloud-amd64/barrier",
            "cloud/genericcloud-amd64/one/set-visibility",
            "cloud/genericcloud-amd64/one/mark-published",
            "cloud/genericcloud-amd64/two/set-visibility",
            "cloud/genericcloud-amd64/two/mark-published",
            "cloud/genericcloud-amd64/far/set-visibility",
            "cloud/genericcloud-amd64/far/mark-published",
            "cloud/far/point/latest",
            "cloud/one/point/latest",
            "cloud/two/point/latest",
        ]
    );
    let barrier = plan.steps.iter().find(|step| step.action == Action::Barrier).unwrap();
    assert_eq!(barrier.after.len(), 3, "it waits for the image in every wanted region: {:?}", barrier.after);
    assert!(plan.steps.iter().filter(|step| step.id.as_str().contains("/far/")).all(|step| !step.required));
}

#[test]
fn a_pointer_that_cannot_tell_two_images_apart_is_refused_once() {
    let info = info(Replication::Independent);
    let one = desired(&info);
    let mut other = one.clone();
    other.image.arch = "arm64".parse().unwrap();
    other.spec.tags.arch = "arm64".parse().unwrap();
    let (survey, tombstones) = (Survey::default(), BTreeSet::new());
    let plan = |other: &Desired| {
        let desired = [one.clone(), other.clone()];
        let together = Together::Artifact;
        let guard = &Guard::default();
        let state =
            TargetState { info: &info, desired: &desired, survey: &survey, tombstones: &tombstones, together, guard };
        Plan::new(&"r1".parse().unwrap(), &[state], Permissions::default())
    };
    let refused: Vec<_> = plan(&other).refusals.iter().map(|refusal| refusal.kind).collect();
    assert_eq!(refused, [RefusalKind::SharedPointer]);
    for place in &mut other.places {
        place.expected.pointers = vec!["latest-arm64".parse().unwrap()];
    }
    assert!(plan(&other).refusals.is_empty());
}

#[test]
fn an_image_made_otherwise_is_not_published() {
    let info = info(Replication::Independent);
    let mut wanted = desired(&info);
    for place in &mut wanted.places {
        place.expected.attributes = BTreeMap::from([("boot_mode".into(), "uefi".into())]);
        place.expected.fixed = BTreeSet::from(["boot_mode".into()]);
    }
    let mut image = found("one", tags("r1", "2024-01-01"), Marks::default());
    let plan = |image: &FoundImage| {
        let survey = Survey { images: vec![image.clone()], ..Survey::default() };
        let (desired, tombstones, together) = ([wanted.clone()], BTreeSet::new(), Together::Artifact);
        let guard = &Guard::default();
        let state =
            TargetState { info: &info, desired: &desired, survey: &survey, tombstones: &tombstones, together, guard };
        Plan::new(&"r1".parse().unwrap(), &[state], Permissions::default())
    };
    image.attributes = BTreeMap::from([("boot_mode".into(), "legacy-bios".into())]);
    let refused = plan(&image).refusals;
    assert_eq!(refused.iter().map(|refusal| refusal.kind).collect::<Vec<_>>(), [RefusalKind::OtherAttributes]);
    assert!(refused[0].message.contains("boot_mode is legacy-bios, should be uefi"), "{refused:?}");
    image.attributes.insert("boot_mode".into(), "uefi".into());
    assert!(plan(&image).refusals.is_empty());
    image.attributes.insert("boot_mode".into(), "legacy-bios".into());
    image.marks = published();
    assert!(plan(&image).refusals.is_empty(), "what users have already is verify's matter");
}

#[test]
fn nothing_more_becomes_public_while_a_required_region_is_left_as_it_is() {
    let mut survey = finished();
    survey.images.retain(|image| image.region != region("far"));
    survey.images[0].native = Native::Hidden;
    survey.images[1].marks = Marks::default();
    survey.images[1].visibility = Visibility::Private;
    let plan = plan(&survey);
    let public: Vec<&str> =
        steps(&plan).into_iter().filter(|id| id.contains("visibility") || id.contains("mark-")).collect();
    assert_eq!(public, Vec::<&str>::new(), "`one` was hidden by hand, `two` is required and private");
    assert!(
        plan.drift.iter().any(|drift| drift.message.contains("stays private: one must have it")),
        "{:?}",
        plan.drift
    );
}

#[test]
fn a_date_that_passes_before_a_publication_does_not_finish_it() {
    let mut survey = finished();
    survey.images[1].native = Native::Hidden;
    survey.images[1].marks = Marks::default();
    let plan = plan(&survey);
    assert!(steps(&plan).contains(&"cloud/genericcloud-amd64/two/mark-published"), "{:?}", steps(&plan));
}

#[test]
fn an_older_release_published_late_gets_its_own_pointer_and_neither_moves_the_line_s_nor_is_offered() {
    let mut info = info(Replication::Independent);
    info.capability.marketplace = true;
    let mut desired = desired(&info);
    for place in &mut desired.places {
        place.expected.own_pointers = vec!["v1".parse().unwrap()];
        place.expected.listings = vec!["shop".into()];
    }
    let plan = |survey: &Survey| {
        let desired = [desired.clone()];
        let (tombstones, together) = (BTreeSet::new(), Together::Artifact);
        let guard = &Guard::default();
        let state = TargetState { info: &info, desired: &desired, survey, tombstones: &tombstones, together, guard };
        Plan::new(&"r1".parse().unwrap(), &[state], Permissions::default())
    };
    let last = |survey: &Survey| -> Vec<String> {
        let about = |id: &&str| id.contains("/one/point/") || id.contains("/one/list/");
        steps(&plan(survey)).into_iter().filter(about).map(ToOwned::to_owned).collect()
    };
    let everything = ["cloud/genericcloud-amd64/one/list/shop", "cloud/one/point/latest", "cloud/one/point/v1"];
    assert_eq!(last(&Survey::default()), everything);
    let newer = Survey { images: vec![found("one", tags("r2", "2024-02-01"), published())], ..Survey::default() };
    assert_eq!(last(&newer), ["cloud/one/point/v1"]);
    let mut listed = finished();
    let offer = |state| FoundListing { listing: "shop".into(), image: "one-r1".parse().unwrap(), state };
    listed.listings = vec![offer(Listing::Pending)];
    assert!(last(&listed).contains(&everything[0].to_owned()), "a listing under review is asked about again");
    listed.listings = vec![offer(Listing::Listed)];
    assert!(!last(&listed).contains(&everything[0].to_owned()));
}

#[test]
fn every_step_comes_after_those_it_waits_for() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let plan = plan_with(&info(replication), &Survey::default(), &BTreeSet::new(), Permissions::default());
        for (index, step) in plan.steps.iter().enumerate() {
            for id in &step.after {
                let before = plan.steps.iter().position(|other| other.id == *id);
                assert!(before.is_some_and(|before| before < index), "{replication:?}: {} after {id}", step.id);
            }
        }
    }
}

#[test]
fn copies_are_made_once_from_the_home_region() {
    let copies = plan_with(&info(Replication::PerRegion), &Survey::default(), &BTreeSet::new(), Permissions::default());
    let uploads = copies.steps.iter().filter(|step| step.action == Action::Upload).count();
    let replications = steps(&copies).iter().filter(|id| id.ends_with("/replicate")).count();
    assert_eq!((uploads, replications), (1, 2));
    let batch = plan_with(&info(Replication::Batch), &Survey::default(), &BTreeSet::new(), Permissions::default());
    assert_eq!(steps(&batch).iter().filter(|id| id.ends_with("/replicate")).count(), 1);
}

#[test]
fn a_finished_release_plans_nothing() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let plan = plan_with(&info(replication), &finished(), &BTreeSet::new(), Permissions::default());
        assert!(plan.is_empty() && plan.drift.is_empty() && plan.refusals.is_empty(), "{plan:#?}");
    }
}

#[test]
fn a_missing_region_is_added_and_nothing_else_is_touched() {
    let mut survey = finished();
    survey.images.retain(|image| image.region != region("two"));
    survey.pointers.retain(|pointer| pointer.region != region("two"));
    let plan = plan_with(&info(Replication::PerRegion), &survey, &BTreeSet::new(), Permissions::default());
    assert_eq!(
        steps(&plan),
        [
            "cloud/genericcloud-amd64/two/replicate",
            "cloud/genericcloud-amd64/barrier",
            "cloud/genericcloud-amd64/two/set-visibility",
            "cloud/genericcloud-amd64/two/mark-published",
            "cloud/two/point/latest",
        ]
    );
}

#[test]
fn an_unpublished_image_is_adopted() {
    let mut survey = finished();
    survey.images[0].marks = Marks::default();
    assert_eq!(
        steps(&plan(&survey)),
        ["cloud/genericcloud-amd64/barrier", "cloud/genericcloud-amd64/one/mark-published"],
        "its visibility is right already"
    );
}

#[test]
fn changed_visibility_is_reported_and_set_back_only_on_request() {
    let mut survey = finished();
    survey.images[0].visibility = Visibility::Private;
    let plan = plan(&survey);
    assert!(plan.is_empty());
    assert_eq!(plan.drift.len(), 1);
    let repair = Permissions { repair: true, ..Permissions::default() };
    let repaired = plan_with(&info(Replication::Independent), &survey, &BTreeSet::new(), repair);
    assert_eq!(steps(&repaired), ["cloud/genericcloud-amd64/one/set-visibility"]);
}

#[test]
fn missing_tags_and_pointers_are_added() {
    let mut survey = finished();
    survey.images[0].extra_tags.clear();
    survey.pointers.pop();
    assert_eq!(steps(&plan(&survey)), ["cloud/genericcloud-amd64/one/tag", "cloud/far/point/latest"]);
}

#[test]
fn an_older_release_published_late_moves_no_pointer() {
    let mut survey = Survey::default();
    survey.images.push(found("one", tags("r2", "2024-02-01"), published()));
    let pointed: Vec<&str> = Vec::from_iter(["cloud/far/point/latest", "cloud/two/point/latest"]);
    let plan = plan(&survey);
    let points: Vec<&str> = steps(&plan).into_iter().filter(|id| id.contains("/point/")).collect();
    assert_eq!(points, pointed);
}

#[test]
fn what_cleanup_hid_or_retired_is_left_and_reported() {
    for (native, marks) in [
        (Native::Hidden, published()),
        (Native::Retired, published()),
        (Native::Available, Marks { retired: published().published, ..published() }),
    ] {
        let mut survey = finished();
        survey.images[0].native = native;
        survey.images[0].marks = marks;
        let plan = plan(&survey);
        assert!(plan.is_empty(), "{native:?}: {:?}", steps(&plan));
        assert_eq!(plan.drift.len(), 1);
    }
}

fn refused(survey: &Survey) -> Vec<RefusalKind> {
    plan(survey).refusals.iter().map(|refusal| refusal.kind).collect()
}

#[test]
fn contradictions_refuse_the_run() {
    let mut withdrawn = finished();
    withdrawn.images[0].marks.withdrawn = published().published;
    assert_eq!(refused(&withdrawn), [RefusalKind::Withdrawn]);

    let mut other = finished();
    other.images[0].tags.as_mut().unwrap().digest = Digest::from_bytes([9; 32]);
    assert_eq!(refused(&other), [RefusalKind::OtherDigest]);

    let mut twice = finished();
    let mut twin = twice.images[0].clone();
    twin.id = "twin".parse().unwrap();
    twice.images.push(twin);
    assert_eq!(refused(&twice), [RefusalKind::TwoObjects]);

    let gap = |name: &str| Survey {
        incomplete: vec![Gap { region: Some(region(name)), reason: "503".into(), passing: true }],
        ..Survey::default()
    };
    assert_eq!(refused(&gap("two")), [RefusalKind::Unreadable]);
    assert_eq!(refused(&gap("far")), [], "a best-effort region is only reported");
}

#[test]
fn a_tombstone_needs_republish() {
    let info = info(Replication::Independent);
    let key = desired(&info).spec.tags.key(&info.place, &region("one"));
    let tombstones = BTreeSet::from([key]);
    let plan = plan_with(&info, &Survey::default(), &tombstones, Permissions::default());
    assert_eq!(plan.refusals.iter().map(|refusal| refusal.kind).collect::<Vec<_>>(), [RefusalKind::Tombstone]);
    let republish = Permissions { republish: true, ..Permissions::default() };
    assert!(plan_with(&info, &Survey::default(), &tombstones, republish).refusals.is_empty());
}

#[test]
fn foreign_and_untrusted_objects_are_nobody_s_business() {
    let mut survey = finished();
    survey.images.iter_mut().for_each(|image| image.tags = None);
    survey.pointers.clear();
    let plan = plan(&survey);
    assert_eq!(plan.steps.iter().filter(|step| step.action == Action::Upload).count(), 3);
    assert!(plan.images.iter().all(|image| image.found.is_empty()));
}

#[test]
fn another_rendition_is_left_unless_the_cloud_keeps_several() {
    let mut survey = finished();
    for image in &mut survey.images {
        image.tags.as_mut().unwrap().rendition = "vhd".parse().unwrap();
    }
    let plan = plan(&survey);
    assert_eq!((plan.steps.len(), plan.drift.len()), (0, 3), "{:?}", steps(&plan));
    let mut keeps = info(Replication::Independent);
    keeps.capability.keeps_renditions = true;
    let plan = plan_with(&keeps, &survey, &BTreeSet::new(), Permissions::default());
    assert_eq!(plan.steps.iter().filter(|step| step.action == Action::Upload).count(), 3);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = |survey: &Survey| serde_json::to_string(&plan(survey)).unwrap();
    let mut shuffled = finished();
    shuffled.images.reverse();
    shuffled.pointers.reverse();
    shuffled.images.retain(|image| image.region != region("two"));
    let mut ordered = finished();
    ordered.images.retain(|image| image.region != region("two"));
    assert_eq!(text(&ordered), text(&shuffled));
    let back: Plan = serde_json::from_str(&text(&ordered)).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text(&ordered));
}
