//! How large a terminal is, asked anew each time: people change it while the command runs.

use std::os::fd::AsFd;

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Characters in a line.
    pub(crate) columns: usize,
    /// Lines.
    pub(crate) rows: usize,
}

/// The size of the terminal that a stream leads to; none when it leads elsewhere.
pub(crate) fn size_of(stream: &impl AsFd) -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| Size { columns: size.ws_col.into(), rows: size.ws_row.into() })
}
