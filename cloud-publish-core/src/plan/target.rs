//! The plan of one target: every image brought to its regions, the barriers, and what is published behind them.

use std::collections::BTreeMap;

use super::artifact::{Arrival, Route, bring};
use super::guard::guard;
use super::{
    Action, ArtifactRef, Desired, Drift, ImageSource, Permissions, Plan, PlannedImage, Refusal, RefusalKind, Step,
    StepId, TargetState,
};
use crate::manifest::Together;
use crate::names::{PointerName, Region};
use crate::publisher::Listing;
use crate::survey::{FoundImage, Life};

/// Plans one target.
pub(super) fn plan(state: &TargetState<'_>, permissions: Permissions, plan: &mut Plan) {
    let mut routes: Vec<(&Desired, Route<'_>)> =
        state.desired.iter().map(|desired| (desired, bring(state, desired, permissions, plan))).collect();
    guards(state, &mut routes, plan);
    for (desired, route) in &routes {
        plan.images.push(planned(state, desired, route));
    }
    let barriers = barriers(state, &routes, plan);
    let mut pointers = Pointers::default();
    for (desired, route) in &routes {
        let barrier = barriers.get(&desired.image.artifact());
        let held = held(state, &routes, desired);
        for arrival in &route.arrivals {
            let is_public = arrival.found.is_some_and(|found| found.life() == Life::Published);
            if let Some(region) = held.filter(|_| !is_public) {
                plan.drift.push(stays_private(state, desired, arrival, region));
                continue;
            }
            let publisher = Publication { state, desired, arrival, barrier, is_guarded: route.guards.is_some() };
            let last = publisher.publish(permissions, plan);
            plan.refusals.extend(pointers.shared_by(&publisher));
            publisher.offer(last.as_ref(), plan);
            pointers.note(&publisher, last);
        }
    }
    pointers.plan(state, plan);
}

/// Plans what has to be said of the images, where it was not before they were replicated. Nobody is asked about an image
/// that stays private in any case.
fn guards(state: &TargetState<'_>, routes: &mut [(&Desired, Route<'_>)], plan: &mut Plan) {
    let free: Vec<bool> = routes.iter().map(|(desired, _)| held(state, routes, desired).is_none()).collect();
    for ((desired, route), free) in routes.iter_mut().zip(free) {
        if free && route.is_open() && route.guards.is_none() {
            route.guards = Some(guard(state, desired, &route.arrivals, plan));
        }
    }
}

/// The required region without which nothing more of an image may become public: of its own, or of any image where all
/// of the release is published together.
fn held<'r>(state: &TargetState<'_>, routes: &'r [(&Desired, Route<'_>)], desired: &Desired) -> Option<&'r Region> {
    let artifact = desired.image.artifact();
    let matters = |other: &Desired| state.together == Together::Target || other.image.artifact() == artifact;
    routes.iter().filter(|(other, _)| matters(other)).flat_map(|(_, route)| route.left.iter().copied()).next()
}

fn stays_private(state: &TargetState<'_>, desired: &Desired, arrival: &Arrival<'_>, without: &Region) -> Drift {
    Drift {
        target: state.info.target.clone(),
        image: desired.image.clone(),
        region: arrival.region.clone(),
        message: format!("it stays private: {without} must have it too and is left as it is"),
        hint: format!("see what is said of {without}; or list that region under `best_effort`"),
    }
}

fn planned(state: &TargetState<'_>, desired: &Desired, route: &Route<'_>) -> PlannedImage {
    let found = route.arrivals.iter().filter_map(|arrival| Some((arrival.region.clone(), arrival.found?.id.clone())));
    PlannedImage {
        target: state.info.target.clone(),
        image: desired.image.clone(),
        spec: desired.spec.clone(),
        found: found.collect(),
    }
}

