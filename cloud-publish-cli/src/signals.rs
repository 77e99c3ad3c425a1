//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process at once.

use std::io;
use std::process::exit;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::output::Console;

const FIRST: &str = "stopping: short changes are finished, uploads are dropped; the same line again continues\n\
                     press Ctrl-C again to stop at once\n";
const SECOND: &str = "stopped at once: run the same command again, it finds what was done\n";

/// Listens from now on, in the background.
///
/// # Errors
/// When the system refuses to tell of signals.
pub(crate) fn listen(console: Arc<Console>, stop: CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        // Who is still being asked has nothing running.
        if !console.is_asking() {
            console.insist(FIRST);
        }
        stop.cancel();
        either(&mut interrupt, &mut terminate).await;
        console.settle();
        console.insist(SECOND);
        exit(Exit::Interrupted.number().into());
    });
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
