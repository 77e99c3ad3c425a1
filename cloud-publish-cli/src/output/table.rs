//! Tables of plain aligned columns: to be read, and to be cut with awk. Ids stand last: a directory's are as long as paths,
//! and would push what follows them out of a terminal.

use super::clean::clean;
use super::style::{Word, paint};

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
}

impl Table {
    /// A table without rows yet.
    pub(crate) fn new<const N: usize>(headings: [&'static str; N]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Word); N]) -> &mut Self {
        let cell = |(text, word): (&str, Word)| Cell {
            text: if text.is_empty() { "-".to_owned() } else { clean(text).replace('\n', " ") },
            word,
        };
        self.rows.push(Row { cells: cells.map(cell).into(), notes: Vec::new() });
        self
    }

    /// Adds a line under the last row.
    pub(crate) fn note(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(clean(text).replace('\n', " "));
        }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text; each line ends with a line end.
    pub(crate) fn render(&self) -> String {
        let column = |index: usize| self.rows.iter().filter_map(move |row| row.cells.get(index));
        let widths: Vec<usize> = self
            .headings
            .iter()
            .enumerate()
            .map(|(index, heading)| column(index).map(|cell| width(&cell.text)).max().unwrap_or(0).max(width(heading)))
            .collect();
        let headings = self.headings.iter().map(|heading| (*heading, Word::Heading)).collect::<Vec<_>>();
        let mut text = line(&headings, &widths);
        for row in &self.rows {
            let cells: Vec<(&str, Word)> = row.cells.iter().map(|cell| (cell.text.as_str(), cell.word)).collect();
            text.push_str(&line(&cells, &widths));
            for note in &row.notes {
                text.push_str(&format!("    {note}\n"));
            }
        }
        text
    }
}

fn line(cells: &[(&str, Word)], widths: &[usize]) -> String {
    let mut text = String::new();
    let last = cells.len().saturating_sub(1);
    for (index, ((cell, word), wide)) in cells.iter().zip(widths).enumerate() {
        text.push_str(&paint(*word, cell));
        if index < last {
            text.extend(std::iter::repeat_n(' ', (wide + 2).saturating_sub(width(cell))));
        }
    }
    text.push('\n');
    text
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::{Table, Word};

    #[test]
    fn columns_are_aligned_whatever_their_colours() {
        let mut table = Table::new(["TARGET", "STATE"]);
        table.row([("a-long-name", Word::Good), ("published", Word::Bad)]);
        table.note("why");
        table.row([("", Word::Plain), ("x\n\u{1b}", Word::Plain)]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "TARGET       STATE\na-long-name  published\n    why\n-            x \\u{1b}\n");
    }
}
