//! `publish status`: what is where of a release, and what publishing would do next.

use cloud_publish_core::error::Error;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::run::{Failure, ImageState, Options, RunOutcome, prepare};
use cloud_publish_core::survey::Life;
use serde::Serialize;

use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, Table, Word, failure_text};
use crate::overview::{Wanted, wanted};
use crate::session::{App, Selection, Session};

/// One row of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "status")]
struct StatusLine<'a> {
    #[serde(flatten)]
    row: &'a Wanted,
}

pub(super) async fn run(app: &App, args: &StatusArgs) -> Result<Exit, Halt> {
    let selection = Selection::NamedOrAll(&args.targets);
    let reporter = (Options::default(), app.progress(Show::Events));
    let session = Session::open(app, args.release.as_deref(), selection, reporter)?;
    let (rows, failures) = look(&session).await?;
    app.console.settle();

    let is_settled = rows.iter().all(|row| row.next.is_empty() && row.image.state == Life::Published);
    let exit = if failures.is_empty() { Exit::Done } else { Exit::Incomplete };
    if app.console.is_json() {
        rows.iter().for_each(|row| app.console.json(&StatusLine { row }));
        let images: Vec<ImageState> = rows.iter().map(|row| row.image.clone()).collect();
        let outcome = match is_settled && failures.is_empty() {
            true => RunOutcome::Complete,
            false => RunOutcome::Incomplete,
        };
        let release = session.request.release.name.as_str();
        app.console.json(&SummaryLine::new(Some(release), outcome, &images, &failures));
        return Ok(exit);
    }
    if !rows.is_empty() {
        app.console.data(&table(&rows).render());
    }
    for failure in &failures {
        let what = match &failure.target {
            Some(target) => format!("{target} could not be seen"),
            None => failure.step.clone(),
        };
        app.console.complain(&failure_text(&what, &failure.error, failure.hint.as_deref()));
    }
    Ok(exit)
}

/// The rows, and the targets that could not be seen.
async fn look(session: &Session) -> Result<(Vec<Wanted>, Vec<Failure>), Halt> {
    let mut failures: Vec<Failure> = session.absent.iter().map(|(target, error)| absent(target, error)).collect();
    if session.request.targets.is_empty() {
        return Ok((Vec::new(), failures));
    }
    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    failures.extend(prepared.unreachable.iter().map(|(target, trouble)| Failure {
        step: "survey".into(),
        target: Some(target.clone()),
        region: None,
        error: trouble.error.join(": "),
        hint: trouble.hint.clone(),
        required: true,
    }));
    Ok((wanted(&prepared), failures))
}

/// A target that cannot be used at all, as a failure.
pub(super) fn absent(target: &TargetName, error: &Error) -> Failure {
    Failure {
        step: Stage::Config.as_str().into(),
        target: Some(target.clone()),
        region: None,
        error: error.chain().join(": "),
        hint: error.advice().map(ToOwned::to_owned),
        required: true,
    }
}

fn table(rows: &[Wanted]) -> Table {
    let mut table = Table::new(["TARGET", "REGION", "VARIANT", "ARCH", "STATE", "NEXT", "ID"]);
    for row in rows {
        let image = &row.image;
        let state = match image.state {
            Life::Published => Word::Good,
            Life::Absent => Word::Warning,
            _ => Word::Plain,
        };
        table.row([
            (image.target.as_str(), Word::Plain),
            (image.region.as_str(), Word::Plain),
            (image.variant.as_str(), Word::Plain),
            (image.arch.as_str(), Word::Plain),
            (image.state.as_str(), state),
            (&row.next.join(", "), Word::Faint),
            (image.id.as_ref().map_or("", AsRef::as_ref), Word::Plain),
        ]);
        row.remarks.iter().for_each(|remark| table.note(remark));
    }
    table
}
