//! `publish verify`: what the clouds have, compared with what the manifest says.

use cloud_publish_core::error::Error;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::publisher::Proof;
use cloud_publish_core::run::{self, Checked, Failure, ImageState, Options, ProofScope, RunOutcome, Verdict, prepare};
use serde::Serialize;

use crate::args::{Prove, VerifyArgs};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, Table, Word, count};
use crate::overview::images;
use crate::session::{App, Selection, Session};

/// One row of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "checked")]
struct CheckedLine<'a> {
    #[serde(flatten)]
    row: &'a Checked,
}

pub(super) async fn run(app: &App, args: &VerifyArgs) -> Result<Exit, Halt> {
    let selection = Selection::NamedOrAll(&args.targets);
    let reporter = (Options::default(), app.progress(Show::Events));
    let session = Session::open(app, args.release.as_deref(), selection, reporter)?;
    let (rows, images) = look(&session, args.prove).await?;
    app.console.settle();

    let wrong: Vec<&Checked> = rows.iter().filter(|row| row.verdict != Verdict::Correct).collect();
    let is_complete = wrong.iter().all(|row| !row.required);
    let exit = if is_complete { Exit::Done } else { Exit::Incomplete };
    if app.console.is_json() {
        rows.iter().for_each(|row| app.console.json(&CheckedLine { row }));
        let failures: Vec<Failure> = wrong.into_iter().map(failure).collect();
        let outcome = if is_complete { RunOutcome::Complete } else { RunOutcome::Incomplete };
        let release = session.request.release.name.as_str();
        app.console.json(&SummaryLine::new(Some(release), outcome, &images, &failures));
        return Ok(exit);
    }
    app.console.data(&table(&rows).render(app.settings.columns));
    let sentence = match (rows.len(), wrong.len()) {
        (all, 0) => format!("{} as the manifest says\n", count(all, "image")),
        (all, wrong) => format!("{wrong} of {} not as the manifest says\n", count(all, "image")),
    };
    app.console.say(&sentence);
    if !is_complete {
        let command = session.command();
        app.console.say(&format!(
            "next: `{command}` adds what is missing; with --repair it sets visibility back; it never changes content\n"
        ));
    }
    Ok(exit)
}

async fn look(session: &Session, prove: Option<Prove>) -> Result<(Vec<Checked>, Vec<ImageState>), Halt> {
    let mut rows: Vec<Checked> = session.absent.iter().map(|(target, error)| unreachable(target, error)).collect();
    if session.request.targets.is_empty() {
        return Ok((rows, Vec::new()));
    }
    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    let mut seen = run::verify(&prepared);
    if let Some(prove) = prove {
        let scope = match prove {
            Prove::Home => ProofScope::Home,
            Prove::All => ProofScope::All,
        };
        run::prove(&session.environment, &prepared, (scope, &mut seen)).await.map_err(Halt::at(Stage::Preflight))?;
    }
    rows.extend(seen);
    Ok((rows, images(&prepared)))
}

fn unreachable(target: &TargetName, error: &Error) -> Checked {
    Checked {
        target: target.clone(),
        region: None,
        variant: None,
        arch: None,
        id: None,
        verdict: Verdict::Unreachable,
        required: true,
        differences: error.chain(),
        proof: None,
    }
}

fn failure(row: &Checked) -> Failure {
    let verdict = word(row.verdict).0;
    let error = match row.differences.as_slice() {
        [] => verdict.to_owned(),
        differences => format!("{verdict}: {}", differences.join("; ")),
    };
    Failure {
        step: "verify".into(),
        target: Some(row.target.clone()),
        region: row.region.clone(),
        error,
        hint: None,
        required: row.required,
        waits: false,
    }
}

fn word(verdict: Verdict) -> (&'static str, Word) {
    match verdict {
        Verdict::Correct => ("correct", Word::Good),
        Verdict::Incorrect => ("incorrect", Word::Bad),
        Verdict::Missing => ("missing", Word::Bad),
        Verdict::Unexpected => ("unexpected", Word::Warning),
        Verdict::Unreachable => ("unreachable", Word::Bad),
    }
}

fn table(rows: &[Checked]) -> Table {
    let mut table = Table::new(["TARGET", "REGION", "VARIANT", "ARCH", "VERDICT", "ID"]);
    for row in rows {
        let (verdict, colour) = word(row.verdict);
        let verdict = if row.required { verdict.to_owned() } else { format!("{verdict} (best effort)") };
        table.row([
            (row.target.as_str(), Word::Plain),
            (row.region.as_ref().map_or("", AsRef::as_ref), Word::Plain),
            (row.variant.as_ref().map_or("", AsRef::as_ref), Word::Plain),
            (row.arch.as_ref().map_or("", AsRef::as_ref), Word::Plain),
            (&verdict, colour),
            (row.id.as_ref().map_or("", AsRef::as_ref), Word::Plain),
        ]);
        row.differences.iter().for_each(|difference| table.note(difference));
        row.proof.iter().for_each(|proof| table.note(&proven(proof)));
    }
    table
}

fn proven(proof: &Proof) -> String {
    match proof {
        Proof::Content { digest } => format!("content read back: {digest}"),
        Proof::Hash { algorithm, shown, expected: Some(_) } => format!("{algorithm} shown by the cloud: {shown}"),
        Proof::Hash { algorithm, shown, expected: None } => {
            format!("{algorithm} shown by the cloud, and not known here: {shown}")
        }
        Proof::Unreadable { reason } => format!("the content cannot be shown: {reason}"),
    }
}
