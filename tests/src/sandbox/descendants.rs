//! Everything that the command started, also what it left behind: this process adopts what loses its parent.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

/// So long may a process take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// Makes this process the parent of its descendants' orphans.
/// <https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html>
pub(super) fn adopt() -> Result<(), String> {
    set_child_subreaper(Some(getpid())).map_err(|error| format!("cannot follow what the command starts: {error}"))
}

/// Ends all children but these, and the children that they leave, first gently.
pub(super) fn end_all(but: &[Pid]) {
    let begun = Instant::now();
    let mut told = BTreeSet::new();
    loop {
        let children: Vec<Pid> = children().into_iter().filter(|child| !but.contains(child)).collect();
        if children.is_empty() {
            return;
        }
        for child in children {
            // Only a child of ours that nobody has waited for has this number.
            if begun.elapsed() > GRACE {
                let _ = kill_process(child, Signal::KILL);
            } else if told.insert(child.as_raw_nonzero()) {
                let _ = kill_process(child, Signal::TERM);
            }
            let _ = waitpid(Some(child), WaitOptions::NOHANG);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes whose parent this one is.
fn children() -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|number| parent(*number) == Some(getpid().as_raw_nonzero().get()))
        .filter_map(Pid::from_raw)
        .collect()
}

/// The fourth field of `/proc/PID/stat`; the second is a name in brackets that may hold anything.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn parent(process: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
