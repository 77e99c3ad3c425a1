//! Log lines on standard error, for those who ask with `-v`.

use std::io;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;

use crate::args::Global;
use crate::output::Console;

/// Starts logging at the level asked for: warnings, then our own crates in more and more detail.
///
/// Crates that speak the wire never log more than `info`: below that they log requests, and requests carry tokens.
pub(crate) fn start(global: &Global, console: Arc<Console>) {
    let directives = match (global.quiet, global.verbose) {
        (true, _) => "off,cloud_publish=error",
        (false, 0) => "off,cloud_publish=warn",
        (false, 1) => "warn,cloud_publish=info",
        (false, 2) => "warn,cloud_publish=debug",
        (false, _) => "info,cloud_publish=trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(move || Lines(console.clone()))
        .with_ansi(false)
        .finish();
    // Only a second call fails, and there is none.
    drop(tracing::subscriber::set_global_default(subscriber));
}

/// Writes log lines, each of which comes whole, where everything else is written.
struct Lines(Arc<Console>);

impl io::Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.insist(&String::from_utf8_lossy(text));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
