//! `publish man`: manual pages, made of the same definitions as the commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::builder::Resettable;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use cloud_publish_core::error::{Error, Kind};

use crate::args::{Cli, ManArgs};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::session::App;

/// What the command reads besides its arguments, and how it is used; in the language of manual pages, man(7).
const SURROUNDINGS: &str = r#".SH ENVIRONMENT
.TP
\fBUSER\fR, \fBLOGNAME\fR
who approves, unless \-\-by says it
.TP
\fBNO_COLOR\fR, \fBCLICOLOR_FORCE\fR, \fBCOLUMNS\fR, \fBTERM\fR, \fBCI\fR
colours, the width of tables, and whether progress is shown in place
.TP
\fBOS_CLIENT_CONFIG_FILE\fR, \fBOS_*\fR, \fBAWS_*\fR
credentials, as the clouds' own tools read them
.SH FILES
.TP
\fBpublish.toml\fR
the configuration: targets, and the folders of releases and state
.TP
\fIRELEASES\fR\fB/\fR\fINAME\fR\fB.toml\fR
the manifest of a release
.TP
\fBclouds.yaml\fR
OpenStack clouds; here, in ~/.config/openstack or in /etc/openstack
.SH EXAMPLES
.nf
publish check
publish plan \-\-release bookworm\-20240101 \-\-to local
publish \-\-release bookworm\-20240101 \-\-to local,openstack
publish verify \-\-release bookworm\-20240101 \-\-prove
publish find \-\-suite bookworm \-\-latest \-\-csv
.fi
"#;

pub(super) fn run(app: &App, args: &ManArgs) -> Result<Exit, Halt> {
    let pages = pages().map_err(|error| halt("could not make the manual pages".to_owned(), error))?;
    match &args.folder {
        None => pages.iter().take(1).for_each(|(_, page)| app.console.data(page)),
        Some(folder) => {
            write(folder, &pages)
                .map_err(|error| halt(format!("could not write manual pages to `{}`", folder.display()), error))?;
            let page = folder.join("publish.1");
            app.console.say(&format!("{} pages: man {}\n", pages.len(), page.display()));
        }
    }
    Ok(Exit::Done)
}

/// The file name and the text of each page, that of the whole command first.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    std::iter::once(&command).chain(verbs).map(page).collect()
}

fn page(command: &Command) -> io::Result<(String, String)> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    let command = command.clone().override_usage(synopsis(command)).subcommand_help_heading("VERBS");
    let status = command.get_after_help().map(|codes| exit_status(&codes.to_string()));
    let mut text = Vec::new();
    Man::new(command.after_help(Resettable::Reset)).manual("cloud-publish").render(&mut text)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    // Only the command itself has them, not its verbs.
    text.extend(status.map(|status| format!("{status}{SURROUNDINGS}")));
    Ok((format!("{name}.1"), text))
}

/// The ways to write a command, every option with its value.
fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let words = shown.map(|argument| match argument.is_positional() || argument.is_required_set() {
        true => argument.to_string(),
        false => format!("[{argument}]"),
    });
    let form = format!("{name} {}", words.collect::<Vec<_>>().join(" "));
    if command.has_subcommands() { format!("{form}\n{name} VERB ...") } else { form }
}

/// The section of what `--help` lists behind a heading: a number and its meaning on each line.
fn exit_status(codes: &str) -> String {
    let codes = codes.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    let entries = codes.map(|(code, meaning)| format!(".TP\n\\fB{code}\\fR\n{}\n", meaning.trim()));
    std::iter::once(".SH \"EXIT STATUS\"\n".to_owned()).chain(entries).collect()
}

fn write(folder: &Path, pages: &[(String, String)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    pages.iter().try_for_each(|(name, page)| fs::write(folder.join(name), page))
}

fn halt(what: String, error: io::Error) -> Halt {
    Halt { stage: Stage::Run, error: Error::new(Kind::Storage, what).caused_by(error) }
}
