//! Printing: data for pipes on standard output, words for people on standard error.
//!
//! Everything that is printed goes through one [`Console`]. A reader that went away ends the printing, never the run.

mod chain;
mod clean;
mod console;
mod csv;
mod findings;
mod live;
mod outlook;
mod plain;
mod plan;
mod progress;
mod rate;
mod size;
mod standing;
mod style;
mod summary;
mod table;
mod terminal;

pub(crate) use self::chain::{failure_text, halt_text};
pub(crate) use self::console::Console;
pub(crate) use self::csv::csv_of;
pub(crate) use self::findings::remarks;
pub(crate) use self::outlook::{outlook, remedy};
pub(crate) use self::plan::{plan_in_brief, plan_in_full};
pub(crate) use self::progress::{Progress, Show};
pub(crate) use self::size::count;
pub(crate) use self::standing::{Known, colour, words};
pub(crate) use self::style::Word;
pub(crate) use self::summary::{SummaryLine, images_table, summary_text};
pub(crate) use self::table::Table;
pub(crate) use self::terminal::size_of;
