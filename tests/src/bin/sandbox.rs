//! Runs a command in a world made for it: see [`cloud_publish_tests::sandbox`].
//!
//! Exits with the command's own code, with 128 and the number of the signal that ended it, or with 125 when the world
//! could not be made.

use std::io::Write as _;
use std::process::ExitCode;

use cloud_publish_tests::sandbox::{Asked, Options, run};

/// As `env`, `timeout` and `docker run` have it.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    let asked = Options::parse(std::env::args_os().skip(1));
    let ran = asked.and_then(|asked| match asked {
        Asked::Run(options) => run(&options),
        Asked::Text(text) => {
            // Nobody may be listening.
            let _ = writeln!(std::io::stdout(), "{text}");
            Ok(0)
        }
    });
    match ran {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(FAILED)
        }
    }
}
