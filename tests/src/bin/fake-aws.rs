//! A fake AWS for other programs: runs until SIGTERM or Ctrl-C.
//!
//! `fake-aws [--env FILE] [--settings FILE] [--port PORT]`: writes `export AWS_ENDPOINT_URL=...` and the other variables
//! that lead a client there into FILE, reads settings (JSON) from the other.

use std::fmt::Write as _;
use std::process::ExitCode;

use cloud_publish_tests::aws::{FakeAws, Settings};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: fake-aws [--env FILE] [--settings FILE] [--port PORT]";

#[derive(Default)]
struct Arguments {
    env: Option<String>,
    settings: Option<String>,
    port: u16,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = arguments()?;
    let fake = FakeAws::start_on(settings(arguments.settings.as_deref())?, arguments.port);
    let lines = fake.environment().into_iter().fold(String::new(), |mut lines, (name, value)| {
        writeln!(lines, "export {name}={value}").expect("text grows");
        lines
    });
    match arguments.env {
        Some(file) => {
            // Renamed into place: whoever waits for the file finds it whole.
            let draft = format!("{file}.new");
            std::fs::write(&draft, lines).map_err(|error| format!("{draft}: {error}"))?;
            std::fs::rename(&draft, &file).map_err(|error| format!("{file}: {error}"))?;
        }
        None => print!("{lines}"),
    }
    wait_for_end().map_err(|error| format!("cannot wait for signals: {error}"))?;
    drop(fake);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn wait_for_end() -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = ctrl_c() => interrupted,
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or(USAGE)?;
        match name.as_str() {
            "--env" => found.env = Some(value),
            "--settings" => found.settings = Some(value),
            "--port" => found.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(found)
}

fn settings(file: Option<&str>) -> Result<Settings, String> {
    let Some(file) = file else { return Ok(Settings::default()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))
}
