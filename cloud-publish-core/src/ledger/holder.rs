//! Who holds a lease, and whether that process is certainly dead.
//!
//! Reads `/proc`; where there is none, nobody is ever known to be dead and patience decides.

use std::fmt::{self, Display, Formatter};
use std::fs;

use jiff::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::ledger::RunId;

/// The process that holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine's name: for people, and to tell machines apart.
    pub host: String,
    /// What names this boot of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// What names the process's container, within the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_namespace: Option<String>,
    /// The process's number within its container.
    pub pid: u32,
    /// When the process started, in clock ticks since boot: tells it from a later one with the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// Its run.
    pub run: RunId,
    /// When it wanted the lease, by its own clock: for people.
    pub since: Timestamp,
}

impl Holder {
    /// This very process, on behalf of a run.
    ///
    /// # Behaviour
    /// Reads `/proc`; what it does not say stays unknown.
    pub fn this_process(run: RunId, since: Timestamp) -> Self {
        let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let pid = std::process::id();
        Self {
            host: read("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".into()),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            pid_namespace: fs::read_link("/proc/self/ns/pid").ok().map(|link| link.to_string_lossy().into_owned()),
            pid,
            start_time: Process::read(pid).map(|process| process.start_time),
            run,
            since,
        }
    }

    /// Whether this holder ran where `here` runs (same host, boot and container) and is no more.
    ///
    /// `false` whenever anything needed for the answer is not known.
    pub fn is_dead_beside(&self, here: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let Some(start_time) = self.start_time else { return false };
        self.host == here.host
            && same(&self.boot_id, &here.boot_id)
            && same(&self.pid_namespace, &here.pid_namespace)
            && is_gone(self.pid, start_time)
    }
}

impl Display for Holder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} (run {}, since {:.0})", self.pid, self.host, self.run, self.since)
    }
}

fn is_gone(pid: u32, start_time: u64) -> bool {
    // `/proc` may hide processes of other users (hidepid); asking the kernel by signal 0 does not.
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    if test_kill_process(number) == Err(Errno::SRCH) {
        return true;
    }
    Process::read(pid).is_some_and(|process| process.start_time != start_time || process.has_ended)
}

/// What `/proc/PID/stat` says: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
struct Process {
    start_time: u64,
    /// It is a zombie that waits for its parent, and no thread of it is left.
    has_ended: bool,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Field 2, the name in parentheses, may hold anything, also parentheses: count from behind the last one.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let threads: u64 = field(20)?.parse().ok()?;
        Some(Self {
            start_time: field(22)?.parse().ok()?,
            has_ended: matches!(field(3)?, "Z" | "X" | "x") && threads <= 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Holder, Process};
    use crate::clock::{Clock, SystemClock};
    use crate::ledger::RunId;

    fn this() -> Holder {
        let clock = SystemClock::new();
        Holder::this_process(RunId::generate(&clock), clock.now())
    }

    #[test]
    fn a_killed_process_is_dead_before_and_after_its_parent_has_noticed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let start_time = Some(Process::read(child.id()).unwrap().start_time);
        let holder = Holder { pid: child.id(), start_time, ..this() };
        assert!(!holder.is_dead_beside(&this()));
        child.kill().unwrap();
        let mut patience = 0..100_000_000_u32;
        assert!(patience.any(|_| holder.is_dead_beside(&this())), "a zombie counts as dead");
        child.wait().unwrap();
        assert!(holder.is_dead_beside(&this()));
    }

    #[test]
    fn a_later_process_with_the_same_number_is_another_one() {
        let holder = Holder { start_time: this().start_time.map(|time| time - 1), ..this() };
        assert!(holder.is_dead_beside(&this()));
    }

    #[test]
    fn nobody_is_dead_as_seen_from_another_machine_boot_or_container() {
        let dead = Holder { start_time: Some(1), ..this() };
        assert!(dead.is_dead_beside(&this()));
        for elsewhere in [
            Holder { host: "elsewhere".into(), ..this() },
            Holder { boot_id: Some("another".into()), ..this() },
            Holder { pid_namespace: Some("pid:[1]".into()), ..this() },
        ] {
            assert!(!dead.is_dead_beside(&elsewhere), "{elsewhere:?}");
        }
        for unknown in [Holder { boot_id: None, ..dead.clone() }, Holder { start_time: None, ..dead }] {
            assert!(!unknown.is_dead_beside(&Holder { boot_id: None, ..this() }), "{unknown:?}");
        }
    }
}
