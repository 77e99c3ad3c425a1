//! When a gate and a person are asked, about what, and what waits for them.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::identity::Marks;
use crate::manifest::{GateRegions, Together, Visibility};
use crate::plan::tests::{desired, finished, found, info, region, steps, tags};
use crate::plan::{
    Action, Desired, GateImage, GateTerms, Guard, ImageSource, Permissions, Plan, Step, StepId, Subject, TargetState,
};
use crate::publisher::{Replication, TargetInfo};
use crate::survey::{Native, Survey};

const GATE: &str = "cloud/genericcloud-amd64/gate";
const APPROVE: &str = "cloud/genericcloud-amd64/approve";
const BARRIER: &str = "cloud/genericcloud-amd64/barrier";

fn guarded() -> Guard {
    let terms = GateTerms { identity: "boot".into(), regions: GateRegions::All, concurrency: 1 };
    Guard { gate: Some(terms), approve: true, ..Guard::default() }
}

fn subject(info: &TargetInfo) -> Subject {
    Subject::new(info, &tags("r1", "2024-01-01"))
}

fn plan_with(info: &TargetInfo, desired: &[Desired], survey: &Survey, (guard, repair): (&Guard, bool)) -> Plan {
    let (tombstones, together) = (BTreeSet::new(), info.capability.together.unwrap_or(Together::Artifact));
    let state = TargetState { info, desired, survey, tombstones: &tombstones, together, guard };
    Plan::new(&"r1".parse().unwrap(), &[state], Permissions { repair, ..Permissions::default() })
}

fn plan_of(info: &TargetInfo, desired: &[Desired], survey: &Survey, guard: &Guard) -> Plan {
    plan_with(info, desired, survey, (guard, false))
}

fn repair(info: &TargetInfo, survey: &Survey, guard: &Guard) -> Plan {
    plan_with(info, &[desired(info)], survey, (guard, true))
}

fn plan(info: &TargetInfo, survey: &Survey, guard: &Guard) -> Plan {
    plan_of(info, &[desired(info)], survey, guard)
}

fn step<'p>(plan: &'p Plan, id: &str) -> &'p Step {
    plan.steps.iter().find(|step| step.id.as_str() == id).unwrap_or_else(|| panic!("no {id}: {:?}", steps(plan)))
}

fn after<'p>(plan: &'p Plan, id: &str) -> Vec<&'p str> {
    step(plan, id).after.iter().map(StepId::as_str).collect()
}

fn asked(plan: &Plan) -> Vec<(&str, &ImageSource)> {
    let Action::Gate { images, .. } = &step(plan, GATE).action else { panic!("{plan:?}") };
    images.iter().map(|GateImage { region, from }| (region.as_str(), from)).collect()
}

/// The verbs of everything that comes, directly or not, after a step.
fn behind(plan: &Plan, id: &str) -> BTreeSet<&'static str> {
    let mut behind: BTreeSet<&str> = BTreeSet::from([id]);
    let mut verbs = BTreeSet::new();
    for step in &plan.steps {
        if step.after.iter().any(|before| behind.contains(before.as_str())) {
            behind.insert(step.id.as_str());
            verbs.insert(step.action.verb());
        }
    }
    verbs
}

#[test]
fn a_gate_is_asked_about_all_regions_and_then_a_person_and_then_comes_the_barrier() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let plan = plan(&info(replication), &Survey::default(), &guarded());
        assert_eq!(asked(&plan).iter().map(|(region, _)| *region).collect::<Vec<_>>(), ["one", "two", "far"]);
        let makers: Vec<&str> = asked(&plan)
            .iter()
            .map(|(_, from)| match from {
                ImageSource::Made(step) => step.as_str(),
                ImageSource::Found(id) => panic!("{id}"),
            })
            .collect();
        assert!(makers.iter().all(|maker| after(&plan, GATE).contains(maker)), "{:?}", after(&plan, GATE));
        assert_eq!(after(&plan, APPROVE), [GATE]);
        assert!(after(&plan, BARRIER).contains(&APPROVE) && after(&plan, BARRIER).contains(&GATE));
        assert!(step(&plan, GATE).required && step(&plan, APPROVE).required);
        let held = behind(&plan, GATE);
        assert_eq!(held, BTreeSet::from(["approve", "barrier", "mark-published", "point", "set-visibility"]));
    }
}

#[test]
fn without_a_gate_an_approval_waits_for_the_images_themselves() {
    let guard = Guard { gate: None, ..guarded() };
    let plan = plan(&info(Replication::PerRegion), &Survey::default(), &guard);
    assert!(!steps(&plan).contains(&GATE));
    assert_eq!(after(&plan, APPROVE).len(), 3);
}

#[test]
fn a_gate_of_the_home_region_is_asked_while_copies_are_made() {
    let mut guard = guarded();
    guard.gate.as_mut().unwrap().regions = GateRegions::Home;
    let plan = plan(&info(Replication::PerRegion), &Survey::default(), &guard);
    assert_eq!(asked(&plan).len(), 1);
    assert_eq!(after(&plan, GATE), ["cloud/genericcloud-amd64/one/register"]);
    assert!(!behind(&plan, GATE).contains("replicate"));
}

