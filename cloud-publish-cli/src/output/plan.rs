//! A plan for people: a few lines per target before a run, or every step with its reason.

use std::collections::BTreeSet;

use cloud_publish_core::names::TargetName;
use cloud_publish_core::plan::{Action, Plan, Step};

use super::clean::clean;
use super::size::{count, size};
use super::style::{Word, paint};
use super::table::Table;
use crate::overview::in_order;

/// How many regions of one step are named.
const MOST_NAMES: usize = 3;

/// One line for each target.
pub(crate) fn plan_in_brief<'a>(plan: &Plan, targets: impl Iterator<Item = &'a TargetName>) -> String {
    let mut text = format!("{}\n", paint(Word::Heading, &format!("plan for {}:", plan.release)));
    for target in targets {
        text.push_str(&format!("  {target}: {}\n", brief(plan, target)));
    }
    text
}

fn brief(plan: &Plan, target: &TargetName) -> String {
    let steps: Vec<&Step> = steps(plan, target).collect();
    if steps.is_empty() {
        return "nothing to do".to_owned();
    }
    let additions: Vec<_> = plan.additions(target).collect();
    let work = count(steps.len(), "step");
    if additions.is_empty() {
        let mut verbs: Vec<&str> = steps.iter().map(|step| step.action.verb()).collect();
        verbs.sort_by_key(|verb| in_order(verb));
        verbs.dedup();
        return format!("nothing to send; {work}: {}", verbs.join(", "));
    }
    let images: BTreeSet<_> = additions.iter().map(|(planned, _)| &planned.image).collect();
    let regions: BTreeSet<_> = additions.iter().map(|(_, region)| *region).collect();
    let uploads = steps.iter().filter(|step| matches!(step.action, Action::Upload));
    let bytes = uploads.filter_map(|step| plan.image_of(step)).map(|planned| planned.spec.file_size).sum();
    let images = count(images.len(), "image");
    format!("{images} to {}, {} to send; {work}", count(regions.len(), "region"), size(bytes))
}

/// The steps of a target that do something.
fn steps<'a>(plan: &'a Plan, target: &'a TargetName) -> impl Iterator<Item = &'a Step> {
    plan.steps.iter().filter(move |step| step.target == *target && !matches!(step.action, Action::Barrier))
}

/// Every step with its reason, target by target.
pub(crate) fn plan_in_full<'a>(
    plan: &Plan,
    targets: impl Iterator<Item = &'a TargetName>,
    columns: Option<usize>,
) -> String {
    let mut text = String::new();
    for target in targets {
        text.push_str(&format!("{} {}\n", paint(Word::Heading, &format!("{target}:")), brief(plan, target)));
        let mut table = Table::new(["  STEP", "IMAGE", "REGION", "REASON"]).prose();
        for step in plan.steps.iter().filter(|step| step.target == *target) {
            let image = step.image.as_ref().map(ToString::to_string).unwrap_or_default();
            let verb = format!("  {}", step.action.verb());
            let reason = match step.required {
                true => step.reason.clone(),
                false => format!("{} (best effort)", step.reason),
            };
            table.row([plain(&verb), plain(&image), plain(&regions(step)), (&reason, Word::Faint)]);
        }
        if !table.is_empty() {
            text.push_str(&table.render(columns));
        }
    }
    text
}

fn plain(text: &str) -> (&str, Word) {
    (text, Word::Plain)
}

fn regions(step: &Step) -> String {
    match (&step.region, &step.action) {
        (Some(region), _) => clean(region.as_str()),
        (None, Action::Replicate { regions, .. }) if regions.len() > MOST_NAMES => count(regions.len(), "region"),
        (None, Action::Replicate { regions, .. }) => {
            let names: Vec<&str> = regions.iter().map(AsRef::as_ref).collect();
            clean(&names.join(","))
        }
        (None, _) => "all".to_owned(),
    }
}