/// One barrier per artifact, or one for the whole target, wherever something is still to be published.
fn barriers(
    state: &TargetState<'_>,
    routes: &[(&Desired, Route<'_>)],
    plan: &mut Plan,
) -> BTreeMap<ArtifactRef, StepId> {
    let mut waits: BTreeMap<Option<ArtifactRef>, Vec<StepId>> = BTreeMap::new();
    let mut open: BTreeMap<Option<ArtifactRef>, bool> = BTreeMap::new();
    let group = |desired: &Desired| match state.together {
        Together::Artifact => Some(desired.image.artifact()),
        Together::Target => None,
    };
    for (desired, route) in routes {
        let waits = waits.entry(group(desired)).or_default();
        waits.extend(route.arrivals.iter().filter_map(Arrival::made_by).chain(route.guards.iter().flatten()).cloned());
        *open.entry(group(desired)).or_default() |= route.is_open();
    }
    let mut steps = BTreeMap::new();
    for (group, mut after) in waits {
        if !open.get(&group).copied().unwrap_or_default() {
            continue;
        }
        after.sort();
        after.dedup();
        let id = match &group {
            Some(artifact) => StepId::of_target(&state.info.target, &format!("{artifact}/barrier")),
            None => StepId::of_target(&state.info.target, "barrier"),
        };
        let reason = match &group {
            Some(artifact) => format!("nothing of {artifact} is published before it is in every required region"),
            None => "nothing of the release is published here before all of it is there".to_owned(),
        };
        plan.steps.push(Step {
            id: id.clone(),
            target: state.info.target.clone(),
            image: None,
            region: None,
            action: Action::Barrier,
            after,
            required: true,
            reason,
        });
        for (desired, _) in routes.iter().filter(|(desired, _)| belongs(&group, desired)) {
            steps.insert(desired.image.artifact(), id.clone());
        }
    }
    steps
}

fn belongs(group: &Option<ArtifactRef>, desired: &Desired) -> bool {
    group.as_ref().is_none_or(|one| *one == desired.image.artifact())
}

/// Publishing one image in one region, behind its barrier.
struct Publication<'a> {
    state: &'a TargetState<'a>,
    desired: &'a Desired,
    arrival: &'a Arrival<'a>,
    barrier: Option<&'a StepId>,
    /// What has to be said of it is planned, and the barrier waits for it.
    is_guarded: bool,
}

impl Publication<'_> {
    /// Plans what is missing; returns the step after which the image counts as published, if there is one.
    fn publish(&self, permissions: Permissions, plan: &mut Plan) -> Option<StepId> {
        match self.arrival.found {
            Some(found) if found.life() == Life::Published => {
                self.complete(found, permissions, plan);
                None
            }
            _ => Some(self.publish_anew(plan)),
        }
    }

    fn publish_anew(&self, plan: &mut Plan) -> StepId {
        let mut after: Vec<StepId> = self.barrier.cloned().into_iter().collect();
        after.extend(self.arrival.made_by().cloned());
        let wanted = self.desired.spec.visibility.clone();
        let is_so = self.arrival.found.is_some_and(|found| found.visibility == wanted);
        if !is_so {
            let source = self.arrival.source.clone();
            let action = Action::SetVisibility { from: source, visibility: wanted };
            let step = self.step(action, after.clone(), "not yet usable by those it is for");
            after.push(step.id.clone());
            plan.steps.push(step);
        }
        let action = Action::MarkPublished { from: self.arrival.source.clone() };
        let step = self.step(action, after, "the last write of a publication");
        let id = step.id.clone();
        plan.steps.push(step);
        id
    }

    fn complete(&self, found: &FoundImage, permissions: Permissions, plan: &mut Plan) {
        let wanted = &self.desired.spec.visibility;
        if found.visibility != *wanted {
            let drift = |hint: &str| Drift {
                target: self.state.info.target.clone(),
                image: self.desired.image.clone(),
                region: self.arrival.region.clone(),
                message: format!("{} is {}, should be {wanted}", found.id, found.visibility),
                hint: hint.to_owned(),
            };
            if !permissions.repair {
                plan.drift.push(drift("somebody changed it by hand; --repair sets it back"));
            } else if self.arrival.widens && !self.is_guarded {
                plan.drift.push(drift("a required region is left as it is; only then the gate or a person is asked"));
            } else {
                let image = self.arrival.source.clone();
                let action = Action::SetVisibility { from: image, visibility: wanted.clone() };
                let after = self.barrier.filter(|_| self.arrival.widens).cloned().into_iter().collect();
                plan.steps.push(self.step(action, after, "somebody changed it by hand, and --repair was given"));
            }
        }
        let lacks = |(name, value): (&String, &String)| found.extra_tags.get(name) != Some(value);
        if self.desired.spec.extra_tags.iter().any(lacks) {
            let action = Action::Tag { from: self.arrival.source.clone() };
            plan.steps.push(self.step(action, Vec::new(), "tags are missing or differ"));
        }
    }

    fn step(&self, action: Action, after: Vec<StepId>, reason: &str) -> Step {
        let (target, region) = (&self.state.info.target, &self.arrival.region);
        Step {
            id: StepId::new(target, &self.desired.image, Some(region), action.verb()),
            target: target.clone(),
            image: Some(self.desired.image.clone()),
            region: Some(region.clone()),
            action,
            after,
            required: self.arrival.required,
            reason: reason.to_owned(),
        }
    }

    /// Plans a version at every listing that does not offer it yet. An older release published late is not offered: the
    /// last version added is the one that buyers are shown.
    fn offer(&self, published: Option<&StepId>, plan: &mut Plan) {
        if !self.state.info.capability.marketplace || self.is_superseded() {
            return;
        }
        let offered = |listing: &String| {
            self.state.survey.listings.iter().any(|found| {
                found.listing == *listing
                    && found.state == Listing::Listed
                    && ImageSource::Found(found.image.clone()) == self.arrival.source
            })
        };
        for listing in self.arrival.expected.listings.iter().filter(|listing| !offered(listing)) {
            let action = Action::List { from: self.arrival.source.clone(), listing: listing.clone() };
            let after = published.into_iter().chain(self.arrival.made_by()).cloned().collect();
            let mut step = self.step(action, after, "the listing does not offer it yet");
            step.id = StepId::new(&step.target, &self.desired.image, step.region.as_ref(), &format!("list/{listing}"));
            plan.steps.push(step);
        }
    }

    /// Whether users here are led to a later release of the line already: then no pointer moves.
    fn is_superseded(&self) -> bool {
        let own = &self.desired.spec.tags;
        let newer = |found: &FoundImage| {
            found.region == self.arrival.region
                && found.marks.published.is_some()
                && matches!(found.life(), Life::Published | Life::Hidden)
                && found.tags.as_ref().is_some_and(|tags| {
                    tags.line() == own.line() && (tags.date, &tags.version) > (own.date, &own.version)
                })
        };
        self.state.survey.images.iter().any(newer)
    }
}

