//! A person's word: what at a target waits for it, and writing it down.

use std::collections::BTreeSet;

use super::{Environment, Prepared};
use crate::error::{Error, Kind, Result};
use crate::execute::Approval;
use crate::ledger::{Holder, RunId};
use crate::names::TargetName;
use crate::plan::{Action, PlannedImage, StepId, Subject};

/// An image that waits, or will wait, for an approval.
#[derive(Clone, Copy, Debug)]
pub struct Approvable<'a> {
    /// The image, where it was found, and under which ids.
    pub image: &'a PlannedImage,
    /// What an approval is given to.
    pub subject: &'a Subject,
    /// Whether the target's gate has still to let it pass.
    pub is_gated: bool,
}

/// The images at a target that are there and that nobody has approved yet.
pub fn approvable<'a>(prepared: &'a Prepared, target: &'a TargetName) -> Vec<Approvable<'a>> {
    let plan = &prepared.plan;
    let waits = plan.steps.iter().filter(|step| step.target == *target).filter_map(|step| {
        let Action::Approve { subject } = &step.action else { return None };
        let image = plan.image_of(step).filter(|image| !image.found.is_empty())?;
        let gate = StepId::new(target, &image.image, None, "gate");
        Some(Approvable { image, subject, is_gated: step.after.contains(&gate) })
    });
    waits.collect()
}

/// Writes down that a person has approved images.
///
/// # Behaviour
/// What is approved is this content under this key: another content has to be approved again. A run that is at work finds
/// it when it comes to it.
///
/// # Errors
/// [`Kind::InvalidInput`] when nothing is to be approved or nobody approves, [`Kind::Storage`].
pub async fn approve(
    environment: &Environment,
    prepared: &Prepared,
    target: &TargetName,
    (images, by): (&[Approvable<'_>], &str),
) -> Result<Approval> {
    let observed = prepared.observed.iter().find(|one| one.info.target == *target);
    let nothing = || Error::new(Kind::InvalidInput, "there is nothing to approve").with("target", target);
    let observed = observed.filter(|_| !images.is_empty()).ok_or_else(nothing)?;
    let by = by.trim();
    if by.is_empty() || by.chars().any(char::is_control) {
        return Err(Error::new(Kind::InvalidInput, "an approval needs the name of who approves")
            .hint("name who approves with --by"));
    }
    let run = RunId::generate(environment.clock.as_ref());
    let at = environment.clock.now();
    let approval = Approval {
        place: observed.info.place.clone(),
        subjects: images.iter().map(|one| one.subject.clone()).collect::<BTreeSet<_>>(),
        by: by.to_owned(),
        host: Holder::this_process(run, at).host,
        at,
    };
    environment.ledger().approve(&prepared.plan.release, run, approval.clone()).await?;
    Ok(approval)
}
