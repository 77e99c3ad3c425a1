//! What will be done: the difference between what should be true and what is, as a DAG of steps.
//!
//! Pure and synchronous: no client, no clock, no environment. The same input gives the same plan, byte for byte. Nothing
//! is ever planned twice that the survey shows to be there, and nothing is planned for an object that is not ours.
//!
//! | found | planned |
//! |---|---|
//! | nothing | upload, register, replicate, gate, approval, barrier, visibility, the tag `published`, pointers |
//! | same identity, not yet published | what is missing of these |
//! | same identity, published | missing tags and pointers; other visibility is [`Drift`], set back only on request |
//! | hidden or retired | nothing: [`Drift`] |
//! | another rendition of the artifact | nothing: [`Drift`], unless the cloud keeps several |
//! | withdrawn, tombstone, two objects of one key, another digest, an unreadable region | nothing: [`Refusal`] |
//!
//! Gate and approval ([`Guard`]) come last before the barrier; where replicas are visible at once, before replication.

mod artifact;
mod desired;
mod found;
mod guard;
mod step;
mod target;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::desired::{ArtifactRef, Desired, DesiredPlace, InputFacts, desired};
pub use self::guard::{GateImage, GateTerms, Guard, Subject};
pub use self::step::{Action, ImageRef, ImageSource, Step, StepId};
use crate::identity::KeyTag;
use crate::manifest::Together;
use crate::names::{ImageId, Region, ReleaseName, TargetName};
use crate::publisher::{ImageSpec, TargetInfo};
use crate::survey::Survey;

/// Everything the plan of one target is made from.
#[derive(Clone, Copy, Debug)]
pub struct TargetState<'a> {
    /// What the target is.
    pub info: &'a TargetInfo,
    /// What it should hold.
    pub desired: &'a [Desired],
    /// What it holds.
    pub survey: &'a Survey,
    /// Keys of images that were deleted on purpose.
    pub tombstones: &'a BTreeSet<KeyTag>,
    /// How much must be there before anything is published.
    pub together: Together,
    /// What has to be said of an image before it is published.
    pub guard: &'a Guard,
}

/// What the caller lets the plan do beyond adding what is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Set visibility back that somebody changed by hand.
    pub repair: bool,
    /// Publish again what was deleted.
    pub republish: bool,
}

/// Why nothing may be done about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// It was pulled: only `restore` brings it back.
    Withdrawn,
    /// It was deleted.
    Tombstone,
    /// Two objects carry its key.
    TwoObjects,
    /// Its key carries another content.
    OtherDigest,
    /// It was made with other attributes than it should have, and is not published yet.
    OtherAttributes,
    /// Its tags contradict each other, cannot be read, or its data is missing.
    Untrusted,
    /// A pointer that resolves to one image should lead to several.
    SharedPointer,
    /// A required region could not be surveyed to its end.
    Unreadable,
}

impl RefusalKind {
    /// Whether it is a safety guard (exit 3) rather than a contradiction found beforehand (exit 2).
    pub fn is_guard(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Tombstone)
    }
}

/// Something that forbids the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// At which target.
    pub target: TargetName,
    /// Of which image, if it is one image's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRef>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// In words.
    pub message: String,
    /// What a person can do.
    pub hint: String,
}

/// A difference that is reported and left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Drift {
    /// At which target.
    pub target: TargetName,
    /// Of which image.
    pub image: ImageRef,
    /// Where.
    pub region: Region,
    /// In words.
    pub message: String,
    /// What a person can do.
    pub hint: String,
}

/// An image of the release at a target, as the plan's steps refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedImage {
    /// The target.
    pub target: TargetName,
    /// Which image.
    pub image: ImageRef,
    /// What it should be.
    pub spec: ImageSpec,
    /// Where it was found, and under which id.
    pub found: Vec<(Region, ImageId)>,
}

/// What will be done for one release at some targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of this document: 1.
    pub schema: u32,
    /// The release.
    pub release: ReleaseName,
    /// The images that steps refer to, sorted.
    pub images: Vec<PlannedImage>,
    /// The steps, each after those it waits for.
    pub steps: Vec<Step>,
    /// What is left as it is, with the reason.
    pub drift: Vec<Drift>,
    /// What forbids the run; empty when it may go on.
    pub refusals: Vec<Refusal>,
}

impl Plan {
    /// Plans a release at all its targets.
    pub fn new(release: &ReleaseName, targets: &[TargetState<'_>], permissions: Permissions) -> Self {
        let mut plan = Self {
            schema: 1,
            release: release.clone(),
            images: Vec::new(),
            steps: Vec::new(),
            drift: Vec::new(),
            refusals: Vec::new(),
        };
        for state in targets {
            target::plan(state, permissions, &mut plan);
        }
        plan.drift.sort();
        plan.refusals.sort();
        plan.refusals.dedup();
        plan
    }

    /// Whether everything is as it should be already.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The planned image that a step works on.
    pub fn image_of(&self, step: &Step) -> Option<&PlannedImage> {
        let image = step.image.as_ref()?;
        self.images.iter().find(|planned| planned.target == step.target && planned.image == *image)
    }

    /// Images that get a visibility behind the barrier that this step gets the same one behind: its own, and those that
    /// may appear along with it.
    pub fn along(&self, step: &Step) -> impl Iterator<Item = &PlannedImage> {
        let barrier = |id: &&StepId| self.steps.iter().any(|step| step.id == **id && step.action == Action::Barrier);
        let wanted = |step: &Step| match &step.action {
            Action::SetVisibility { visibility, .. } => Some(visibility.clone()),
            _ => None,
        };
        let (own, barrier) = (wanted(step), step.after.iter().find(barrier).cloned());
        let (target, region) = (step.target.clone(), step.region.clone());
        let goes = move |other: &&Step| {
            own.is_some()
                && wanted(other) == own
                && (&other.target, &other.region) == (&target, &region)
                && barrier.as_ref().is_some_and(|barrier| other.after.contains(barrier))
        };
        self.steps.iter().filter(goes).filter_map(|other| self.image_of(other))
    }

    /// Images that the plan will upload at a target, with the region: what a preflight counts.
    pub fn additions<'a>(&'a self, target: &'a TargetName) -> impl Iterator<Item = (&'a PlannedImage, &'a Region)> {
        self.images_where(target, |step| match &step.action {
            Action::Upload => step.region.iter().collect(),
            Action::Replicate { regions, .. } => regions.iter().collect(),
            _ => Vec::new(),
        })
    }

    /// Images that the plan will show to those they are for, with the region.
    pub fn exposures<'a>(&'a self, target: &'a TargetName) -> impl Iterator<Item = (&'a PlannedImage, &'a Region)> {
        self.images_where(target, |step| match &step.action {
            Action::SetVisibility { .. } => step.region.iter().collect(),
            _ => Vec::new(),
        })
    }

    fn images_where<'a>(
        &'a self,
        target: &'a TargetName,
        regions: impl Fn(&'a Step) -> Vec<&'a Region> + 'a,
    ) -> impl Iterator<Item = (&'a PlannedImage, &'a Region)> {
        let here = self.steps.iter().filter(move |step| step.target == *target);
        here.flat_map(move |step| {
            let image = self.image_of(step);
            regions(step).into_iter().filter_map(move |region| Some((image?, region)))
        })
    }

    /// Leaves out the targets that may not be touched.
    pub fn without(mut self, targets: &BTreeSet<TargetName>) -> Self {
        self.steps.retain(|step| !targets.contains(&step.target));
        self
    }
}

#[cfg(test)]
pub(crate) mod tests;
