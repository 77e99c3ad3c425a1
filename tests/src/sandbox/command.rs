//! Runs the command, hands signals on, and tells how it ended.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process};

use super::signals::Signals;

/// How often to look whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A variable of its environment; without a value it is removed.
pub(super) type Variable = (OsString, Option<OsString>);

/// Runs the command in a folder until it ends; tells its exit code, or 128 and the number of the signal that ended it.
pub(super) fn run(
    command: &[OsString],
    folder: &Path,
    environment: &[Variable],
    signals: &Signals,
) -> Result<u8, String> {
    let (program, arguments) = command.split_first().ok_or("no command is named")?;
    let mut prepared = Command::new(program);
    prepared.args(arguments).current_dir(folder);
    for (name, value) in environment {
        match value {
            Some(value) => prepared.env(name, value),
            None => prepared.env_remove(name),
        };
    }
    let mut child = prepared.spawn().map_err(|error| refused(program, &error))?;
    let pid = Pid::from_child(&child);
    loop {
        if let Some(ended) = child.try_wait().map_err(|error| format!("cannot wait for the command: {error}"))? {
            return Ok(code(ended));
        }
        let Some(signal) = signals.next(LOOK) else { continue };
        // A terminal's Ctrl-C has reached the command too: twice would mean something else.
        if ![Signal::INT, Signal::QUIT].contains(&signal) || !has_terminal() {
            // Nobody has waited for it: the number is still its own.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Tells whether a terminal sends its signals to this program, and so to the command.
fn has_terminal() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp())
}

fn refused(program: &OsString, error: &io::Error) -> String {
    let name = program.to_string_lossy();
    let hint = match error.kind() {
        io::ErrorKind::NotFound if name == "publish" => "\nhint: cargo build --workspace --bins builds it",
        _ => "",
    };
    format!("cannot run {name}: {error}{hint}")
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
