//! A fake OpenStack for other programs: runs until SIGTERM or Ctrl-C.
//!
//! `fake-openstack CLOUDS.YAML [SETTINGS.JSON]`: writes the entries `publisher-admin`, `member`, `consumer`, `smallquota`
//! and `denied` that lead there into the first file, reads settings from the other.

use std::path::Path;
use std::process::ExitCode;

use cloud_publish_tests::openstack::{FakeOpenStack, Settings};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

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
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (clouds, settings) = match given.as_slice() {
        [clouds] => (clouds, Settings::default()),
        [clouds, settings] => (clouds, read(settings)?),
        _ => return Err("usage: fake-openstack CLOUDS.YAML [SETTINGS.JSON]".to_owned()),
    };
    let fake = FakeOpenStack::start(settings);
    fake.write_clouds(Path::new(clouds));
    eprintln!("{}", fake.url);
    wait_for_end().map_err(|error| format!("cannot wait for signals: {error}"))
}

#[tokio::main(flavor = "current_thread")]
async fn wait_for_end() -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = ctrl_c() => interrupted,
    }
}

fn read(file: &str) -> Result<Settings, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let patch = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    Settings::default().merged(patch).map_err(|error| format!("{file}: {error}"))
}
