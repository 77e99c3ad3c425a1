//! The `publish` binary as people and scripts meet it: exit code, standard output, standard error, and what it leaves.
//!
//! Each test has a folder of its own with a configuration, a release of one or two small raw disks, and the target `local`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod check;
mod documents;
mod find;
mod formats;
mod gate;
mod import_debian;
mod json;
mod lookups;
mod output;
mod place;
mod publish;
mod refusals;
mod secrets;
mod signals;
mod terminal;
