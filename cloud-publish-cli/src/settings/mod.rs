//! What the command is told besides its arguments: which configuration file, and the environment.
//!
//! The one place where the environment is read. What is found is handed on as values.

#[cfg(feature = "openstack")]
mod clouds;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

#[cfg(feature = "openstack")]
pub(crate) use self::clouds::Clouds;
use crate::args::{Global, ShowProgress};
use crate::output::size_of;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// publish.toml.
    pub(crate) config: PathBuf,
    /// How what is being done is shown.
    pub(crate) display: Display,
    /// Columns that tables may take; none: as many as they need.
    pub(crate) columns: Option<usize>,
    /// Where clouds.yaml may lie, and the cloud of the environment.
    #[cfg(feature = "openstack")]
    pub(crate) clouds: Clouds,
    /// Who types, as the system says.
    pub(crate) user: Option<String>,
    /// `PATH`.
    pub(crate) search: Option<OsString>,
}

impl Settings {
    /// Looks at the arguments and the environment; opens nothing.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            config: global.config.clone().unwrap_or_else(|| "publish.toml".into()),
            display: display(global, &Surroundings::look()),
            columns: size_of(&io::stdout()).map(|size| size.columns).or_else(columns_variable),
            #[cfg(feature = "openstack")]
            clouds: Clouds::from_environment(),
            user: user(),
            search: search(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the environment is read")]
fn user() -> Option<String> {
    ["USER", "LOGNAME"].iter().filter_map(|name| env::var(name).ok()).find(|user| !user.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the environment is read")]
fn search() -> Option<OsString> {
    env::var_os("PATH")
}

/// How what is being done is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// Lines that change in place.
    Live,
    /// Lines that stay.
    Plain,
    /// Nothing.
    None,
}

/// What decides whether lines can change in place.
#[derive(Clone, Copy, Debug)]
struct Surroundings {
    is_terminal: bool,
    is_dumb: bool,
    is_ci: bool,
}

impl Surroundings {
    #[expect(clippy::disallowed_methods, reason = "this module is where the environment is read")]
    fn look() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            is_dumb: env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb"),
            is_ci: env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false"),
        }
    }
}

fn display(global: &Global, around: &Surroundings) -> Display {
    let can = around.is_terminal && !around.is_dumb;
    match global.progress {
        _ if global.quiet || global.no_progress => Display::None,
        ShowProgress::None => Display::None,
        ShowProgress::Live if can => Display::Live,
        ShowProgress::Auto if can && !around.is_ci => Display::Live,
        ShowProgress::Auto | ShowProgress::Live | ShowProgress::Plain => Display::Plain,
    }
}

/// What a script says of the width of the terminal that it prints to.
#[expect(clippy::disallowed_methods, reason = "this module is where the environment is read")]
fn columns_variable() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::{Display, Surroundings, display};
    use crate::args::{Global, ShowProgress};

    #[test]
    fn lines_change_in_place_only_on_a_terminal_that_can_and_not_in_ci() {
        let shown = |progress, is_terminal, is_dumb, is_ci| {
            let global = Global { progress, ..Global::default() };
            display(&global, &Surroundings { is_terminal, is_dumb, is_ci })
        };
        assert_eq!(shown(ShowProgress::Auto, true, false, false), Display::Live);
        assert_eq!(shown(ShowProgress::Auto, true, false, true), Display::Plain);
        assert_eq!(shown(ShowProgress::Auto, true, true, false), Display::Plain);
        assert_eq!(shown(ShowProgress::Auto, false, false, false), Display::Plain);
        assert_eq!(shown(ShowProgress::Live, true, false, true), Display::Live);
        assert_eq!(shown(ShowProgress::Live, true, true, false), Display::Plain);
        assert_eq!(shown(ShowProgress::None, true, false, false), Display::None);
    }

    #[test]
    fn quiet_and_no_progress_show_nothing_whatever_else_is_said() {
        let around = Surroundings { is_terminal: true, is_dumb: false, is_ci: false };
        for global in [Global { quiet: true, ..Global::default() }, Global { no_progress: true, ..Global::default() }] {
            assert_eq!(display(&global, &around), Display::None);
        }
    }
}
