//! The two streams: who hears what, and what happens when nobody listens any more.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressBar;
use serde::Serialize;

use super::clean::without_secrets;
use crate::args::{Colour, Global};

/// Standard output and standard error, written a whole text at a time.
#[derive(Debug)]
pub(crate) struct Console {
    out: Mutex<AutoStream<io::Stdout>>,
    err: Mutex<AutoStream<io::Stderr>>,
    json: bool,
    quiet: bool,
    /// What is painted below everything else while something is being done.
    live: Mutex<Option<ProgressBar>>,
    /// Whether an answer is waited for.
    asking: AtomicBool,
    /// The first failure of standard output.
    lost: Mutex<Option<io::Error>>,
}

/// A question that waits for its answer.
#[derive(Debug)]
pub(crate) struct Asking<'a>(&'a Console);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::Release);
    }
}

impl Console {
    /// The process's own streams.
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Self {
            out: Mutex::new(AutoStream::new(io::stdout(), choice)),
            err: Mutex::new(AutoStream::new(io::stderr(), choice)),
            json: global.json,
            quiet: global.quiet,
            live: Mutex::default(),
            asking: AtomicBool::new(false),
            lost: Mutex::default(),
        }
    }

    /// Whether standard output carries JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only what is wrong is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints data: on standard output, or with `--json` for people.
    pub(crate) fn data(&self, text: &str) {
        if self.json { self.say(text) } else { self.write_out(text) }
    }

    /// Prints one JSON object as a line of standard output.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => self.write_out(&format!("{}\n", without_secrets(&line))),
            Err(error) => self.lose(error.into()),
        }
    }

    /// Tells people, unless they want to hear only what is wrong.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.write_err(text);
        }
    }

    /// Tells people what is wrong, unless a program hears it in their place.
    pub(crate) fn complain(&self, text: &str) {
        if !(self.quiet && self.json) {
            self.write_err(text);
        }
    }

    /// Tells people in any case: a question, a signal.
    pub(crate) fn insist(&self, text: &str) {
        self.write_err(text);
    }

    /// Asks a person; the question lasts as long as what is returned.
    pub(crate) fn ask(&self, question: &str) -> Asking<'_> {
        self.asking.store(true, Ordering::Release);
        self.write_err(question);
        Asking(self)
    }

    /// Whether a question waits for its answer.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Acquire)
    }

    /// Whether somebody can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// What kept standard output from being written; a reader that went away is no failure.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Paints a display below everything else from now on, unless one is painted already.
    pub(crate) fn display(&self, bar: impl FnOnce() -> ProgressBar) {
        self.live().get_or_insert_with(bar);
    }

    /// Takes the display away: what comes now is a result, or a question.
    pub(crate) fn settle(&self) {
        if let Some(bar) = self.live().take() {
            bar.finish_and_clear();
        }
    }

    fn live(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes above the display.
    fn above(&self, write: impl FnOnce()) {
        let live = self.live();
        match live.as_ref() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn write_out(&self, text: &str) {
        self.above(|| {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                self.lose(error);
            }
        });
    }

    /// Standard error that cannot be written leaves nobody to tell.
    fn write_err(&self, text: &str) {
        self.above(|| {
            let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
            let written = err.write_all(text.as_bytes()).and_then(|()| err.flush());
            drop(written);
        });
    }

    fn lose(&self, error: io::Error) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}
