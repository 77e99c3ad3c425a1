//! The steps that bring one image to its regions, up to the barrier, and those that publish it behind the barrier.

use super::found::{Found, look, refusal};
use super::guard::{guard, is_unsaid};
use super::{
    Action, Desired, DesiredPlace, Drift, ImageSource, Permissions, Plan, RefusalKind, Step, StepId, TargetState,
};
use crate::names::Region;
use crate::publisher::{Expected, Replication};
use crate::survey::{FoundImage, Life};

/// What came of one image: where each region gets it from, and what it has to wait for.
#[derive(Debug, Default)]
pub(super) struct Route<'a> {
    /// Regions that have the image or will get it.
    pub(super) arrivals: Vec<Arrival<'a>>,
    /// Required regions that are left as they are: the image is not, and will not be, as wanted there.
    pub(super) left: Vec<&'a Region>,
    /// The steps of gate and approval, once it was seen to what has to be said.
    pub(super) guards: Option<Vec<StepId>>,
}

impl Route<'_> {
    /// Whether an image is still to be published in any of the regions, or shown to more people.
    pub(super) fn is_open(&self) -> bool {
        let open = |arrival: &Arrival<'_>| arrival.found.is_none_or(|found| found.life() != Life::Published);
        self.arrivals.iter().any(|arrival| arrival.widens || open(arrival))
    }
}

/// One region of a [`Route`].
#[derive(Debug)]
pub(super) struct Arrival<'a> {
    pub(super) region: Region,
    pub(super) required: bool,
    pub(super) source: ImageSource,
    pub(super) found: Option<&'a FoundImage>,
    pub(super) expected: &'a Expected,
    /// It is published, a repair is to show it to more people, and something has to be said of it before.
    pub(super) widens: bool,
}

impl Arrival<'_> {
    /// The step that makes it, if one does.
    pub(super) fn made_by(&self) -> Option<&StepId> {
        match &self.source {
            ImageSource::Made(step) => Some(step),
            ImageSource::Found(_) => None,
        }
    }
}

/// Looks at an image in all its regions and plans what brings it there.
pub(super) fn bring<'a>(
    state: &TargetState<'a>,
    desired: &'a Desired,
    permissions: Permissions,
    plan: &mut Plan,
) -> Route<'a> {
    let mut route = Route::default();
    let mut missing = Vec::new();
    for place in &desired.places {
        match look(state, desired, place, permissions.republish) {
            Found::Nothing { why } => missing.push((place, why)),
            Found::Unpublished(found) | Found::Published(found) => {
                let source = ImageSource::Found(found.id.clone());
                let mut here = arrival(place, source, Some(found));
                let wanted = &desired.spec.visibility;
                here.widens = permissions.repair
                    && found.life() == Life::Published
                    && found.visibility.is_widened_by(wanted)
                    && is_unsaid(state, desired);
                route.arrivals.push(here);
            }
            Found::Leave { message, hint } => plan.drift.push(drift(state, desired, place, (message, hint))),
            Found::Refuse(RefusalKind::Unreadable, message, hint) if !place.required => {
                plan.drift.push(drift(state, desired, place, (message, hint)));
            }
            refused => plan.refusals.extend(refusal(state, &desired.image, &place.region, refused)),
        }
    }
    create(state, desired, missing, (&mut route, plan));
    let arrives = |place: &DesiredPlace| route.arrivals.iter().any(|arrival| arrival.region == place.region);
    let left = desired.places.iter().filter(|place| place.required && !arrives(place));
    route.left = left.map(|place| &place.region).collect();
    route
}

