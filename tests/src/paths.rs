//! Where things are in the project. Makes nothing.

use std::path::{Path, PathBuf};

/// Returns the root of the project, the folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the project's root")
}

/// Returns the git-ignored folder where `tests/run` keeps what it downloads and builds.
pub fn cache() -> PathBuf {
    root().join(".cache")
}

/// Returns a file or folder below `tests/`.
pub(crate) fn of_tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
