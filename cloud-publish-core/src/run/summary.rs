//! How a run ended, for people and programs: what is where, and what failed.

use serde::{Deserialize, Serialize};

use super::{Observed, Prepared, TargetFinding};
use crate::digest::Digest;
use crate::event::Trouble;
use crate::execute::{Ended, Made, Outcome};
use crate::names::{Arch, ImageId, Provider, Region, ReleaseName, Rendition, TargetName, Variant};
use crate::plan::{Desired, DesiredPlace, Drift, ImageRef, Plan, Step};
use crate::publisher::{Listing, TargetInfo};
use crate::survey::{Life, Survey};

/// A run's end in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Everything required is published.
    Complete,
    /// Something failed or was not begun: the same command continues.
    Incomplete,
    /// Something outside has to happen first; the same command later continues.
    Waiting,
    /// Refused before anything was attempted.
    Refused,
}

/// One wanted image in one region, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageState {
    /// The target.
    pub target: TargetName,
    /// Its kind of cloud.
    pub provider: Provider,
    /// Where.
    pub region: Region,
    /// The artifact's variant.
    pub variant: Variant,
    /// The artifact's architecture.
    pub arch: Arch,
    /// What was made of it.
    pub rendition: Rendition,
    /// The cloud's id; absent while there is none.
    pub id: Option<ImageId>,
    /// The name it is, or will be, registered under.
    pub name: String,
    /// Where in its life it is.
    pub state: Life,
    /// The content digest.
    pub digest: Digest,
}

/// One thing that failed, or is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step's name; else `preflight`, `plan`, `lease` or `catalogue`.
    pub step: String,
    /// The target, if it is one target's.
    pub target: Option<TargetName>,
    /// Where, if in one region.
    pub region: Option<Region>,
    /// Why: the chain, outermost first.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the release can do without it (a best-effort region).
    pub required: bool,
    /// Nothing failed: something outside has to happen first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waits: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The release.
    pub release: ReleaseName,
    /// In one word.
    pub outcome: RunOutcome,
    /// A safety guard refused something: exit code 3.
    pub guarded: bool,
    /// The run was asked to stop.
    pub stopped: bool,
    /// What is where.
    pub images: Vec<ImageState>,
    /// What failed, and what is waited for.
    pub failures: Vec<Failure>,
}

impl ImageState {
    /// Which image it is, as plans name it.
    pub fn image(&self) -> ImageRef {
        ImageRef { variant: self.variant.clone(), arch: self.arch.clone(), rendition: self.rendition.clone() }
    }

    /// One wanted image in one region, as a survey shows it.
    pub fn of(info: &TargetInfo, survey: &Survey, (desired, place): (&Desired, &DesiredPlace)) -> Self {
        let tags = &desired.spec.tags;
        let found = survey.matching(&info.place, &place.region, tags);
        let found = found.first();
        // What was not seen in a region that was read to its end is not there; elsewhere nobody knows.
        let unseen = if survey.covers(&place.region) { Life::Absent } else { Life::Unreadable };
        Self {
            target: info.target.clone(),
            provider: info.place.provider.clone(),
            region: place.region.clone(),
            variant: desired.image.variant.clone(),
            arch: desired.image.arch.clone(),
            rendition: desired.image.rendition.clone(),
            id: found.map(|found| found.id.clone()),
            name: desired.spec.name.to_string(),
            state: found.map_or(unseen, |found| found.life()),
            digest: tags.digest,
        }
    }
}

/// The wanted images of a target, as a survey shows them.
pub(super) fn images(observed: &Observed, survey: &Survey) -> Vec<ImageState> {
    let wanted = observed.desired.iter().flat_map(|desired| desired.places.iter().map(move |place| (desired, place)));
    wanted.map(|wanted| ImageState::of(&observed.info, survey, wanted)).collect()
}

/// A finding of the preflight as a failure.
pub(super) fn refused(found: &TargetFinding) -> Failure {
    Failure {
        step: "preflight".into(),
        target: Some(found.target.clone()),
        region: found.finding.region.clone(),
        error: found.finding.message.clone(),
        hint: found.finding.hint.clone(),
        required: true,
        waits: false,
    }
}

