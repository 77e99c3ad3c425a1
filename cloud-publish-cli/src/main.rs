//! The `publish` command.
fn main() {}
