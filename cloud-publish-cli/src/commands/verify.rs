//! `publish verify`: what the clouds have, compared with what the manifest says.

use cloud_publish_core::error::Error;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::publisher::Proof;
use cloud_publish_core::run::{self, Checked, Failure, ImageState, Options, ProofScope, RunOutcome, Verdict, prepare};
use serde::Serialize;

use crate::args::{Prove, VerifyArgs};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, Table, Word, count, remedy};
use crate::overview::{images, next};
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
    let Look { rows, images, outlook } = look(&session, args.prove).await?;
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
        (all, 0) => format!("{} as the manifest says{}\n", count(all, "image"), reservation(all, args.prove)),
        (all, wrong) => format!("{wrong} of {} not as the manifest says\n", count(all, "image")),
    };
    app.console.say(&sentence);
    if !is_complete {
        outlook.iter().for_each(|sentence| app.console.say(sentence));
    }
    Ok(exit)
}

/// What was not looked at although the word is good.
fn reservation(images: usize, prove: Option<Prove>) -> &'static str {
    match (images, prove) {
        (0, _) | (_, Some(_)) => "",
        (1, None) => "; its content was not read (--prove reads it)",
        (_, None) => "; their content was not read (--prove reads it)",
    }
}

/// What was seen.
struct Look {
    rows: Vec<Checked>,
    images: Vec<ImageState>,
    /// What publishing would do about it, if anything could be seen.
    outlook: Option<String>,
}

async fn look(session: &Session, prove: Option<Prove>) -> Result<Look, Halt> {
    let mut rows: Vec<Checked> = session.absent.iter().map(|(target, error)| unreachable(target, error)).collect();
    if session.request.targets.is_empty() {
        return Ok(Look { rows, images: Vec::new(), outlook: None });
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
    let outlook = remedy(&next(&prepared, session.command()));
    Ok(Look { rows, images: images(&prepared), outlook: Some(outlook) })
}

fn unreachable(target: &TargetName, error: &Error) -> Checked {
    Checked {
        target: target.clone(),
        region: None,
        variant: None,
        arch: None,
        rendition: None,
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
    let mut table = Table::new(["TARGET", "REGION", "IMAGE", "VERDICT", "ID"]);
    for row in rows {
        let image = row.image().map(|image| image.to_string()).unwrap_or_default();
        let (verdict, colour) = word(row.verdict);
        let verdict = if row.required { verdict.to_owned() } else { format!("{verdict} (best effort)") };
        table.row([
            (row.target.as_str(), Word::Plain),
            (row.region.as_ref().map_or("", AsRef::as_ref), Word::Plain),
            (&image, Word::Plain),
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
