//! `publish completions`: what a shell needs to complete commands, made of the same definitions as the commands.

use clap::CommandFactory as _;
use clap_complete::shells::{Bash, Fish, Zsh};

use crate::args::{Cli, CompletionsArgs, Shell};
use crate::exit::Exit;
use crate::session::App;

pub(super) fn run(app: &App, args: &CompletionsArgs) -> Exit {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => clap_complete::generate(Bash, &mut command, name, &mut script),
        Shell::Zsh => clap_complete::generate(Zsh, &mut command, name, &mut script),
        Shell::Fish => clap_complete::generate(Fish, &mut command, name, &mut script),
    }
    app.console.data(&String::from_utf8_lossy(&script));
    Exit::Done
}
