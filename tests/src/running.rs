//! A run of the binary that goes on while the test does something else, until it ends or is killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::site::Ran;

/// A run that takes longer hangs: an undisturbed one takes seconds.
const PATIENCE: Duration = Duration::from_secs(240);

/// A run that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Starts a prepared command that writes what it prints into files of this name, with an end each, in a folder.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let [out, err] = ["out", "err"].map(|end| folder.join(format!("{name}.{end}")));
        let file = |path: &Path| File::create(path).expect("a file for what it prints");
        command.stdout(file(&out)).stderr(file(&err));
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        Self { child, out, err }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it hangs, showing what it printed.
    pub fn wait(mut self) -> Ran {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Ran::of(&Output { status, stdout: read(&self.out), stderr: read(&self.err) });
            }
            if begun.elapsed() > PATIENCE {
                self.child.kill().expect("a child of ours");
                self.child.wait().expect("a child of ours");
                let printed = [read(&self.out), read(&self.err)].concat();
                panic!("a run hangs; it printed\n{}", String::from_utf8_lossy(&printed));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether it has ended by itself.
    ///
    /// # Panics
    /// If the system does not know it.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    /// Kills it; tells whether it was still running.
    ///
    /// # Panics
    /// If the system does not know it.
    pub fn kill(mut self) -> bool {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours").code().is_none()
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the file that it prints into")
}
