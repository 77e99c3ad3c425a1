//! `publish plan`: every step that publishing would take, and why.

use cloud_publish_core::plan::Permissions;
use cloud_publish_core::publisher::Probe;
use cloud_publish_core::run::{Options, prepare};

use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Show, plan_in_full, remarks};
use crate::overview::seen;
use crate::session::{App, Selection, Session};

pub(super) async fn run(app: &App, args: &PlanArgs) -> Result<Exit, Halt> {
    let permissions = Permissions { repair: args.repair, republish: args.republish };
    let options = Options { permissions, ..Options::default() };
    let selection = Selection::NamedOrAll(&args.targets);
    let mut session = Session::open(app, args.release.as_deref(), selection, (options, app.progress(Show::Lines)))?;
    session.require_targets()?;
    let prepared = prepare(&session.environment, &session.request).await.map_err(Halt::at(Stage::Input))?;
    let asked = prepared.preflight(&session.environment, Probe::ReadOnly).await;
    let preflight = asked.map_err(Halt::at(Stage::Preflight))?;

    app.console.settle();
    let is_refused = preflight.errors().next().is_some();
    if app.console.is_json() {
        app.console.json(&prepared.plan);
    } else if prepared.plan.is_empty() && !is_refused {
        app.console.say(&format!("nothing to do for {}\n", session.request.release.name));
    } else {
        app.console.data(&plan_in_full(&prepared.plan, seen(&prepared), app.settings.columns));
    }
    remarks(Some(&prepared.plan), &preflight).iter().for_each(|remark| app.console.complain(&remark.text()));
    Ok(match is_refused {
        true if preflight.guarded => Exit::Guarded,
        true => Exit::Refused,
        false => Exit::Done,
    })
}
