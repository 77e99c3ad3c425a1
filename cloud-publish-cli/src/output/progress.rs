//! What happens during a run, as lines for people and as events for programs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloud_publish_core::clock::Clock;
use cloud_publish_core::event::{Event, Reporter, Trouble};

use super::clean::clean;
use super::console::Console;
use super::size::took;
use super::style::{Word, paint};

/// How often something long says how far it is.
const PERCENT_EVERY: Duration = Duration::from_secs(10);

/// What is printed of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// Whether programs get every event.
    Events,
    /// Only people are told.
    Lines,
}

/// Prints events while they happen.
#[derive(Debug)]
pub(crate) struct Progress {
    console: Arc<Console>,
    clock: Arc<dyn Clock>,
    events: bool,
    lines: bool,
    /// When each long thing last said how far it is.
    said: Mutex<BTreeMap<String, Duration>>,
}

impl Progress {
    /// Prints on a console: lines unless `no_progress`, and with `--json` events if `events` is wanted.
    pub(crate) fn new(console: Arc<Console>, clock: Arc<dyn Clock>, (show, no_progress): (Show, bool)) -> Self {
        let events = console.is_json() && show == Show::Events;
        let lines = !no_progress && !console.is_quiet();
        Self { console, clock, events, lines, said: Mutex::default() }
    }

    fn line(&self, event: &Event) -> Option<String> {
        let line = match event {
            Event::Stage { name, target: Some(target), .. } => format!("{name} {target}"),
            Event::Verifying { file, done, total } => self.percent(&format!("verifying {file}"), *done, *total)?,
            Event::WaitingForLease { place, holder } => {
                format!("waiting for another run at {place}: {holder}")
            }
            Event::StepStarted { step, .. } => format!("start  {step}"),
            Event::StepProgress { step, done, total } => self.percent(step.as_str(), *done, *total)?,
            Event::StepSays { step, message } => format!("       {step}: {message}"),
            Event::StepRetried { step, attempt, wait_s, trouble } => {
                let why = reason(trouble);
                format!("retry  {step} in {wait_s:.0} s, try {attempt} failed: {why}")
            }
            Event::StepDone { step, took_s, made } => {
                let made = made.as_ref().map(|made| format!(": {made}")).unwrap_or_default();
                format!("done   {step} ({}){made}", took(Duration::try_from_secs_f64(*took_s).unwrap_or_default()))
            }
            Event::StepFailed { step, required, trouble } => {
                let word = if *required { "FAILED" } else { "failed" };
                format!("{word} {step}: {}", reason(trouble))
            }
            Event::StepWaits { step, trouble } => format!("waits  {step}: {}", reason(trouble)),
            Event::StepSkipped { step, reason } => format!("skip   {step}: {reason}"),
            _ => return None,
        };
        Some(format!("{}\n", clean(&line).replace('\n', " ")))
    }

    /// A line saying how far something is, if it did not say so lately. The first 10 s and the end say nothing.
    fn percent(&self, what: &str, done: u64, total: u64) -> Option<String> {
        let now = self.clock.elapsed();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *said.entry(what.to_owned()).or_insert(now);
        if done >= total || now.saturating_sub(last) < PERCENT_EVERY {
            return None;
        }
        said.insert(what.to_owned(), now);
        let percent = u128::from(done).saturating_mul(100).checked_div(u128::from(total)).unwrap_or(100);
        Some(format!("{percent:>4} % {what}"))
    }
}

impl Reporter for Progress {
    fn report(&self, event: &Event) {
        if self.events {
            self.console.json(event);
        }
        if let Event::Warning { target, region, message, hint } = event {
            let target = target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default();
            let region = region.as_ref().map(|region| format!("{region}: ")).unwrap_or_default();
            let warning = clean(&format!("{target}{region}{message}"));
            let mut text = format!("{} {warning}\n", paint(Word::Warning, "warning:"));
            if let Some(hint) = hint {
                text.push_str(&format!("{} {}\n", paint(Word::Good, "hint:"), clean(hint)));
            }
            self.console.complain(&text);
        } else if self.lines
            && let Some(line) = self.line(event)
        {
            self.console.say(&line);
        }
    }
}

fn reason(trouble: &Trouble) -> String {
    trouble.error.join(": ")
}
