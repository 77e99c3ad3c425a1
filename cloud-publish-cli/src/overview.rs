//! What is where of a release, as a survey shows it, and what the plan would do about it.

use cloud_publish_core::names::{Region, TargetName};
use cloud_publish_core::plan::{Action, Desired, DesiredPlace, Plan, Refusal, RefusalKind, Step};
use cloud_publish_core::run::{ImageState, Observed, Prepared};
use cloud_publish_core::survey::Native;
use serde::Serialize;

use crate::output::{Known, Word, colour, words};

/// One wanted image in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    /// What it is now.
    #[serde(flatten)]
    pub(crate) image: ImageState,
    /// The same in words.
    pub(crate) words: String,
    /// The colour of the words.
    #[serde(skip)]
    pub(crate) colour: Word,
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
            all.extend(desired.places.iter().map(|place| one(&prepared.plan, observed, (desired, place))));
        }
    }
    all
}

/// The same without the plan.
pub(crate) fn images(prepared: &Prepared) -> Vec<ImageState> {
    wanted(prepared).into_iter().map(|wanted| wanted.image).collect()
}

/// What the next run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Next {
    /// How often each verb would be carried out, in the order of their execution.
    pub(crate) steps: Vec<Count>,
    /// Bytes that would be sent.
    pub(crate) bytes: u64,
    /// The refusals that stand against it; any one, and nothing at all would be done.
    pub(crate) refused: usize,
    /// Targets that could not be seen; any one, and a run that must reach all of them does nothing.
    pub(crate) unreachable: Vec<TargetName>,
    /// Targets that could be seen.
    #[serde(skip)]
    pub(crate) seen: usize,
    /// The command.
    pub(crate) command: String,
}

/// How often a verb would be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    /// The verb.
    pub(crate) verb: &'static str,
    /// How often.
    pub(crate) count: usize,
}

/// Where a verb stands in the life of an image.
pub(crate) fn in_order(verb: &str) -> usize {
    const ORDER: [&str; 10] = [
        "upload",
        "register",
        "replicate",
        "gate",
        "approve",
        "set-visibility",
        "mark-published",
        "tag",
        "point",
        "list",
    ];
    ORDER.iter().position(|known| *known == verb).unwrap_or(ORDER.len())
}

/// What the next run would do, if it were this command.
pub(crate) fn next(prepared: &Prepared, command: String) -> Next {
    let plan = &prepared.plan;
    let unreachable = prepared.unreachable.keys().cloned().collect();
    let (refused, seen) = (plan.refusals.len(), prepared.observed.len());
    let mut next = Next { command, refused, unreachable, seen, ..Next::default() };
    for step in plan.steps.iter().filter(|step| !matches!(step.action, Action::Barrier)) {
        let verb = step.action.verb();
        match next.steps.iter_mut().find(|known| known.verb == verb) {
            Some(known) => known.count += 1,
            None => next.steps.push(Count { verb, count: 1 }),
        }
        if matches!(step.action, Action::Upload) {
            next.bytes += plan.image_of(step).map_or(0, |planned| planned.spec.file_size);
        }
    }
    next.steps.sort_by_key(|step| in_order(step.verb));
    next
}

fn one(plan: &Plan, observed: &Observed, (desired, place): (&Desired, &DesiredPlace)) -> Wanted {
    let info = &observed.info;
    let is_own = |step: &&Step| {
        step.target == info.target && step.image.as_ref() == Some(&desired.image) && touches(step, &place.region)
    };
    let next: Vec<String> = plan.steps.iter().filter(is_own).map(|step| step.action.verb().to_owned()).collect();
    let drift = plan
        .drift
        .iter()
        .filter(|drift| drift.target == info.target && drift.image == desired.image && drift.region == place.region);
    let concerns = |refusal: &&Refusal| {
        refusal.target == info.target
            && refusal.image.as_ref().is_none_or(|image| *image == desired.image)
            && refusal.region.as_ref().is_none_or(|region| *region == place.region)
    };
    let guards = plan.steps.iter().filter(is_own).filter(|step| is_first(observed, place) && is_next(step));
    let refusals: Vec<&Refusal> = plan.refusals.iter().filter(concerns).collect();
    let kinds: Vec<RefusalKind> = refusals.iter().map(|refusal| refusal.kind).collect();

    let image = ImageState::of(info, &observed.survey, (desired, place));
    let tags = &desired.spec.tags;
    let found = observed.survey.matching(&info.place, &place.region, tags);
    let key = tags.key(&info.place, &place.region);
    let known = Known {
        state: image.state,
        is_withdrawn: found.iter().any(|found| found.marks.withdrawn.is_some()),
        is_staged: observed.survey.staged.iter().any(|staged| {
            let own = staged.tags.as_ref().map(|tags| tags.key(&info.place, &staged.region));
            staged.region == place.region && own == Some(key.clone())
        }),
        refusals: &kinds,
        next: &next,
        lacking: &lacking(observed, desired),
    };
    Wanted {
        words: words(&known),
        colour: colour(&known),
        image,
        required: place.required,
        remarks: drift
            .map(|drift| drift.message.clone())
            .chain(refusals.iter().map(|refusal| format!("refused: {}", refusal.message)))
            .chain(guards.map(|step| step.reason.clone()))
            .collect(),
        next: next.clone(),
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

/// The required regions of a target that do not have an image yet.
fn lacking<'a>(observed: &Observed, desired: &'a Desired) -> Vec<&'a Region> {
    let has = |place: &&DesiredPlace| {
        let found = observed.survey.matching(&observed.info.place, &place.region, &desired.spec.tags);
        found.iter().any(|found| !matches!(found.native, Native::Pending | Native::Failed))
    };
    let places = desired.places.iter().filter(|place| place.required && !has(place));
    places.map(|place| &place.region).collect()
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
