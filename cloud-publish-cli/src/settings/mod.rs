//! What the command is told besides its arguments: which configuration file, and the environment.
//!
//! The one place where the environment is read. What is found is handed on as values.

#[cfg(feature = "openstack")]
mod clouds;

use std::path::PathBuf;

#[cfg(feature = "openstack")]
pub(crate) use self::clouds::Clouds;
use crate::args::Global;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// publish.toml.
    pub(crate) config: PathBuf,
    /// Where clouds.yaml may lie, and the cloud of the environment.
    #[cfg(feature = "openstack")]
    pub(crate) clouds: Clouds,
    /// Who types, as the system says.
    pub(crate) user: Option<String>,
}

impl Settings {
    /// Looks at the arguments and the environment; opens nothing.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            config: global.config.clone().unwrap_or_else(|| "publish.toml".into()),
            #[cfg(feature = "openstack")]
            clouds: Clouds::from_environment(),
            user: user(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the environment is read")]
fn user() -> Option<String> {
    ["USER", "LOGNAME"].iter().filter_map(|name| std::env::var(name).ok()).find(|user| !user.is_empty())
}
