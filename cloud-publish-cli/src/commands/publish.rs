//! `publish`: makes a release usable at its targets.

use std::time::Duration;

use cloud_publish_core::plan::Permissions;
use cloud_publish_core::publisher::Probe;
use cloud_publish_core::run::{Options, Preflight, Prepared, RunOutcome, Summary, TargetFinding, carry_out, prepare};

use super::status::absent;
use crate::args::PublishArgs;
use crate::confirm::{Question, confirm};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, SummaryLine, images_table, plan_in_brief, remarks, summary_text};
use crate::overview::seen;
use crate::session::{App, Selection, Session};

pub(super) async fn run(app: &App, args: &PublishArgs) -> Result<Exit, Halt> {
    let begun = app.clock.elapsed();
    let options = Options {
        keep_going: args.keep_going,
        permissions: Permissions { repair: args.repair, republish: args.republish },
        no_wait: args.no_wait,
        ..Options::default()
    };
    let selection = Selection::Named(&args.targets);
    let mut session = Session::open(app, args.release.as_deref(), selection, (options, app.progress(Show::Events)))?;
    session.require_targets()?;

    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    let is_asking = app.console.is_interactive() && !app.global.yes && !app.global.dry_run;
    let is_asking = is_asking && !prepared.plan.is_empty();
    let probe = if is_asking || app.global.dry_run { Probe::ReadOnly } else { Probe::MayWrite };
    let mut preflight = ask_targets(&session, &prepared, probe).await?;
    app.console.settle();
    show(app, &session, (&prepared, &preflight), is_asking);
    if app.global.dry_run {
        let summary = prepared.outlook(&session.request.options, &preflight);
        return Ok(finish(app, &session, summary, Ending { begun, is_dry: true }));
    }
    if is_asking && prepared.is_allowed(&session.request.options, &preflight) {
        confirm(&app.console, &app.stop, Question::Publish).await.map_err(Halt::at(Stage::Confirm))?;
        let known = preflight;
        preflight = ask_targets(&session, &prepared, Probe::MayWrite).await?;
        let new = |found: &&TargetFinding| !known.findings.contains(found);
        let added = Preflight {
            findings: preflight.findings.iter().filter(new).cloned().collect(),
            guarded: preflight.guarded,
        };
        remarks(None, &added).iter().for_each(|remark| app.console.complain(&remark.text()));
    }
    let carried = carry_out(&session.environment, &session.request, prepared, preflight).await;
    app.console.settle();
    let summary = carried.map_err(Halt::at(Stage::Run))?;
    Ok(finish(app, &session, summary, Ending { begun, is_dry: false }))
}

async fn ask_targets(session: &Session, prepared: &Prepared, probe: Probe) -> Result<Preflight, Halt> {
    prepared.preflight(&session.environment, probe).await.map_err(Halt::at(Stage::Preflight))
}

/// Shows what will be done and what speaks against it; who is asked sees it in any case.
fn show(app: &App, session: &Session, (prepared, preflight): (&Prepared, &Preflight), is_asking: bool) {
    let plan = &prepared.plan;
    let remarks = remarks(Some(plan), preflight);
    let release = &session.request.release.name;
    let is_settled = plan.drift.is_empty() && preflight.errors().next().is_none();
    let text = match plan.is_empty() {
        true if !is_settled => String::new(),
        true => format!("nothing to do: all of {release} is published\n"),
        false => plan_in_brief(plan, seen(prepared)),
    };
    if is_asking {
        app.console.insist(&text);
    } else {
        app.console.say(&text);
    }
    remarks.iter().for_each(|remark| app.console.complain(&remark.text()));
}

/// How the command comes to its end.
struct Ending {
    begun: Duration,
    is_dry: bool,
}

fn finish(app: &App, session: &Session, mut summary: Summary, ending: Ending) -> Exit {
    summary.failures.extend(session.absent.iter().map(|(target, error)| absent(target, error)));
    if summary.outcome == RunOutcome::Complete && !session.absent.is_empty() {
        summary.outcome = RunOutcome::Incomplete;
    }
    let is_allowed_dry = ending.is_dry && summary.failures.is_empty();
    if is_allowed_dry {
        app.console.say("dry run: nothing was written\n");
    } else {
        let table = images_table(&summary.images);
        // What is not there yet says nothing that the refusal does not say, and would scroll it away.
        let is_shown = !ending.is_dry && summary.outcome != RunOutcome::Refused;
        if !table.is_empty() && !app.console.is_quiet() && is_shown {
            app.console.data(&table.render(app.settings.columns));
        }
        let text = summary_text(&summary, app.clock.elapsed().saturating_sub(ending.begun));
        match summary.failures.is_empty() {
            true => app.console.say(&text),
            false => app.console.complain(&text),
        }
    }
    if app.console.is_json() {
        app.console.json(&SummaryLine::of(&summary));
    }
    if is_allowed_dry { Exit::Done } else { Exit::of_summary(&summary) }
}
