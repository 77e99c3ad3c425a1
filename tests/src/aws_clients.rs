//! AWS's own clients, as `tests/run` installs them: they check the fake, and say what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths;

/// The Python that has boto3 and awspub.
pub fn python() -> PathBuf {
    paths::cache().join("aws/bin/python")
}

/// coldsnap, which writes and reads snapshots block by block.
pub fn coldsnap() -> PathBuf {
    paths::cache().join("coldsnap/bin/coldsnap")
}

/// A command with this environment for its AWS client and nothing else of AWS's.
pub fn command(program: impl AsRef<Path>, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program.as_ref());
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs a script of `tests/servers/aws` to its end.
///
/// # Panics
/// If it is not installed, or says that something is wrong: with all that it printed.
pub fn script(name: &str, environment: &[(String, String)]) -> String {
    script_with(name, environment, &[])
}

/// Runs a script with arguments.
///
/// # Panics
/// Like [`script`].
pub fn script_with(name: &str, environment: &[(String, String)], arguments: &[&str]) -> String {
    let folder = paths::of_tests("servers/aws");
    let done = command(python(), environment)
        .arg(folder.join(name))
        .args(arguments)
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}: start the tests with tests/run", python().display()));
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{name}: {}\n{said}", done.status);
    said
}