/// The pointers of a target: one step each, however many images it stands for.
#[derive(Default)]
struct Pointers(BTreeMap<(Region, PointerName), Pointer>);

struct Pointer {
    /// The first of the images that it may resolve to.
    step: Step,
    /// All of them, as far as they have ids.
    images: Vec<ImageSource>,
    superseded: bool,
}

impl Pointers {
    /// Refuses a name that cannot tell this image from another one of the release: one of them would be lost. Where
    /// renditions live side by side, a pointer leads to the folder of all.
    fn shared_by(&self, publication: &Publication<'_>) -> Option<Refusal> {
        let Publication { state, desired, arrival, .. } = publication;
        if !state.info.capability.pointers || state.info.capability.keeps_renditions {
            return None;
        }
        let mut names = arrival.expected.pointers.iter().chain(&arrival.expected.own_pointers);
        let (name, other) = names.find_map(|name| {
            let other = self.0.get(&(arrival.region.clone(), name.clone()))?.step.image.as_ref()?;
            (*other != desired.image).then_some((name, other))
        })?;
        Some(Refusal {
            kind: RefusalKind::SharedPointer,
            target: state.info.target.clone(),
            image: Some(desired.image.clone()),
            region: None,
            message: format!("the pointer {name} would have to lead to {other} too"),
            hint: "add `{variant}` and `{arch}` to its template".to_owned(),
        })
    }

    fn note(&mut self, publication: &Publication<'_>, last: Option<StepId>) {
        if !publication.state.info.capability.pointers {
            return;
        }
        let expected = publication.arrival.expected;
        let of_line = expected.pointers.iter().map(|name| (name, publication.is_superseded()));
        let own = expected.own_pointers.iter().map(|name| (name, false));
        for (name, superseded) in of_line.chain(own) {
            let image = publication.arrival.source.clone();
            let key = (publication.arrival.region.clone(), name.clone());
            let pointer = self.0.entry(key).or_insert_with(|| {
                let action = Action::Point { from: image.clone(), pointer: name.clone() };
                let mut step = publication.step(action, Vec::new(), &format!("{name} should lead here"));
                let region = &publication.arrival.region;
                step.id = StepId::of_target(&step.target, &format!("{region}/point/{name}"));
                Pointer { step, images: Vec::new(), superseded: false }
            });
            pointer.images.push(image);
            pointer.step.after.extend(last.clone());
            pointer.superseded |= superseded;
        }
    }

    fn plan(self, state: &TargetState<'_>, plan: &mut Plan) {
        for ((region, name), pointer) in self.0 {
            let now = state.survey.pointers.iter().find(|found| found.region == region && found.name == name);
            let there = now.and_then(|found| found.to.as_ref());
            let right = there.is_some_and(|id| pointer.images.contains(&ImageSource::Found(id.clone())));
            if !right && !pointer.superseded {
                plan.steps.push(pointer.step);
            }
        }
    }
}
