//! `publish man`: manual pages, made of the same definitions as the commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use cloud_publish_core::error::{Error, Kind};

use crate::args::{Cli, ManArgs};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::session::App;

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
    let mut text = Vec::new();
    Man::new(command.clone()).manual("cloud-publish").render(&mut text)?;
    Ok((format!("{name}.1"), String::from_utf8_lossy(&text).into_owned()))
}

fn write(folder: &Path, pages: &[(String, String)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    pages.iter().try_for_each(|(name, page)| fs::write(folder.join(name), page))
}

fn halt(what: String, error: io::Error) -> Halt {
    Halt { stage: Stage::Run, error: Error::new(Kind::Storage, what).caused_by(error) }
}
