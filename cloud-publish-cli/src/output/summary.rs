//! How a run ended: the table of what is where, the failures, what to do next; and the last line of `--json`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cloud_publish_core::names::{Region, TargetName};
use cloud_publish_core::run::{Failure, ImageState, RunOutcome, Summary};
use cloud_publish_core::survey::Life;
use serde::Serialize;

use super::chain::{failure_text, waiting_text};
use super::size::{count, took};
use super::style::{Word, paint};
use super::table::Table;
use crate::halt::{Halt, Stage};

/// The last line of `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event", rename = "summary")]
pub(crate) struct SummaryLine<'a> {
    release: Option<&'a str>,
    outcome: RunOutcome,
    images: &'a [ImageState],
    failures: Vec<FailureLine<'a>>,
}

/// One failure in the last line of `--json`.
#[derive(Debug, Serialize)]
struct FailureLine<'a> {
    step: &'a str,
    target: Option<&'a TargetName>,
    region: Option<&'a Region>,
    error: String,
    hint: Option<&'a str>,
}

impl<'a> SummaryLine<'a> {
    /// Of a run that came to its end.
    pub(crate) fn of(summary: &'a Summary) -> Self {
        Self::new(Some(summary.release.as_str()), summary.outcome, &summary.images, &summary.failures)
    }

    /// Of a verb with its own result.
    pub(crate) fn new(
        release: Option<&'a str>,
        outcome: RunOutcome,
        images: &'a [ImageState],
        failures: &'a [Failure],
    ) -> Self {
        let line = |failure: &'a Failure| FailureLine {
            step: &failure.step,
            target: failure.target.as_ref(),
            region: failure.region.as_ref(),
            error: failure.error.clone(),
            hint: failure.hint.as_deref(),
        };
        Self { release, outcome, images, failures: failures.iter().map(line).collect() }
    }

    /// Of a command that stopped before it had a result.
    pub(crate) fn halted(release: Option<&'a str>, halt: &'a Halt) -> Self {
        Self::problem(release, halt.exit().outcome(), (halt.word(), halt.error.chain().join(": ")), halt.error.advice())
    }

    /// Of something that is wrong with what was typed or read.
    pub(crate) fn problem(
        release: Option<&'a str>,
        outcome: RunOutcome,
        (step, error): (&'a str, String),
        hint: Option<&'a str>,
    ) -> Self {
        let failure = FailureLine { step, target: None, region: None, error, hint };
        Self { release, outcome, images: &[], failures: vec![failure] }
    }
}

/// How many regions without an image have rows of their own.
const MOST_WITHOUT: usize = 3;

/// The table of what is where. Many regions that do not have an image are one row.
pub(crate) fn images_table(images: &[ImageState]) -> Table {
    let mut table = Table::new(["TARGET", "REGION", "IMAGE", "STATE", "ID"]);
    let mut lacking: BTreeMap<_, usize> = BTreeMap::new();
    let kind = |image: &'_ ImageState| {
        image.id.is_none().then(|| (image.target.clone(), image.image().to_string(), image.state))
    };
    images.iter().filter_map(kind).for_each(|kind| *lacking.entry(kind).or_default() += 1);
    for image in images {
        let without = kind(image).and_then(|kind| Some((lacking.get(&kind).copied()?, kind)));
        let region = match without {
            Some((0, _)) => continue,
            Some((many, kind)) if many > MOST_WITHOUT => {
                lacking.insert(kind, 0);
                count(many, "region")
            }
            _ => image.region.to_string(),
        };
        let word = match image.state {
            Life::Published => Word::Good,
            Life::Absent => Word::Warning,
            Life::Unreadable => Word::Bad,
            _ => Word::Plain,
        };
        table.row([
            (image.target.as_str(), Word::Plain),
            (&region, Word::Plain),
            (&image.image().to_string(), Word::Plain),
            (image.state.as_str(), word),
            (image.id.as_ref().map_or("", AsRef::as_ref), Word::Plain),
        ]);
    }
    table
}

/// The step of a failure that is no step: what the plan must not touch although it is not published.
const LEFT: &str = "plan";

/// The step of a failure when somebody else holds a lease.
const LEASE: &str = "lease";

