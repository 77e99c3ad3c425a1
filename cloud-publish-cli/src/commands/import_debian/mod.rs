//! `publish import-debian`: a release manifest of what Debian's image builds leave. What it says is the core's matter;
//! here files are read and one is written.

mod place;
mod read;

use std::path::Path;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::import::debian::{Wishes, import, is_image_ending};
use cloud_publish_core::manifest::Release;
use cloud_publish_core::run::RunOutcome;

use self::place::{Place, Written};
use crate::args::ImportArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{SummaryLine, count};
use crate::session::App;

pub(super) fn run(app: &App, args: &ImportArgs) -> Result<Exit, Halt> {
    let place = Place::of(args.out.as_deref(), &args.folder).map_err(Halt::at(Stage::Arguments))?;
    let mut wishes = wishes(args).map_err(Halt::at(Stage::Arguments))?;
    place.name().clone_into(&mut wishes.name);
    place.below().clone_into(&mut wishes.below);
    wishes.packages = read::packages(&args.packages).map_err(Halt::at(Stage::Input))?;
    let (folder, unsound) = read::folder(&args.folder, &wishes).map_err(Halt::at(Stage::Input))?;
    let imported = import(&folder, &wishes);
    let imported = unsound.add_to(imported).map_err(with_options).map_err(Halt::at(Stage::Input))?;
    let file = place.file(&imported.name);
    let checked = Release::parse(file.as_deref().unwrap_or(Path::new("-")), &imported.text);
    checked.map_err(|problems| Halt { stage: Stage::Manifest, error: problems.into() })?;

    match &file {
        None => app.console.data(&imported.text),
        Some(file) => {
            let written = place::write(file, &imported.text, (args.force, app.global.dry_run));
            let written = written.map_err(|error| with_difference(error, args)).map_err(Halt::at(Stage::Manifest))?;
            let shown = file.display();
            app.console.say(&match written {
                Written::Same => format!("nothing to do: {shown} says that already\n"),
                Written::New => format!("wrote {shown}: {}\n", count(imported.images, "image")),
                Written::Not => format!("dry run: {shown} would be written: {}\n", count(imported.images, "image")),
            });
        }
    }
    if let Some(outside) = imported.outside_suite {
        app.console.say(&format!("{} not of the suite, marked in what is published\n", count(outside, "package")));
    }
    if app.console.is_json() {
        app.console.json(&SummaryLine::new(Some(imported.name.as_str()), RunOutcome::Complete, &[], &[]));
    }
    Ok(Exit::Done)
}

fn wishes(args: &ImportArgs) -> Result<Wishes> {
    let mut wishes = Wishes { class: args.class, build_job: args.build_job.clone(), ..Wishes::default() };
    if let Some(text) = &args.date {
        let date = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
        wishes.date = Some(date.map_err(|error| {
            Error::new(Kind::InvalidInput, format!("`{text}` is no date"))
                .hint("write 2024-01-01, or 2024-01-01T12:00:00Z")
                .caused_by(error)
        })?);
    }
    if let Some(ending) = &args.format {
        let ending = ending.trim_start_matches('.');
        if !is_image_ending(ending) {
            let message = format!("no image ends in `.{}`", ending.escape_debug());
            return Err(Error::new(Kind::InvalidInput, message).hint("raw, qcow2, vhd, tar.xz and their like"));
        }
        wishes.ending = Some(ending.to_owned());
    }
    Ok(wishes)
}

fn with_options(error: Error) -> Error {
    let hint = error.advice().unwrap_or("mend the folder").to_owned();
    error.hint(format!("nothing was written; {hint}, or see --class, --date, --format and --packages"))
}

fn with_difference(error: Error, args: &ImportArgs) -> Error {
    match error.kind() {
        Kind::Conflict => error.hint(format!(
            "--force writes over it; `publish import-debian {} --out -` shows what would be written",
            args.folder.display()
        )),
        _ => error,
    }
}