fn create<'a>(
    state: &TargetState<'a>,
    desired: &Desired,
    missing: Vec<(&'a DesiredPlace, String)>,
    (route, plan): (&mut Route<'a>, &mut Plan),
) {
    match state.info.capability.replication {
        Replication::Independent | Replication::None => {
            for (place, why) in missing {
                let made = upload_and_register(state, desired, place, (&why, plan));
                route.arrivals.push(arrival(place, ImageSource::Made(made), None));
            }
        }
        Replication::PerRegion | Replication::Batch => copy(state, desired, missing, (route, plan)),
    }
}

/// Plans copies of the home region's image: a step for each region, or one for all.
fn copy<'a>(
    state: &TargetState<'a>,
    desired: &Desired,
    missing: Vec<(&'a DesiredPlace, String)>,
    (route, plan): (&mut Route<'a>, &mut Plan),
) {
    let home = home(state, desired, &missing, (route, plan));
    let others: Vec<(&'a DesiredPlace, &String)> =
        missing.iter().filter(|(place, _)| place.region != state.info.home).map(|(place, why)| (*place, why)).collect();
    let Some(home) = home else {
        let message = format!("it cannot be copied: there is no usable image in {}", state.info.home);
        let hint = "see what is said of the home region";
        let lost = others.iter().map(|(place, _)| drift(state, desired, place, (message.clone(), hint.to_owned())));
        plan.drift.extend(lost);
        return;
    };
    if state.info.capability.replicas_are_visible && (route.is_open() || !others.is_empty()) {
        route.guards = Some(guard(state, desired, &route.arrivals, plan));
    }
    let is_batch = state.info.capability.replication == Replication::Batch;
    for together in others.chunks(if is_batch { others.len().max(1) } else { 1 }) {
        let mut step = replicate(state, desired, together, &home);
        step.after.extend(route.guards.iter().flatten().cloned());
        for (place, _) in together {
            route.arrivals.push(arrival(place, ImageSource::Made(step.id.clone()), None));
        }
        plan.steps.push(step);
    }
}

/// Where the home region's image comes from; plans its creation when it is missing. None, when it is there and must be
/// left alone.
fn home<'a>(
    state: &TargetState<'a>,
    desired: &Desired,
    missing: &[(&'a DesiredPlace, String)],
    (route, plan): (&mut Route<'a>, &mut Plan),
) -> Option<ImageSource> {
    let home = &state.info.home;
    if let Some((place, why)) = missing.iter().find(|(place, _)| place.region == *home) {
        let made = upload_and_register(state, desired, place, (why, plan));
        route.arrivals.push(arrival(place, ImageSource::Made(made.clone()), None));
        return Some(ImageSource::Made(made));
    }
    route.arrivals.iter().find(|arrival| arrival.region == *home).map(|arrival| arrival.source.clone())
}

fn upload_and_register(
    state: &TargetState<'_>,
    desired: &Desired,
    place: &DesiredPlace,
    (why, plan): (&str, &mut Plan),
) -> StepId {
    let upload = step(state, desired, place, (Action::Upload, Vec::new(), why.to_owned()));
    let action = Action::Register { upload: upload.id.clone() };
    let register = step(state, desired, place, (action, vec![upload.id.clone()], why.to_owned()));
    let made = register.id.clone();
    plan.steps.extend([upload, register]);
    made
}

fn replicate(state: &TargetState<'_>, desired: &Desired, to: &[(&DesiredPlace, &String)], home: &ImageSource) -> Step {
    let mut places: Vec<&DesiredPlace> = to.iter().map(|(place, _)| *place).collect();
    places.sort_by_key(|place| (!place.required, place.region.clone()));
    let required: Vec<Region> =
        places.iter().filter(|place| place.required).map(|place| place.region.clone()).collect();
    let one = if let [place] = places.as_slice() { Some(place.region.clone()) } else { None };
    let action = Action::Replicate {
        home: home.clone(),
        home_region: state.info.home.clone(),
        regions: places.iter().map(|place| place.region.clone()).collect(),
        required: required.clone(),
    };
    let after = match home {
        ImageSource::Made(step) => vec![step.clone()],
        ImageSource::Found(_) => Vec::new(),
    };
    Step {
        id: StepId::new(&state.info.target, &desired.image, one.as_ref(), action.verb()),
        target: state.info.target.clone(),
        image: Some(desired.image.clone()),
        region: one,
        action,
        after,
        required: !required.is_empty(),
        reason: to.iter().map(|(_, why)| why.as_str()).next().unwrap_or("not there").to_owned(),
    }
}

fn arrival<'a>(place: &'a DesiredPlace, source: ImageSource, found: Option<&'a FoundImage>) -> Arrival<'a> {
    Arrival {
        region: place.region.clone(),
        required: place.required,
        source,
        found,
        expected: &place.expected,
        widens: false,
    }
}

fn drift(state: &TargetState<'_>, desired: &Desired, place: &DesiredPlace, (message, hint): (String, String)) -> Drift {
    Drift {
        target: state.info.target.clone(),
        image: desired.image.clone(),
        region: place.region.clone(),
        message,
        hint,
    }
}

fn step(
    state: &TargetState<'_>,
    desired: &Desired,
    place: &DesiredPlace,
    (action, after, reason): (Action, Vec<StepId>, String),
) -> Step {
    Step {
        id: StepId::new(&state.info.target, &desired.image, Some(&place.region), action.verb()),
        target: state.info.target.clone(),
        image: Some(desired.image.clone()),
        region: Some(place.region.clone()),
        action,
        after,
        required: place.required,
        reason,
    }
}