/// The failed steps of an execution, and the regions that a batch could not reach.
pub(super) fn failures(plan: &Plan, outcome: &Outcome) -> Vec<Failure> {
    let mut all = Vec::new();
    for step in &plan.steps {
        match outcome.steps.get(&step.id) {
            Some(Ended::Failed(trouble)) => all.push(failure(step, step.region.clone(), trouble, step.required)),
            Some(Ended::Done(Made::Images { failed, .. })) => {
                all.extend(failed.iter().map(|(region, trouble)| failure(step, Some(region.clone()), trouble, false)));
            }
            _ => {}
        }
    }
    all
}

fn failure(step: &Step, region: Option<Region>, trouble: &Trouble, required: bool) -> Failure {
    Failure {
        step: step.id.to_string(),
        target: Some(step.target.clone()),
        region,
        error: trouble.error.join(": "),
        hint: trouble.hint.clone(),
        required,
        waits: false,
    }
}

/// What is waited for: approvals, gates that say not yet, listings that a marketplace has not decided on.
pub(super) fn waiting(plan: &Plan, outcome: &Outcome) -> Vec<Failure> {
    let waits = |step: &Step| {
        let failure = match outcome.steps.get(&step.id)? {
            Ended::Waiting(trouble) => failure(step, step.region.clone(), trouble, step.required),
            Ended::Done(Made::Listing { listing: Listing::Pending }) => Failure {
                step: step.id.to_string(),
                target: Some(step.target.clone()),
                region: step.region.clone(),
                error: "the marketplace has not decided yet".to_owned(),
                hint: Some("this may take days: run the same command again then".to_owned()),
                required: step.required,
                waits: true,
            },
            _ => return None,
        };
        Some(Failure { waits: true, ..failure })
    };
    plan.steps.iter().filter_map(waits).collect()
}

/// Whether nothing required is missing but what waits for something outside, and what comes after that.
pub(super) fn only_waits(plan: &Plan, outcome: &Outcome) -> bool {
    let required = || plan.steps.iter().filter(|step| step.required).map(|step| outcome.steps.get(&step.id));
    !outcome.stopped
        && required().any(|end| matches!(end, Some(Ended::Waiting(_))))
        && !required().any(|end| matches!(end, Some(Ended::Failed(_)) | None))
}

/// Whether every required step was done.
pub(super) fn is_complete(plan: &Plan, outcome: &Outcome) -> bool {
    plan.steps
        .iter()
        .filter(|step| step.required)
        .all(|step| matches!(outcome.steps.get(&step.id), Some(Ended::Done(_))))
}

impl Failure {
    /// Something that went wrong in the state, at no target.
    pub(super) fn of_state(step: &str, trouble: &Trouble) -> Self {
        Self {
            step: step.to_owned(),
            target: None,
            region: None,
            error: trouble.error.join(": "),
            hint: trouble.hint.clone(),
            required: true,
            waits: false,
        }
    }
}

/// What was left as it is although users do not have it as they should: retired, there in another rendition, or made
/// narrower or wider by hand. A hidden image is what age makes of it.
pub(super) fn unpublished(prepared: &Prepared, images: &[ImageState]) -> Vec<Failure> {
    let is_left = |drift: &&Drift| {
        let required = prepared
            .observed
            .iter()
            .filter(|one| one.info.target == drift.target)
            .any(|one| one.info.regions.iter().any(|wanted| wanted.required && wanted.region == drift.region));
        required
            && images.iter().any(|image| {
                (&image.target, &image.region) == (&drift.target, &drift.region)
                    && (&image.variant, &image.arch) == (&drift.image.variant, &drift.image.arch)
                    && image.state != Life::Hidden
            })
    };
    let failure = |drift: &Drift| Failure {
        step: "plan".to_owned(),
        target: Some(drift.target.clone()),
        region: Some(drift.region.clone()),
        error: format!("{}: {}", drift.image, drift.message),
        hint: Some(drift.hint.clone()),
        required: true,
        waits: false,
    };
    prepared.plan.drift.iter().filter(is_left).map(failure).collect()
}
