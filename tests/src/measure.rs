//! How long a program takes and what it uses, as the kernel accounts for it. Judges nothing.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

/// Runs its arguments and prints what they used as JSON. What the program read is asked while it is a zombie: it has ended
/// and is still accounted for. One that takes hours is ended.
const SCRIPT: &str = "
import json, os, subprocess, sys, threading, time
begun = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
late = threading.Timer(3600, child.kill)
late.start()
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
late.cancel()
wall = time.monotonic() - begun
read = next(int(line.split()[1]) for line in open(f'/proc/{child.pid}/io') if line.startswith('rchar'))
_, status, used = os.wait4(child.pid, 0)
cpu = used.ru_utime + used.ru_stime
code = os.waitstatus_to_exitcode(status)
print(json.dumps({'code': code, 'used': {'wall': wall, 'cpu': cpu, 'memory': used.ru_maxrss, 'read': read}}))
";

/// How a run of a program ended.
#[derive(Debug, Clone, Deserialize)]
pub struct Ended {
    /// The exit code; less than 0 when a signal ended it.
    pub code: i32,
    /// What it took.
    pub used: Used,
    /// What it printed to standard error.
    #[serde(skip)]
    pub err: String,
}

/// What one run of a program took.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Used {
    wall: f64,
    cpu: f64,
    memory: u64,
    read: u64,
}

impl Used {
    /// From its start to its end.
    pub fn wall(self) -> Duration {
        Duration::from_secs_f64(self.wall)
    }

    /// On all processors, in user and in kernel mode.
    pub fn cpu(self) -> Duration {
        Duration::from_secs_f64(self.cpu)
    }

    /// The most memory it had at a time, in KiB. The kernel counts the moment before the program was loaded too, so
    /// this is never less than the 10 MiB of the Python that started it.
    pub fn memory(self) -> u64 {
        self.memory
    }

    /// How many bytes it asked the kernel to read, from files and otherwise; the zeros of a hole that is read count.
    pub fn read(self) -> u64 {
        self.read
    }

    /// What is left of it without another run: of the memory all.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        let (wall, cpu) = ((self.wall - other.wall).max(0.0), (self.cpu - other.cpu).max(0.0));
        Self { wall, cpu, memory: self.memory, read: self.read.saturating_sub(other.read) }
    }

    /// Of an odd number of runs the middle one, each figure by itself.
    ///
    /// # Panics
    /// If there are none.
    pub fn median(runs: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = runs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let count = |figure: fn(&Self) -> u64| {
            let mut figures: Vec<u64> = runs.iter().map(figure).collect();
            figures.sort_unstable();
            figures[figures.len() / 2]
        };
        let (wall, cpu) = (middle(|run| run.wall), middle(|run| run.cpu));
        Self { wall, cpu, memory: count(|run| run.memory), read: count(|run| run.read) }
    }
}

/// Runs a prepared program and measures it. Its standard output is thrown away.
///
/// # Panics
/// If it cannot be started or fails.
pub fn measure(program: &Command) -> Used {
    let ended = run(program);
    assert_eq!(ended.code, 0, "{program:?} failed: {}", ended.err);
    ended.used
}

/// The same for a program that may fail.
///
/// # Panics
/// If it cannot be started.
pub fn run(program: &Command) -> Ended {
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT]).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program:?} was not measured: {err}");
    Ended { err, ..serde_json::from_slice(&output.stdout).expect("what was used") }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Used, measure, run};

    #[test]
    fn waiting_takes_time_and_no_processor() {
        let used = measure(Command::new("sleep").arg("0.3"));
        assert!(used.wall() >= Duration::from_millis(300) && used.cpu() < Duration::from_millis(200), "{used:?}");
        assert!(used.memory() > 0);
    }

    #[test]
    fn what_a_program_reads_and_how_it_fails_is_told() {
        let ended = run(Command::new("sh").args(["-c", "head -c 1000000 /dev/zero; echo why >&2; exit 7"]));
        assert_eq!((ended.code, ended.err.trim()), (7, "why"));
        assert!((1_000_000..2_000_000).contains(&ended.used.read()), "{ended:?}");
    }

    #[test]
    fn the_median_is_the_middle_of_each_figure() {
        let run = |wall: u32, memory| Used { wall: f64::from(wall), cpu: 0.0, memory, read: 0 };
        let median = Used::median(&[run(9, 1), run(1, 5), run(2, 3)]);
        assert_eq!((median.wall(), median.memory()), (Duration::from_secs(2), 3));
    }
}
