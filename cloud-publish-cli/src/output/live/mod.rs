//! What is being done, as lines at the bottom of a terminal: one for each transfer, a total, and nothing when all is done.

mod board;
mod fit;
mod painter;
mod screen;
mod task;
mod total;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloud_publish_core::clock::Clock;
use cloud_publish_core::event::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use self::board::Board;
use self::screen::Screen;

/// How often the lines are painted: rates and times change even when nothing happens.
const EVERY: Duration = Duration::from_millis(100);

/// The name of the only part of the display.
const BOARD: &str = "board";

/// The display.
#[derive(Debug)]
pub(super) struct Live {
    board: Arc<Mutex<Board>>,
    clock: Arc<dyn Clock>,
}

impl Live {
    /// A display that shows nothing yet.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { board: Arc::default(), clock }
    }

    /// Takes an event in; paints nothing.
    pub(super) fn hear(&self, event: &Event, now: Duration) {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).hear(event, now);
    }

    /// Begins to paint.
    pub(super) fn bar(&self) -> ProgressBar {
        let (board, clock) = (self.board.clone(), self.clock.clone());
        let write = move |_: &ProgressState, to: &mut dyn fmt::Write| {
            let lines = board.lock().unwrap_or_else(PoisonError::into_inner).lines(clock.elapsed(), screen::size());
            // Writing to a text cannot fail.
            to.write_str(&lines.join("\n")).unwrap_or_default();
        };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(Screen::default())));
        // The template is a constant; should it ever be wrong, `indicatif`'s own line is shown.
        let style =
            ProgressStyle::with_template(&format!("{{{BOARD}}}")).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key(BOARD, write));
        bar.enable_steady_tick(EVERY);
        bar
    }
}