/// The failures, the result in one sentence, and what to do next.
pub(crate) fn summary_text(summary: &Summary, time: Duration) -> String {
    let mut text = String::new();
    // What the preflight found was shown with the plan; when others went on it is out of sight by now.
    let is_shown =
        |failure: &&Failure| failure.step != Stage::Preflight.as_str() || summary.outcome != RunOutcome::Refused;
    for (index, failure) in summary.failures.iter().enumerate().filter(|(_, failure)| is_shown(failure)) {
        let region = failure.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        let step = &failure.step;
        if failure.waits {
            // A hint that several have in common is given once, behind the last of them.
            let is_repeated = |later: &Failure| later.waits && later.hint == failure.hint;
            let is_last = !summary.failures.iter().skip(index + 1).any(is_repeated);
            let hint = failure.hint.as_deref().filter(|_| is_last);
            text.push_str(&waiting_text(step, &failure.error, hint));
            continue;
        }
        let what = match (&failure.target, failure.required) {
            (None, _) if *step == LEASE => "another run is at work".to_owned(),
            (None, _) => format!("{step} failed"),
            (Some(target), _) if *step == Stage::Config.as_str() => format!("{target} cannot be used"),
            (Some(target), _) if *step == Stage::Preflight.as_str() => format!("{target} was not attempted{region}"),
            (Some(target), _) if *step == LEFT => format!("left as it is at {target}{region}"),
            (Some(target), true) => format!("{step} failed at {target}{region}"),
            (Some(target), false) => format!("{step} failed at {target}{region}, which is best effort"),
        };
        text.push_str(&failure_text(&what, &failure.error, failure.hint.as_deref()));
    }
    let release = &summary.release;
    let published = summary.images.iter().filter(|image| image.state == Life::Published).count();
    let places = format!("{published} of {} published", count(summary.images.len(), "image"));
    let (word, result) = match summary.outcome {
        RunOutcome::Complete => (Word::Good, "complete"),
        RunOutcome::Incomplete if summary.stopped => (Word::Bad, "stopped"),
        RunOutcome::Incomplete => (Word::Bad, "incomplete"),
        RunOutcome::Waiting => (Word::Warning, "waiting"),
        RunOutcome::Refused => (Word::Bad, "refused"),
    };
    let result = paint(word, &format!("{result}:"));
    text.push_str(&format!("{result} {release}: {places}, {}{}\n", took(time), not_attempted(summary)));
    text.push_str(&format!("next: {}\n", next(summary)));
    text
}

/// The targets that nothing was tried at while the others went on.
fn not_attempted(summary: &Summary) -> String {
    let is_left_out = |step: &str| [Stage::Config, Stage::Preflight].iter().any(|stage| stage.as_str() == step);
    let left_out = summary.failures.iter().filter(|failure| is_left_out(&failure.step));
    let names: BTreeSet<&str> = left_out.filter_map(|failure| failure.target.as_ref()).map(AsRef::as_ref).collect();
    match names.is_empty() || summary.outcome == RunOutcome::Refused {
        true => String::new(),
        false => format!("; not attempted: {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn next(summary: &Summary) -> String {
    let release = &summary.release;
    match summary.outcome {
        RunOutcome::Complete => format!("`publish verify --release {release}` compares it with the manifest any time"),
        RunOutcome::Incomplete => "run the same command again: it does what is still missing and nothing else".into(),
        RunOutcome::Waiting => "run the same command again later: it continues where this one waits".into(),
        RunOutcome::Refused => "nothing was changed; mend what is named above, then run the same command again".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud_publish_core::run::{Failure, RunOutcome, Summary};

    use super::summary_text;

    fn text(outcome: RunOutcome) -> String {
        let failure = Failure {
            step: "preflight".into(),
            target: Some("openstack".parse().unwrap()),
            region: None,
            error: "it does not answer".into(),
            hint: None,
            required: true,
            waits: false,
        };
        let (release, failures) = ("r".parse().unwrap(), vec![failure]);
        let summary = Summary { release, outcome, guarded: false, stopped: false, images: Vec::new(), failures };
        anstream::adapter::strip_str(&summary_text(&summary, Duration::from_secs(3))).to_string()
    }

    #[test]
    fn a_target_that_others_did_without_is_named_at_the_end_with_its_error() {
        let said = text(RunOutcome::Incomplete);
        assert!(said.starts_with("error: openstack was not attempted\n  caused by: it does not answer\n"), "{said}");
        assert!(said.contains("published, 3.0 s; not attempted: openstack\n"), "{said}");
    }

    #[test]
    fn a_refusal_is_not_repeated_right_after_the_plan() {
        let said = text(RunOutcome::Refused);
        assert!(!said.contains("openstack"), "{said}");
    }
}
