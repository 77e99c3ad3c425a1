//! The survey as it would be now: what was found, and what the steps have changed since.
//!
//! Pure. It saves a second survey after each run, and shows what the receipts say even while a cloud's listing lags.

use std::collections::BTreeMap;

use super::Observed;
use crate::execute::{Ended, Made};
use crate::manifest::Visibility;
use crate::names::{ImageId, Region};
use crate::plan::{Action, ImageSource, Plan, PlannedImage, Step, StepId};
use crate::publisher::Registered;
use crate::survey::{FoundImage, Native, Survey};

/// The survey of one target after the steps that were done.
pub(super) fn applied(observed: &Observed, plan: &Plan, ended: &BTreeMap<StepId, Ended>) -> Survey {
    let mut survey = observed.survey.clone();
    let here = plan.steps.iter().filter(|step| step.target == observed.info.target);
    for step in here {
        let Some(Ended::Done(made)) = ended.get(&step.id) else { continue };
        if let (Made::Images { images, .. }, Some(planned)) = (made, plan.image_of(step)) {
            images.iter().for_each(|image| arrive(&mut survey, planned, image));
        }
        if let Some(found) = target_of(&mut survey, step, ended) {
            change(found, plan.image_of(step), &step.action, made);
        }
    }
    survey
}

fn arrive(survey: &mut Survey, planned: &PlannedImage, image: &Registered) {
    survey.staged.retain(|staged| staged.region != image.region || staged.id != image.id.as_str());
    let known = survey.images.iter_mut().find(|found| found.region == image.region && found.id == image.id);
    if let Some(found) = known {
        found.native = Native::Available;
        return;
    }
    survey.images.push(FoundImage {
        region: image.region.clone(),
        id: image.id.clone(),
        name: planned.spec.name.to_string(),
        native: Native::Available,
        visibility: Visibility::Private,
        tags: Some(planned.spec.tags.clone()),
        marks: crate::identity::Marks::default(),
        extra_tags: planned.spec.extra_tags.clone(),
        created: None,
        attributes: BTreeMap::new(),
        links: image.links.clone(),
        problems: Vec::new(),
    });
}

fn change(found: &mut FoundImage, planned: Option<&PlannedImage>, action: &Action, made: &Made) {
    if let Made::Mark { published } = made {
        found.marks.published = Some(*published);
    }
    match action {
        Action::SetVisibility { visibility, .. } => found.visibility = visibility.clone(),
        Action::Tag { .. } => {
            found.extra_tags.extend(planned.map(|planned| planned.spec.extra_tags.clone()).unwrap_or_default());
        }
        _ => {}
    }
}

fn target_of<'s>(survey: &'s mut Survey, step: &Step, ended: &BTreeMap<StepId, Ended>) -> Option<&'s mut FoundImage> {
    let region = step.region.as_ref()?;
    let id = match &step.action {
        Action::SetVisibility { from: image, .. }
        | Action::MarkPublished { from: image }
        | Action::Tag { from: image, .. } => id_of(image, region, ended)?,
        _ => return None,
    };
    survey.images.iter_mut().find(|found| found.region == *region && found.id == id)
}

fn id_of(source: &ImageSource, region: &Region, ended: &BTreeMap<StepId, Ended>) -> Option<ImageId> {
    match source {
        ImageSource::Found(id) => Some(id.clone()),
        ImageSource::Made(step) => match ended.get(step)? {
            Ended::Done(made) => crate::execute::made_in(made, region),
            _ => None,
        },
    }
}
