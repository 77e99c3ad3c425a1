//! One file for each verb: from its arguments to its exit code.

mod approve;
mod check;
mod completions;
mod find;
mod import_debian;
mod man;
mod plan;
mod publish;
mod schema;
mod status;
mod verify;

use crate::args::{Cli, Verb};
use crate::exit::Exit;
use crate::halt::Halt;
use crate::session::App;

/// Carries out the verb of a command line.
///
/// # Errors
/// What stopped it before it had a result.
pub(crate) async fn run(app: &App, cli: &Cli) -> Result<Exit, Halt> {
    match &cli.verb {
        None => publish::run(app, &cli.publish).await,
        Some(Verb::Plan(args)) => plan::run(app, args).await,
        Some(Verb::Status(args)) => status::run(app, args).await,
        Some(Verb::Verify(args)) => verify::run(app, args).await,
        Some(Verb::Approve(args)) => approve::run(app, args).await,
        Some(Verb::Find(args)) => find::run(app, args).await,
        Some(Verb::Check(args)) => check::run(app, args).await,
        Some(Verb::ImportDebian(args)) => import_debian::run(app, args),
        Some(Verb::Schema(args)) => schema::run(app, args),
        Some(Verb::Completions(args)) => Ok(completions::run(app, args)),
        Some(Verb::Man(args)) => man::run(app, args),
    }
}
