//! One command from its start to its answer.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;

use super::group::Group;
use super::output::Output;
use super::variables::variables;
use crate::error::{Error, Kind, Result};
use crate::event::GateAnswer;
use crate::execute::{Answered, Question};
use crate::manifest::GateConfig;
use crate::publisher::Context;

/// "Temporary failure; the user is invited to retry": <https://man.freebsd.org/cgi/man.cgi?query=sysexits>.
const NOT_YET: i32 = 75;

/// How long a command has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(10);

/// What ended the waiting.
enum End {
    Itself,
    TooLate,
    Cancelled,
}

/// Runs the command of a gate and reads its answer.
pub(super) async fn run(
    context: &Context,
    (gate, folder): (&GateConfig, &Path),
    question: &Question,
) -> Result<Answered> {
    context.check()?;
    let (mut group, pipe) = start(gate, folder, question)?;
    let text = serde_json::to_vec(question)
        .map_err(|error| Error::new(Kind::Unexpected, "a gate's question cannot be written").caused_by(error))?;
    let input = group.take_input();
    let mut output = Output::default();
    let talk = async {
        // A command need not read its input, and may end before it is written.
        let feed = async {
            if let Some(mut input) = input {
                let _ = input.write_all(&text).await;
            }
        };
        tokio::join!(feed, output.read(&pipe));
        pending::<Infallible>().await
    };
    let ended = wait(context, gate.timeout, (&mut group, Box::pin(talk))).await;
    let status = match &ended {
        Ok(_) => group.bury().await,
        Err(_) => Err(io::Error::other("its end was not seen")),
    };
    let (end, status) = ended.and_then(|end| Ok((end, status?))).map_err(|error| lost(error, gate))?;
    let answer = match end {
        End::Cancelled => return Err(Error::new(Kind::Cancelled, "stopped on request")),
        End::TooLate => {
            GateAnswer::Failed { reason: format!("it took longer than {} s and was stopped", gate.timeout.as_secs()) }
        }
        End::Itself => answer(status),
    };
    Ok(Answered { answer, output: output.finish(&pipe) })
}

fn start(gate: &GateConfig, folder: &Path, question: &Question) -> Result<(Group, Receiver)> {
    let failed = |error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::PermissionDenied => Kind::PermissionDenied,
            _ => Kind::Storage,
        };
        Error::new(kind, "the gate's command could not be started")
            .with("program", gate.program.display())
            .hint("mend `gate.command` of the target; the same command later asks it again")
            .caused_by(error)
    };
    // Seen from the folder that the command starts in, the path would lead elsewhere.
    let program = match gate.names_a_file() {
        true => std::path::absolute(&gate.program).map_err(failed)?,
        false => gate.program.clone(),
    };
    let (reader, writer) = io::pipe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(gate.command.iter().skip(1))
        .current_dir(folder)
        .envs(variables(question))
        .stdin(Stdio::piped())
        .stdout(writer.try_clone().map_err(failed)?)
        .stderr(writer);
    let group = Group::start(&mut command).map_err(failed)?;
    Ok((group, Receiver::from_owned_fd(reader.into()).map_err(failed)?))
}

/// Waits for the end of the command while it is fed and heard; ends it at its time limit and when the run is to stop.
async fn wait<T: Future<Output = Infallible>>(
    context: &Context,
    timeout: Duration,
    (group, mut talk): (&mut Group, Pin<Box<T>>),
) -> io::Result<End> {
    let end = tokio::select! {
        ended = group.ended() => return ended.map(|()| End::Itself),
        () = context.cancellation().cancelled() => End::Cancelled,
        () = context.clock().sleep(timeout) => End::TooLate,
        never = &mut talk => match never {},
    };
    group.signal(Signal::TERM);
    let grace = context.clock().sleep(GRACE);
    tokio::select! {
        ended = group.ended() => return ended.map(|()| end),
        () = grace => group.signal(Signal::KILL),
        never = &mut talk => match never {},
    }
    group.ended().await.map(|()| end)
}

fn answer(status: ExitStatus) -> GateAnswer {
    match (status.code(), status.signal()) {
        (Some(0), _) => GateAnswer::Passed,
        (Some(NOT_YET), _) => GateAnswer::NotYet { reason: format!("it ended with exit code {NOT_YET}") },
        (Some(code), _) => GateAnswer::Failed { reason: format!("it ended with exit code {code}") },
        (None, Some(signal)) => GateAnswer::Failed { reason: format!("it was ended by signal {signal}") },
        (None, None) => GateAnswer::Failed { reason: "it ended in an unknown way".to_owned() },
    }
}

/// The system does not say how a command ended: that is no pass.
fn lost(error: io::Error, gate: &GateConfig) -> Error {
    Error::new(Kind::Unexpected, "the gate's command was lost")
        .with("program", gate.program.display())
        .hint("the same command later asks it again")
        .caused_by(error)
}
