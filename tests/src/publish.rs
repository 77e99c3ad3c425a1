//! The `publish` binary that was built together with the tests. Builds none.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Returns the path of the binary of the same profile as the running test or program.
///
/// # Panics
/// If it has not been built, saying how to.
pub fn binary() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    // target/debug/deps/rig-0123 or target/debug/bench -> target/debug/publish
    let folder = test.parent().expect("a program lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent().expect("a target folder") } else { folder };
    let binary = profile.join(format!("publish{}", env::consts::EXE_SUFFIX));
    assert!(
        binary.exists(),
        "{} has not been built: start the tests with tests/run, or run `cargo build --workspace --bins` first",
        binary.display()
    );
    binary
}

/// Prepares to run the binary; it inherits the environment, so it finds the servers.
///
/// # Panics
/// Like [`binary`].
pub fn command() -> Command {
    Command::new(binary())
}
