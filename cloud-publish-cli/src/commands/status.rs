//! `publish status`: what is where of a release, and what publishing would do next.

use cloud_publish_core::error::Error;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::run::{Failure, ImageState, Options, RunOutcome, prepare};
use cloud_publish_core::survey::Life;
use serde::Serialize;

use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, Table, Word, failure_text, outlook};
use crate::overview::{Next, Wanted, next, wanted};
use crate::session::{App, Selection, Session};

/// One row of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "status")]
struct StatusLine<'a> {
    #[serde(flatten)]
    row: &'a Wanted,
}

/// What comes next, in `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "next")]
struct NextLine<'a> {
    #[serde(flatten)]
    next: &'a Next,
}

/// What was seen.
#[derive(Default)]
struct Look {
    rows: Vec<Wanted>,
    next: Option<Next>,
    /// The targets that could not be seen.
    failures: Vec<Failure>,
}

pub(super) async fn run(app: &App, args: &StatusArgs) -> Result<Exit, Halt> {
    let selection = Selection::NamedOrAll(&args.targets);
    let reporter = (Options::default(), app.progress(Show::Events));
    let session = Session::open(app, args.release.as_deref(), selection, reporter)?;
    let looked = look(&session).await?;
    app.console.settle();

    let exit = match looked.failures.is_empty() && !looked.rows.iter().any(is_unread) {
        true => Exit::Done,
        false => Exit::Incomplete,
    };
    let release = session.request.release.name.as_str();
    if app.console.is_json() {
        print_json(app, release, &looked);
        return Ok(exit);
    }
    if !looked.rows.is_empty() {
        app.console.data(&table(&looked.rows).render(app.settings.columns));
    }
    for failure in &looked.failures {
        let what = match &failure.target {
            Some(target) => format!("{target} could not be seen"),
            None => failure.step.clone(),
        };
        app.console.complain(&failure_text(&what, &failure.error, failure.hint.as_deref()));
    }
    if let Some(next) = &looked.next {
        let is_settled = looked.failures.is_empty() && looked.rows.iter().all(is_settled);
        app.console.say(&outlook(release, next, is_settled));
    }
    Ok(exit)
}

fn is_settled(row: &Wanted) -> bool {
    row.next.is_empty() && row.image.state == Life::Published
}

/// Whether it is not known whether the image is there, although it should be.
fn is_unread(row: &Wanted) -> bool {
    row.required && row.image.state == Life::Unreadable
}

fn print_json(app: &App, release: &str, looked: &Look) {
    looked.rows.iter().for_each(|row| app.console.json(&StatusLine { row }));
    looked.next.iter().for_each(|next| app.console.json(&NextLine { next }));
    let images: Vec<ImageState> = looked.rows.iter().map(|row| row.image.clone()).collect();
    let outcome = match looked.rows.iter().all(is_settled) && looked.failures.is_empty() {
        true => RunOutcome::Complete,
        false => RunOutcome::Incomplete,
    };
    app.console.json(&SummaryLine::new(Some(release), outcome, &images, &looked.failures));
}

async fn look(session: &Session) -> Result<Look, Halt> {
    let mut failures: Vec<Failure> = session.absent.iter().map(|(target, error)| absent(target, error)).collect();
    if session.request.targets.is_empty() {
        return Ok(Look { failures, ..Look::default() });
    }
    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    failures.extend(prepared.unreachable.iter().map(|(target, trouble)| Failure {
        step: "survey".into(),
        target: Some(target.clone()),
        region: None,
        error: trouble.error.join(": "),
        hint: trouble.hint.clone(),
        required: true,
        waits: false,
    }));
    Ok(Look { rows: wanted(&prepared), next: Some(next(&prepared, session.command())), failures })
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
        waits: false,
    }
}

fn table(rows: &[Wanted]) -> Table {
    let mut table = Table::new(["TARGET", "IMAGE", "REGION", "STATE", "ID"]).grouped().expendable(["ID"]);
    for row in rows {
        let image = &row.image;
        let name = image.image().to_string();
        let words = if row.required { row.words.clone() } else { format!("{} (best effort)", row.words) };
        table.row([
            (image.target.as_str(), Word::Plain),
            (&name, Word::Plain),
            (image.region.as_str(), Word::Plain),
            (&words, row.colour),
            (image.id.as_ref().map_or("", AsRef::as_ref), Word::Plain),
        ]);
        row.remarks.iter().for_each(|remark| table.note(remark));
    }
    table
}
