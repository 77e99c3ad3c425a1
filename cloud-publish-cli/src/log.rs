//! Log lines on standard error, for those who ask with `-v`.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::args::Global;

/// Starts logging at the level asked for: warnings, then our own crates in more and more detail.
///
/// Crates that speak the wire never log more than `info`: below that they log requests, and requests carry tokens.
pub(crate) fn start(global: &Global) {
    let directives = match (global.quiet, global.verbose) {
        (true, _) => "off,cloud_publish=error",
        (false, 0) => "off,cloud_publish=warn",
        (false, 1) => "warn,cloud_publish=info",
        (false, 2) => "warn,cloud_publish=debug",
        (false, _) => "info,cloud_publish=trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(io::stderr)
        .with_ansi(false)
        .finish();
    // Only a second call fails, and there is none.
    drop(tracing::subscriber::set_global_default(subscriber));
}
