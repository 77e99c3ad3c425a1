//! How long a program takes and what it uses, as the kernel accounts for it. Judges nothing.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

/// Runs its arguments, which must succeed, and prints what they used as JSON.
const SCRIPT: &str = "
import json, resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
wall, used = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'wall': wall, 'cpu': used.ru_utime + used.ru_stime, 'memory': used.ru_maxrss}))
";

/// What one run of a program took.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Used {
    wall: f64,
    cpu: f64,
    memory: u64,
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
        let mut memory: Vec<u64> = runs.iter().map(|run| run.memory).collect();
        memory.sort_unstable();
        Self { wall: middle(|run| run.wall), cpu: middle(|run| run.cpu), memory: memory[memory.len() / 2] }
    }
}

/// Runs a prepared program and measures it. Its standard output is thrown away.
///
/// # Panics
/// If it cannot be started or fails.
pub fn measure(program: &Command) -> Used {
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
    assert!(output.status.success(), "{program:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("what was used")
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Used, measure};

    #[test]
    fn waiting_takes_time_and_no_processor() {
        let used = measure(Command::new("sleep").arg("0.3"));
        assert!(used.wall() >= Duration::from_millis(300) && used.cpu() < Duration::from_millis(200), "{used:?}");
        assert!(used.memory() > 0);
    }

    #[test]
    fn the_median_is_the_middle_of_each_figure() {
        let run = |wall: u32, memory| Used { wall: f64::from(wall), cpu: 0.0, memory };
        let median = Used::median(&[run(9, 1), run(1, 5), run(2, 3)]);
        assert_eq!((median.wall(), median.memory()), (Duration::from_secs(2), 3));
    }
}
