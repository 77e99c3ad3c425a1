//! What has to be said of an image before it may become public: that it passed its target's gate, and that a person has
//! approved it.
//!
//! What was said is known from the ledger. It counts for one content under one key: another content is judged anew, and a
//! region that is filled later is not. With the ledger lost only what is still to be published is judged again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::artifact::Arrival;
use super::{Action, Desired, ImageSource, Plan, Step, StepId, TargetState};
use crate::digest::Digest;
use crate::identity::{ImageTags, KeyTag};
use crate::manifest::GateRegions;
use crate::names::Region;
use crate::publisher::TargetInfo;

/// One content of one image at one place: what a gate or a person judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The image's key in the home region.
    pub key: KeyTag,
    /// The digest of its content.
    pub digest: Digest,
}

impl Subject {
    /// What is judged when an image with these tags is to be published at a target.
    pub fn new(info: &TargetInfo, tags: &ImageTags) -> Self {
        Self { key: tags.key(&info.place, &info.home), digest: tags.digest }
    }
}

/// What a gate is, as far as a plan has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateTerms {
    /// Tells it from others, the same on every machine: what passed one gate has not passed another.
    pub identity: String,
    /// Which images it is asked about.
    pub regions: GateRegions,
    /// How many artifacts it is asked about at once.
    pub concurrency: u32,
}

/// What stands between the images of a target and the public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The gate, if there is one.
    pub gate: Option<GateTerms>,
    /// A person has to approve.
    pub approve: bool,
    /// What passed this gate.
    pub passed: BTreeSet<Subject>,
    /// What was approved.
    pub approved: BTreeSet<Subject>,
    /// What came of a gate's steps when they were last done, where they did not pass: a clause for people.
    pub said: BTreeMap<StepId, String>,
}

/// An image that a gate is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateImage {
    /// Where it is.
    pub region: Region,
    /// Where its id comes from.
    pub from: ImageSource,
}

/// Whether something is still to be said of an image before more people may see it.
pub(super) fn is_unsaid(state: &TargetState<'_>, desired: &Desired) -> bool {
    let (guard, subject) = (state.guard, Subject::new(state.info, &desired.spec.tags));
    (guard.gate.is_some() && !guard.passed.contains(&subject)) || (guard.approve && !guard.approved.contains(&subject))
}

/// Plans what is still to be said of an image of which something is still to be published; returns the steps that its
/// publication waits for.
pub(super) fn guard(
    state: &TargetState<'_>,
    desired: &Desired,
    arrivals: &[Arrival<'_>],
    plan: &mut Plan,
) -> Vec<StepId> {
    let subject = Subject::new(state.info, &desired.spec.tags);
    let wanted = state.guard.gate.as_ref().filter(|_| !state.guard.passed.contains(&subject));
    let gate = wanted.map(|terms| {
        let seen = seen_by(terms, state.info, arrivals);
        let images = seen.iter().map(|one| GateImage { region: one.region.clone(), from: one.source.clone() });
        let (images, identity) = (images.collect(), terms.identity.clone());
        let action = Action::Gate { gate: identity, subject: subject.clone(), images };
        let mut step =
            step(state, desired, (action, makers(&seen)), "nothing is published before the gate lets it pass");
        step.reason = state.guard.said.get(&step.id).cloned().unwrap_or(step.reason);
        step
    });
    let approve = (state.guard.approve && !state.guard.approved.contains(&subject)).then(|| {
        let all: Vec<&Arrival<'_>> = arrivals.iter().collect();
        let after = gate.as_ref().map_or_else(|| makers(&all), |gate| vec![gate.id.clone()]);
        let (release, target) = (&desired.spec.tags.release, &state.info.target);
        let reason = match after.is_empty() {
            true => format!("waiting for `publish approve --release {release} --target {target}`"),
            false => "nothing is published before a person approves it".to_owned(),
        };
        step(state, desired, (Action::Approve { subject }, after), &reason)
    });
    let steps: Vec<Step> = gate.into_iter().chain(approve).collect();
    let ids = steps.iter().map(|step| step.id.clone()).collect();
    plan.steps.extend(steps);
    ids
}

/// The images that a gate is asked about, that of the home region first.
fn seen_by<'r, 'a>(terms: &GateTerms, info: &TargetInfo, arrivals: &'r [Arrival<'a>]) -> Vec<&'r Arrival<'a>> {
    let (home, others): (Vec<_>, Vec<_>) = arrivals.iter().partition(|arrival| arrival.region == info.home);
    match terms.regions {
        GateRegions::Home if !home.is_empty() => home,
        _ => home.into_iter().chain(others).collect(),
    }
}

fn makers(arrivals: &[&Arrival<'_>]) -> Vec<StepId> {
    let makers: BTreeSet<StepId> = arrivals.iter().filter_map(|arrival| arrival.made_by().cloned()).collect();
    makers.into_iter().collect()
}

fn step(state: &TargetState<'_>, desired: &Desired, (action, after): (Action, Vec<StepId>), reason: &str) -> Step {
    Step {
        id: StepId::new(&state.info.target, &desired.image, None, action.verb()),
        target: state.info.target.clone(),
        image: Some(desired.image.clone()),
        region: None,
        action,
        after,
        required: true,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
