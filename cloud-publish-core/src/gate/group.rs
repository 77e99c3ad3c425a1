//! A process group that does not outlive its command, nor us.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

/// Waits until its standard input ends, which it does when we are no more; then ends the group `$1` as we would.
const WATCHDOG: &str = "read -r line || :
kill -TERM \"-$1\"
for second in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"-$1\" || exit 0; sleep 1; done
kill -KILL \"-$1\"";

/// A command and all that it starts, as long as that stays in its group.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    id: Pid,
    /// Ends the group when we die; its standard input is open as long as we live.
    watchdog: Option<Child>,
    ends: Signals,
    is_buried: bool,
}

impl Group {
    /// Starts a command as the leader of a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        // Before the start, so that no end is missed.
        let ends = signal(SignalKind::child())?;
        let leader = command.process_group(0).spawn()?;
        let id = leader.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the process has no number"))?;
        let watchdog = watch(id).inspect_err(|error| {
            tracing::warn!(error = %error, "a gate would outlive this program, should that be killed: sh cannot be started");
        });
        Ok(Self { leader, id, watchdog: watchdog.ok(), ends, is_buried: false })
    }

    /// The command's standard input, once.
    pub(super) fn take_input(&mut self) -> Option<tokio::process::ChildStdin> {
        self.leader.stdin.take()
    }

    /// Waits for the end of the command. Its number stays taken until [`Group::bury`], so that no signal can hit others.
    pub(super) async fn ended(&mut self) -> io::Result<()> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(self.id), options)?.is_none() {
            self.ends.recv().await;
        }
        Ok(())
    }

    /// Sends a signal to everybody in the group; that there is nobody is no failure.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    /// Ends what an ended command has left running, and says how it ended.
    pub(super) async fn bury(mut self) -> io::Result<ExitStatus> {
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill().await;
        }
        self.signal(Signal::KILL);
        self.is_buried = true;
        self.leader.wait().await
    }
}

impl Drop for Group {
    /// Who is dropped half-way leaves it to the watchdog, whose standard input ends now.
    fn drop(&mut self) {
        if !self.is_buried && self.watchdog.is_none() {
            self.signal(Signal::KILL);
        }
    }
}

fn watch(group: Pid) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", WATCHDOG, "sh", &group.as_raw_nonzero().to_string()])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Not in the group that Ctrl-C reaches.
        .process_group(0)
        .spawn()
}