#[test]
fn where_replicas_are_visible_the_gate_is_asked_about_home_before_they_are_made() {
    for replication in [Replication::Batch, Replication::PerRegion] {
        let mut info = info(replication);
        info.capability.replicas_are_visible = true;
        let plan = plan(&info, &Survey::default(), &guarded());
        assert_eq!(asked(&plan).iter().map(|(region, _)| *region).collect::<Vec<_>>(), ["one"]);
        assert_eq!(after(&plan, GATE), ["cloud/genericcloud-amd64/one/register"]);
        assert!(behind(&plan, GATE).contains("replicate") && behind(&plan, APPROVE).contains("replicate"));
        for (index, step) in plan.steps.iter().enumerate() {
            let known: Vec<&StepId> = plan.steps[..index].iter().map(|step| &step.id).collect();
            assert!(step.after.iter().all(|id| known.contains(&id)), "{} before what it waits for", step.id);
        }
    }
}

#[test]
fn replicas_that_are_there_before_their_gate_passed_are_not_published_without_it() {
    let mut info = info(Replication::Batch);
    info.capability.replicas_are_visible = true;
    let images = ["one", "two", "far"].map(|name| found(name, tags("r1", "2024-01-01"), Marks::default()));
    let survey = Survey { images: images.into(), ..Survey::default() };
    let plan = plan(&info, &survey, &guarded());
    assert!(after(&plan, BARRIER).contains(&GATE) && after(&plan, BARRIER).contains(&APPROVE));
    assert_eq!(asked(&plan).len(), 3, "all of them are there");
}

#[test]
fn what_was_said_is_not_asked_again_unless_it_was_of_another_content() {
    let info = info(Replication::PerRegion);
    let said =
        Guard { passed: BTreeSet::from([subject(&info)]), approved: BTreeSet::from([subject(&info)]), ..guarded() };
    let asked = |guard: &Guard| {
        let plan = plan(&info, &Survey::default(), guard);
        [GATE, APPROVE].map(|id| steps(&plan).contains(&id))
    };
    assert_eq!(asked(&said), [false, false]);
    let other = Subject { digest: Digest::from_bytes([2; 32]), ..subject(&info) };
    let of_other = Guard { passed: BTreeSet::from([other.clone()]), approved: BTreeSet::from([other]), ..guarded() };
    assert_eq!(asked(&of_other), [true, true]);
}

#[test]
fn a_published_image_is_not_asked_about_and_one_that_is_to_be_published_somewhere_is() {
    let info = info(Replication::PerRegion);
    assert!(plan(&info, &finished(), &guarded()).is_empty());
    let mut lacking = finished();
    lacking.images.retain(|image| image.region != region("two"));
    let plan = plan(&info, &lacking, &guarded());
    assert_eq!(asked(&plan)[0], ("one", &ImageSource::Found("one-r1".parse().unwrap())));
    assert_eq!(after(&plan, GATE), ["cloud/genericcloud-amd64/two/replicate"]);
}

#[test]
fn a_repair_that_shows_an_image_to_more_people_waits_for_gate_and_person() {
    const SET: &str = "cloud/genericcloud-amd64/one/set-visibility";
    let info = info(Replication::PerRegion);
    let mut survey = finished();
    survey.images[0].visibility = Visibility::Private;
    let planned = repair(&info, &survey, &guarded());
    assert_eq!(steps(&planned), [GATE, APPROVE, BARRIER, SET]);
    assert_eq!((after(&planned, SET), after(&planned, BARRIER)), (vec![BARRIER], vec![APPROVE, GATE]));
    let said =
        Guard { passed: BTreeSet::from([subject(&info)]), approved: BTreeSet::from([subject(&info)]), ..guarded() };
    for guard in [Guard::default(), said] {
        let planned = repair(&info, &survey, &guard);
        assert_eq!((steps(&planned), after(&planned, SET).len()), (vec![SET], 0));
    }
    survey.images[1].native = Native::Hidden;
    let planned = repair(&info, &survey, &guarded());
    assert!(!steps(&planned).contains(&SET) && !steps(&planned).contains(&GATE), "{:?}", steps(&planned));
    assert!(planned.drift.iter().any(|drift| drift.message.contains("should be public")), "{:?}", planned.drift);
}

#[test]
fn a_repair_that_shows_an_image_to_fewer_people_waits_for_nobody() {
    let info = info(Replication::PerRegion);
    let mut survey = finished();
    let mut wanted = desired(&info);
    wanted.spec.visibility = Visibility::Private;
    survey.images[1].visibility = Visibility::Private;
    let plan = plan_with(&info, &[wanted], &survey, (&guarded(), true));
    let narrowed = ["one", "far"].map(|region| format!("cloud/genericcloud-amd64/{region}/set-visibility"));
    assert_eq!(BTreeSet::from_iter(steps(&plan)), narrowed.iter().map(String::as_str).collect());
    assert!(plan.steps.iter().all(|step| step.after.is_empty()));
}

#[test]
fn nobody_is_asked_about_what_stays_private_in_any_case() {
    let mut survey = finished();
    survey.images[0].native = Native::Hidden;
    survey.images[1].marks = Marks::default();
    let plan = plan(&info(Replication::PerRegion), &survey, &guarded());
    assert!(!steps(&plan).contains(&GATE) && !steps(&plan).contains(&APPROVE), "{:?}", steps(&plan));
}

#[test]
fn published_together_one_barrier_waits_for_every_gate() {
    let mut info = info(Replication::PerRegion);
    info.capability.together = Some(Together::Target);
    let one = desired(&info);
    let mut other = one.clone();
    other.image.arch = "arm64".parse().unwrap();
    other.spec.tags.arch = "arm64".parse().unwrap();
    other.places.iter_mut().for_each(|place| place.expected.pointers.clear());
    let plan = plan_of(&info, &[one, other], &Survey::default(), &guarded());
    let barrier = after(&plan, "cloud/barrier");
    assert!(barrier.contains(&GATE) && barrier.contains(&"cloud/genericcloud-arm64/gate"), "{barrier:?}");
}
