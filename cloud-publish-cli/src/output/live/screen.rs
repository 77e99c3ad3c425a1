//! Standard error as `indicatif` wants to see it. `indicatif` decides when something is painted, and keeps it away from what
//! others print; a [`Painter`] decides how, which leaves nothing behind on a terminal that changes its size.

use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

use super::painter::Painter;
use crate::output::terminal::{Size, size_of};

/// The size when a terminal does not say it.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// The size of the terminal behind standard error.
pub(super) fn size() -> Size {
    size_of(&io::stderr()).unwrap_or(USUAL)
}

/// The terminal behind standard error.
#[derive(Debug, Default)]
pub(super) struct Screen {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    painter: Painter,
    /// The lines of the frame that is being drawn.
    next: Vec<String>,
}

impl Screen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(size().columns).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::MAX
    }

    fn move_cursor_up(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    /// Takes a line. What fills a line up with blanks comes on its own, and is not wanted.
    fn write_str(&self, text: &str) -> io::Result<()> {
        if !text.trim().is_empty() {
            self.state().next.push(text.to_owned());
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        let lines = std::mem::take(&mut state.next);
        let text = state.painter.paint(lines, size().columns);
        if text.is_empty() {
            return Ok(());
        }
        let mut err = io::stderr().lock();
        err.write_all(text.as_bytes())?;
        err.flush()
    }
}
