//! Measures what is promised of speed and memory, and prints a table in Markdown.
//!
//! `bench [--runs N] [GROUP...]`: all groups, or those named. Needs the 3 GiB image of `tests/run --full`, the release
//! build of `publish`, and for the group `glance` the environment that `tests/run --serve` prints.

use std::process::ExitCode;

use cloud_publish_core::disk::Format;
use cloud_publish_tests::bench::{GROUPS, Row, Runs, map, table, tarball};

const USAGE: &str = "usage: bench [--runs N] [GROUP...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // What a process of its own is measured at.
        ["map", format, file] => {
            let format = if *format == "raw" { Format::Raw } else { Format::Qcow2 };
            println!("{} extents", map(file.as_ref(), format));
            ExitCode::SUCCESS
        }
        ["tarball", image, into] => {
            tarball(image.as_ref(), into.as_ref());
            ExitCode::SUCCESS
        }
        words => match run(words) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                eprintln!("error: {message}\n{USAGE}");
                ExitCode::from(2)
            }
        },
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    let (runs, names) = match words {
        ["--runs", number, names @ ..] => (number.parse().ok().filter(|runs| runs % 2 == 1), names),
        names => (Some(5), names),
    };
    let runs = Runs(runs.ok_or("--runs takes an odd number")?);
    if let Some(unknown) = names.iter().find(|name| !GROUPS.iter().any(|group| group.name == **name)) {
        let known: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        return Err(format!("there is no group {unknown}; there are {}", known.join(", ")));
    }
    let has_servers = std::env::var_os("OPENSTACK_TEST_KEYSTONE").is_some();
    let mut rows: Vec<Row> = Vec::new();
    for group in GROUPS.iter().filter(|group| names.is_empty() || names.contains(&group.name)) {
        if group.servers && !has_servers {
            eprintln!("{}: left out, there are no servers: see tests/run --serve", group.name);
            continue;
        }
        eprintln!("{} ...", group.name);
        let measured = (group.measure)(&runs);
        measured.iter().for_each(|row| eprintln!("{}", row.line()));
        rows.extend(measured);
    }
    print!("{}", table(&rows));
    let missed = rows.iter().filter(|row| !row.is_kept()).count();
    println!("\nMedians of {}; {} of {} promises kept.", runs.0, rows.len() - missed, rows.len());
    Ok(())
}
