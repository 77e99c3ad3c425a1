//! `publish`: the disk images of a release, usable in every region of every cloud named.
//!
//! Reads what a person or a script wrote (arguments, publish.toml, a release manifest), makes one request of it, hands
//! that to `cloud_publish_core::run`, and prints what comes back. It decides nothing about images.
//!
//! | file | owns |
//! |---|---|
//! | `args/` | the command line as types |
//! | `settings/` | the environment, read nowhere else |
//! | `fleet` | all providers by name, known nowhere else |
//! | `releases` | the folder of manifests |
//! | `session` | from names to configuration, manifest, targets and state |
//! | `commands/` | one file for each verb |
//! | `output/` | what is printed, and where |
//! | `exit`, `halt` | how a command ends |

mod args;
mod commands;
mod confirm;
mod exit;
mod fleet;
mod halt;
mod log;
mod output;
mod overview;
mod releases;
mod session;
mod settings;
mod signals;
mod state;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use cloud_publish_core::clock::SystemClock;
use cloud_publish_core::error::{Error, Kind};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::args::{Cli, Global, mistake};
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Console, SummaryLine, halt_text};
use crate::session::App;
use crate::settings::Settings;

fn main() -> ExitCode {
    // Two TLS providers in one build would leave none chosen; clients would then panic.
    #[cfg(any(feature = "openstack", feature = "shared-state"))]
    drop(rustls::crypto::ring::default_provider().install_default());
    match Cli::try_parse().and_then(Cli::check) {
        Ok(cli) => run(&cli).into(),
        Err(error) => explain(&error).into(),
    }
}

/// Carries out what was asked and says how it ended.
fn run(cli: &Cli) -> Exit {
    let console = Arc::new(Console::new(&cli.global));
    log::start(&cli.global, console.clone());
    let app = App {
        console: console.clone(),
        settings: Settings::new(&cli.global),
        global: cli.global.clone(),
        clock: Arc::new(SystemClock::new()),
        stop: CancellationToken::new(),
    };
    let ended = Runtime::new().map_err(machine).and_then(|runtime| {
        let ended = runtime.block_on(async {
            signals::listen(console.clone(), app.stop.clone()).map_err(machine)?;
            commands::run(&app, cli).await
        });
        // A thread that still waits for an answer at the terminal must not hold up the end.
        runtime.shutdown_background();
        ended
    });
    console.settle();
    let exit = ended.unwrap_or_else(|halt| {
        console.complain(&halt_text(&halt.error));
        if console.is_json() {
            console.json(&SummaryLine::halted(cli.release(), &halt));
        }
        halt.exit()
    });
    match console.failure() {
        Some(error) => {
            let error = Error::new(Kind::Storage, "could not write to standard output").caused_by(error);
            console.complain(&halt_text(&error));
            exit.worst(Exit::Incomplete)
        }
        None => exit,
    }
}

fn machine(error: std::io::Error) -> Halt {
    Halt { stage: Stage::Config, error: Error::new(Kind::Storage, "the program could not start").caused_by(error) }
}

/// Prints help, or what is wrong with the command line; to a program also as the one line of JSON that it waits for.
fn explain(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Who does not want to read the help any further has read enough.
        drop(error.print());
        return Exit::Done;
    }
    let is_json = std::env::args_os().any(|argument| argument == "--json");
    let console = Console::new(&Global { json: is_json, ..Global::default() });
    let halt = Halt { stage: Stage::Arguments, error: mistake(error) };
    console.complain(&halt_text(&halt.error));
    if is_json {
        console.json(&SummaryLine::halted(None, &halt));
    }
    halt.exit()
}
