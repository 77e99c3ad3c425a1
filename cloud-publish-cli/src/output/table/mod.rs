//! Tables of aligned columns: to be read, and to be cut with awk.
//!
//! Where the room is short a table gives way in a fixed order, see [`layout`]; ids are never cut nor broken.

mod layout;

use self::layout::Layout;
use super::clean::{clean, line_of};
use super::size::wrap;
use super::style::{Word, paint};

/// How far what belongs to a row stands to the right of it.
const INDENT: usize = 4;

#[derive(Debug)]
struct Cell {
    text: String,
    word: Word,
}

#[derive(Debug)]
struct Row {
    cells: Vec<Cell>,
    /// Lines under the row.
    notes: Vec<String>,
}

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Row>,
    /// Columns that are left out when the room is short, in this order.
    expendable: Vec<&'static str>,
    is_grouped: bool,
    is_prose: bool,
}

impl Table {
    /// A table without rows yet. The last column is for what is long: an id, unless [`Self::prose`] says otherwise.
    pub(crate) fn new<const N: usize>(headings: [&'static str; N]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
            expendable: Vec::new(),
            is_grouped: false,
            is_prose: false,
        }
    }

    /// Columns that may be left out when the room is short, the first one first.
    pub(crate) fn expendable<const N: usize>(mut self, headings: [&'static str; N]) -> Self {
        self.expendable = headings.to_vec();
        self
    }

    /// Shows the first column as headings of groups however much room there is.
    pub(crate) fn grouped(mut self) -> Self {
        self.is_grouped = true;
        self
    }

    /// The last column has sentences: they may be broken between words.
    pub(crate) fn prose(mut self) -> Self {
        self.is_prose = true;
        self
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Word); N]) -> &mut Self {
        let cell = |(text, word): (&str, Word)| Cell {
            text: if text.is_empty() { "-".to_owned() } else { line_of(text) },
            word,
        };
        self.rows.push(Row { cells: cells.map(cell).into(), notes: Vec::new() });
        self
    }

    /// Adds a line under the last row.
    pub(crate) fn note(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(line_of(text));
        }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text in so many columns, or in as many as it needs; each line ends with a line end.
    pub(crate) fn render(&self, columns: Option<usize>) -> String {
        let layout = Layout::choose(self, columns);
        let room = columns.unwrap_or(usize::MAX);
        let mut text = String::new();
        if !layout.common.is_empty() {
            let common: Vec<String> = layout.common.iter().map(|index| self.stated_once(*index)).collect();
            let common = hanging(&format!("everywhere: {}", common.join(", ")), (0, INDENT), room);
            text.push_str(&format!("{}\n", paint(Word::Heading, common.trim_end())));
        }
        let headings: Vec<(&str, Word)> =
            layout.shown.iter().filter_map(|index| Some((*self.headings.get(*index)?, Word::Heading))).collect();
        text.push_str(&self.line(&headings, &layout, room));
        let mut group = None;
        for row in &self.rows {
            let own = layout.group.and_then(|index| row.cells.get(index)).map(|cell| cell.text.as_str());
            if own != group {
                group = own;
                text.extend(own.map(|name| format!("{}\n", paint(Word::Heading, &format!("{name}:")))));
            }
            let cells = layout.shown.iter().filter_map(|index| row.cells.get(*index));
            let cells: Vec<(&str, Word)> = cells.map(|cell| (cell.text.as_str(), cell.word)).collect();
            text.push_str(&self.line(&cells, &layout, room));
            for note in &row.notes {
                text.push_str(&hanging(note, (INDENT, INDENT), room));
            }
        }
        text
    }

    /// A column whose rows all say the same: `arch amd64`.
    fn stated_once(&self, index: usize) -> String {
        let heading = self.headings.get(index).map(|heading| heading.to_lowercase()).unwrap_or_default();
        let value = self.rows.first().and_then(|row| row.cells.get(index)).map_or("", |cell| cell.text.as_str());
        format!("{heading} {value}")
    }

    fn line(&self, cells: &[(&str, Word)], layout: &Layout, room: usize) -> String {
        let mut text = String::new();
        let last = cells.len().saturating_sub(1);
        for (index, ((cell, word), wide)) in cells.iter().zip(&layout.widths).enumerate() {
            if index < last {
                text.push_str(&paint(*word, cell));
                text.extend(std::iter::repeat_n(' ', (wide + layout::GAP).saturating_sub(width(cell))));
                continue;
            }
            let before = layout.before_last();
            if before + width(cell) <= room || cells.len() == 1 {
                text.push_str(&format!("{}\n", paint(*word, cell)));
            } else if self.is_prose {
                let sentence = hanging(cell, (0, before), room);
                text.push_str(&paint(*word, sentence.trim_end_matches('\n')));
                text.push('\n');
            } else {
                let rest = format!("{:INDENT$}{}", "", paint(*word, cell));
                text = format!("{}\n{rest}\n", text.trim_end());
            }
        }
        text
    }
}

/// A sentence over several lines, the first one `first` characters to the right, the others `then`. Where there is hardly any
/// room it is left to the terminal.
fn hanging(text: &str, (first, then): (usize, usize), room: usize) -> String {
    let wide = room.saturating_sub(then).max(20);
    let mut lines = String::new();
    for (index, line) in wrap(text, wide).iter().enumerate() {
        let indent = if index == 0 { first } else { then };
        lines.push_str(&format!("{:indent$}{line}\n", ""));
    }
    clean(&lines)
}

/// How many characters wide a text is.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests;
