//! `publish approve`: a person's word that the images of a release may become public.

use cloud_publish_core::digest::Digest;
use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::names::{ImageId, Region, TargetName};
use cloud_publish_core::plan::Action;
use cloud_publish_core::run::{Approvable, Options, Prepared, RunOutcome, approvable, approve, prepare};
use serde::Serialize;

use crate::args::{ApproveArgs, Targets};
use crate::confirm::{Question, confirm};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, Table, Word, count};
use crate::session::{App, Selection, Session};

/// One approved image of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename = "approved")]
struct ApprovedLine<'a> {
    target: &'a TargetName,
    image: String,
    digest: Digest,
    ids: Vec<(&'a Region, &'a ImageId)>,
    by: &'a str,
}

pub(super) async fn run(app: &App, args: &ApproveArgs) -> Result<Exit, Halt> {
    let targets = Targets { to: args.target.clone(), all_targets: false };
    let options = (Options::default(), app.progress(Show::Lines));
    let mut session = Session::open(app, args.release.as_deref(), Selection::Named(&targets), options)?;
    needs_approval(&session, &args.target).map_err(Halt::at(Stage::Approve))?;
    let by = who(app, args).map_err(Halt::at(Stage::Arguments))?;
    session.require_targets()?;
    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    app.console.settle();
    let names: Vec<TargetName> = session.request.targets.iter().map(|one| one.config.name.clone()).collect();
    let wanted = names.iter().map(|name| Ok((name, waiting(&session, &prepared, name)?)));
    let wanted: Vec<(&TargetName, Vec<Approvable<'_>>)> =
        wanted.collect::<Result<_, _>>().map_err(Halt::at(Stage::Approve))?;

    let is_asking = app.console.is_interactive() && !app.global.yes && !app.global.dry_run;
    let table = table(&wanted).render(app.settings.columns);
    if is_asking {
        app.console.insist(&table);
        confirm(&app.console, &app.stop, Question::Approve).await.map_err(Halt::at(Stage::Confirm))?;
    } else if !app.console.is_quiet() {
        app.console.data(&table);
    }
    if app.global.dry_run {
        app.console.say("dry run: nothing was written\n");
    } else {
        for (target, images) in &wanted {
            let written = approve(&session.environment, &prepared, target, (images, &by)).await;
            written.map_err(Halt::at(Stage::Approve))?;
        }
    }
    let release = &session.request.release.name;
    if app.console.is_json() {
        lines(&wanted, &by).iter().for_each(|line| app.console.json(line));
        app.console.json(&SummaryLine::new(Some(release.as_str()), RunOutcome::Complete, &[], &[]));
    }
    let images = wanted.iter().map(|(_, images)| images.len()).sum();
    let list: Vec<&str> = names.iter().map(TargetName::as_str).collect();
    if !app.global.dry_run {
        app.console.say(&format!("approved by {by}: {}\n", count(images, "image")));
    }
    app.console.say(&format!("next: `publish --release {release} --to {}` goes on\n", list.join(",")));
    Ok(Exit::Done)
}

/// Refuses targets that no approval is wanted for, before any of them is asked.
fn needs_approval(session: &Session, names: &[String]) -> Result<(), Error> {
    let targets = session.environment.config.targets.values();
    let mut free = targets.filter(|target| names.iter().any(|name| target.name.as_str() == name) && !target.approve);
    match free.next() {
        None => Ok(()),
        Some(target) => Err(Error::new(Kind::InvalidInput, format!("the target {} needs no approval", target.name))
            .hint("`approve = true` in its table of publish.toml makes it wait for one")),
    }
}

/// Who approves.
fn who(app: &App, args: &ApproveArgs) -> Result<String, Error> {
    let by = args.by.as_ref().or(app.settings.user.as_ref()).map(|by| by.trim().to_owned());
    by.filter(|by| !by.is_empty()).ok_or_else(|| {
        Error::new(Kind::InvalidInput, "an approval needs the name of who approves").hint("name who approves with --by")
    })
}

/// What waits for an approval at a target; that nothing does is an error that says why.
fn waiting<'a>(
    session: &Session,
    prepared: &'a Prepared,
    target: &'a TargetName,
) -> Result<Vec<Approvable<'a>>, Error> {
    let release = &session.request.release.name;
    if let Some(trouble) = prepared.unreachable.get(target) {
        let error = Error::new(trouble.kind, trouble.error.join(": ")).with("target", target);
        return Err(trouble.hint.iter().cloned().fold(error, Error::hint));
    }
    let images = approvable(prepared, target);
    if !images.is_empty() {
        return Ok(images);
    }
    let is_asked = |action: &Action| matches!(action, Action::Approve { .. });
    let is_planned = prepared.plan.steps.iter().any(|step| step.target == *target && is_asked(&step.action));
    let (why, hint) = match is_planned {
        true => (
            "has nothing yet that could be approved",
            format!("bring it there first: `publish --release {release} --to {target}`"),
        ),
        false => (
            "has nothing that waits for an approval",
            format!("`publish status --release {release} --to {target}` shows what is there"),
        ),
    };
    Err(Error::new(Kind::InvalidInput, format!("the target {target} {why}")).with("release", release).hint(hint))
}

fn table(wanted: &[(&TargetName, Vec<Approvable<'_>>)]) -> Table {
    let mut table = Table::new(["TARGET", "REGION", "IMAGE", "ID"]);
    for (target, image) in wanted.iter().flat_map(|(target, images)| images.iter().map(move |image| (target, image))) {
        for (region, id) in &image.image.found {
            table.row([
                (target.as_str(), Word::Plain),
                (region.as_str(), Word::Plain),
                (&image.image.image.to_string(), Word::Plain),
                (id.as_str(), Word::Plain),
            ]);
        }
        table.note(&format!("content {}", image.subject.digest));
        if image.is_gated {
            table.note("its gate has not let it pass yet");
        }
    }
    table
}

fn lines<'a>(wanted: &'a [(&TargetName, Vec<Approvable<'_>>)], by: &'a str) -> Vec<ApprovedLine<'a>> {
    let all = wanted.iter().flat_map(|(target, images)| images.iter().map(move |image| (*target, image)));
    let line = |(target, image): (&'a TargetName, &'a Approvable<'_>)| ApprovedLine {
        target,
        image: image.image.image.to_string(),
        digest: image.subject.digest,
        ids: image.image.found.iter().map(|(region, id)| (region, id)).collect(),
        by,
    };
    all.map(line).collect()
}
