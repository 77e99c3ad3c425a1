//! What is where of a release, as a survey shows it, and what the plan would do about it.

use cloud_publish_core::names::{Region, TargetName};
use cloud_publish_core::plan::{Action, Desired, DesiredPlace, Plan, Step};
use cloud_publish_core::run::{ImageState, Observed, Prepared};
use serde::Serialize;

/// One wanted image in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    /// What it is now.
    #[serde(flatten)]
    pub(crate) image: ImageState,
    /// Whether the release can do without it.
    pub(crate) required: bool,
    /// The verbs that publishing would carry out for it, in order.
    pub(crate) next: Vec<String>,
    /// Why nothing, or not everything, would be done.
    pub(crate) remarks: Vec<String>,
}

/// The targets that could be seen: only of these it is known what there is to do.
pub(crate) fn seen(prepared: &Prepared) -> impl Iterator<Item = &TargetName> {
    prepared.observed.iter().map(|one| &one.info.target)
}

/// Every wanted image of the targets that could be seen.
pub(crate) fn wanted(prepared: &Prepared) -> Vec<Wanted> {
    let mut all = Vec::new();
    for observed in &prepared.observed {
        for desired in &observed.desired {
            all.extend(desired.places.iter().map(|place| one(&prepared.plan, observed, desired, place)));
        }
    }
    all
}

/// The same without the plan.
pub(crate) fn images(prepared: &Prepared) -> Vec<ImageState> {
    wanted(prepared).into_iter().map(|wanted| wanted.image).collect()
}

fn one(plan: &Plan, observed: &Observed, desired: &Desired, place: &DesiredPlace) -> Wanted {
    let info = &observed.info;
    let is_own = |step: &&Step| {
        step.target == info.target && step.image.as_ref() == Some(&desired.image) && touches(step, &place.region)
    };
    let drift = plan
        .drift
        .iter()
        .filter(|drift| drift.target == info.target && drift.image == desired.image && drift.region == place.region);
    let refusals = plan.refusals.iter().filter(|refusal| {
        refusal.target == info.target
            && refusal.image.as_ref().is_none_or(|image| *image == desired.image)
            && refusal.region.as_ref().is_none_or(|region| *region == place.region)
    });
    let guards = plan.steps.iter().filter(is_own).filter(|step| is_first(observed, place) && is_next(step));
    Wanted {
        image: ImageState::of(info, &observed.survey, (desired, place)),
        required: place.required,
        next: plan.steps.iter().filter(is_own).map(|step| step.action.verb().to_owned()).collect(),
        remarks: drift
            .map(|drift| drift.message.clone())
            .chain(refusals.map(|refusal| format!("refused: {}", refusal.message)))
            .chain(guards.map(|step| step.reason.clone()))
            .collect(),
    }
}

/// Whether it is the one region of a target at which is said what concerns all of them.
fn is_first(observed: &Observed, place: &DesiredPlace) -> bool {
    observed.info.regions.first().is_some_and(|wanted| wanted.region == place.region)
}

/// Whether a step asks a gate or a person, and everything that it needs is there.
fn is_next(step: &Step) -> bool {
    matches!(step.action, Action::Gate { .. } | Action::Approve { .. }) && step.after.is_empty()
}

/// Whether a step does something in a region, or holds its image back.
fn touches(step: &Step, region: &Region) -> bool {
    match &step.action {
        Action::Barrier => false,
        Action::Replicate { regions, .. } => regions.contains(region),
        Action::Gate { .. } | Action::Approve { .. } => true,
        _ => step.region.as_ref() == Some(region),
    }
}
