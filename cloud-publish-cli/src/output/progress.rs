//! What happens during a run, as a display for people and as events for programs.

use std::sync::Arc;

use cloud_publish_core::clock::Clock;
use cloud_publish_core::event::{Event, Reporter};

use super::clean::{clean, line_of};
use super::console::Console;
use super::live::Live;
use super::plain::Plain;
use super::style::{Word, paint};
use crate::settings::Display;

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
    people: People,
}

/// What people see.
#[derive(Debug)]
enum People {
    Live(Live),
    Plain(Plain),
    Nothing,
}

impl Progress {
    /// Prints on a console what people want to see, and with `--json` events if `show` says so.
    pub(crate) fn new(console: Arc<Console>, clock: Arc<dyn Clock>, (show, display): (Show, Display)) -> Self {
        let events = console.is_json() && show == Show::Events;
        let people = match display {
            Display::Live => People::Live(Live::new(clock.clone())),
            Display::Plain => People::Plain(Plain::default()),
            Display::None => People::Nothing,
        };
        Self { console, clock, events, people }
    }
}

impl Reporter for Progress {
    fn report(&self, event: &Event) {
        if self.events {
            self.console.json(event);
        }
        if let Some(text) = warning(event) {
            self.console.complain(&text);
        }
        let now = self.clock.elapsed();
        let line = match &self.people {
            People::Nothing => None,
            People::Plain(plain) => lasting(event).or_else(|| plain.line(event, now)),
            People::Live(live) => {
                live.hear(event, now);
                self.console.display(|| live.bar());
                lasting(event)
            }
        };
        if let Some(line) = line {
            self.console.say(&line);
        }
    }
}

/// A warning, which is shown in any case.
fn warning(event: &Event) -> Option<String> {
    let Event::Warning { target, region, message, hint } = event else { return None };
    let target = target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default();
    let region = region.as_ref().map(|region| format!("{region}: ")).unwrap_or_default();
    let warning = clean(&format!("{target}{region}{message}"));
    let mut text = format!("{} {warning}\n", paint(Word::Warning, "warning:"));
    if let Some(hint) = hint {
        text.push_str(&format!("{} {}\n", paint(Word::Good, "hint:"), clean(hint)));
    }
    Some(text)
}

/// What must stay readable even where the rest changes in place.
fn lasting(event: &Event) -> Option<String> {
    match event {
        Event::WaitingForLease { place, holder } => {
            Some(format!("{}\n", line_of(&format!("waiting for another run at {place}: {holder}"))))
        }
        Event::StepFailed { step, required, trouble } => {
            let (word, colour) = if *required { ("FAILED", Word::Bad) } else { ("failed", Word::Warning) };
            let what = line_of(&format!("{step}: {}", trouble.error.join(": ")));
            Some(format!("{} {what}\n", paint(colour, word)))
        }
        Event::StepWaits { step, trouble } => {
            let what = line_of(&format!("{step}: {}", trouble.error.join(": ")));
            Some(format!("{}  {what}\n", paint(Word::Warning, "waits")))
        }
        _ => None,
    }
}
