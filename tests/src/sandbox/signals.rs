//! The signals that would end this program: it ends its world first.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Those that have come and were not looked at yet.
#[derive(Debug)]
pub(super) struct Signals(Receiver<Signal>);

impl Signals {
    /// From now on signals wait here.
    pub(super) fn catch() -> Result<Self, String> {
        let (sender, receiver) = channel();
        let (ready, begun) = channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let listened = runtime.and_then(|runtime| runtime.block_on(listen(&sender, &ready)));
            // Nobody reads it if it began well.
            drop(ready.send(listened));
        });
        match begun.recv() {
            Ok(Ok(())) => Ok(Self(receiver)),
            Ok(Err(error)) => Err(format!("cannot wait for signals: {error}")),
            Err(_) => Err("cannot wait for signals".to_owned()),
        }
    }

    /// The next signal, if one comes within this time.
    pub(super) fn next(&self, within: Duration) -> Option<Signal> {
        self.0.recv_timeout(within).ok()
    }
}

async fn listen(sender: &Sender<Signal>, ready: &Sender<io::Result<()>>) -> io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    drop(ready.send(Ok(())));
    loop {
        let signal = tokio::select! {
            _ = interrupted.recv() => Signal::INT,
            _ = terminated.recv() => Signal::TERM,
            _ = hung_up.recv() => Signal::HUP,
            _ = quit.recv() => Signal::QUIT,
        };
        if sender.send(signal).is_err() {
            return Ok(());
        }
    }
}
