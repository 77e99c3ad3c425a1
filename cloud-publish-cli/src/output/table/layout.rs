//! What of a table is shown in the room that there is.
//!
//! Everything, if it fits. Else, one after the other until it does: the first column becomes headings of groups; columns whose
//! rows all say the same are stated once, above; expendable columns are left out. What then still is too long has its last
//! cell on a line of its own.

use std::collections::BTreeSet;

use super::{Table, width};

/// What stands between two columns.
pub(super) const GAP: usize = 2;

/// A last cell that is longer than this, such as a path, has its own line wherever it does not fit, and makes nothing else give
/// way: the ids of clouds are shorter.
const LONGEST_ID: usize = 40;

/// The columns of a table by how they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The column whose values are headings.
    pub(super) group: Option<usize>,
    /// Columns stated once.
    pub(super) common: Vec<usize>,
    /// Columns shown as such.
    pub(super) shown: Vec<usize>,
    /// Their widths.
    pub(super) widths: Vec<usize>,
}

impl Layout {
    /// The fullest layout that fits.
    pub(super) fn choose(table: &Table, room: Option<usize>) -> Self {
        let all: Vec<usize> = (0..table.headings.len()).collect();
        let mut layout = Self { shown: all, ..Self::default() };
        if table.is_grouped {
            layout.group(table);
        }
        layout.measure(table);
        let Some(room) = room else { return layout };
        if !layout.fits(table, room) {
            layout.group(table);
        }
        if !layout.fits(table, room) {
            layout.state_once(table);
        }
        for heading in &table.expendable {
            if layout.fits(table, room) {
                break;
            }
            layout.shown.retain(|index| table.headings.get(*index) != Some(heading));
            layout.common.retain(|index| table.headings.get(*index) != Some(heading));
            layout.measure(table);
        }
        layout
    }

    /// How far to the right the last column begins.
    pub(super) fn before_last(&self) -> usize {
        let (_, before) = self.widths.split_last().unwrap_or((&0, &[]));
        before.iter().map(|width| width + GAP).sum()
    }

    /// Makes headings of the first column, if there are several groups and not only of one row each.
    fn group(&mut self, table: &Table) {
        let names: BTreeSet<&str> = column(table, 0).collect();
        let is_sorted = column(table, 0).zip(column(table, 0).skip(1)).filter(|(one, next)| one != next).count();
        let is_worth_it = table.is_grouped || (2..table.rows.len()).contains(&names.len());
        if self.group.is_none() && is_worth_it && is_sorted < names.len() {
            self.group = Some(0);
            self.shown.retain(|index| *index != 0);
            self.measure(table);
        }
    }

    fn state_once(&mut self, table: &Table) {
        let last = self.shown.last().copied();
        let is_common = |index: &usize| {
            Some(*index) != last && table.rows.len() > 1 && column(table, *index).collect::<BTreeSet<&str>>().len() == 1
        };
        self.common = self.shown.iter().copied().filter(is_common).collect();
        self.shown.retain(|index| !self.common.contains(index));
        self.measure(table);
    }

    fn measure(&mut self, table: &Table) {
        let heading = |index: &usize| table.headings.get(*index).map_or(0, |heading| width(heading));
        let widest = |index: &usize| column(table, *index).map(width).max().unwrap_or(0).max(heading(index));
        self.widths = self.shown.iter().map(widest).collect();
    }

    fn fits(&self, table: &Table, room: usize) -> bool {
        let Some(last) = self.shown.last() else { return true };
        let longest = column(table, *last).map(width).filter(|wide| *wide <= LONGEST_ID).max().unwrap_or(0);
        self.before_last() + longest <= room
    }
}

fn column(table: &Table, index: usize) -> impl Iterator<Item = &str> {
    table.rows.iter().filter_map(move |row| row.cells.get(index)).map(|cell| cell.text.as_str())
}
