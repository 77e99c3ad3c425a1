//! A world made of fakes for one command: reads a publish.toml, starts what its targets need, and runs the command so
//! that the unchanged configuration reaches them. Nothing real is written, nothing is left behind.
//!
//! | file | does |
//! |---|---|
//! | [`Options`] | reads the command line |
//! | `config` | reads publish.toml with the core's own reader |
//! | `scratch`, `mirror` | a copy of the configuration's folder, so that state and directories are not the user's |
//! | `stage` | what stands for each provider; the one place that says which have nothing yet |
//! | `aws`, `openstack`, `real` | these |
//! | `command`, `signals`, `descendants` | runs the command, hands signals on, and ends all that it started |

mod aws;
mod command;
mod config;
mod descendants;
mod mirror;
mod openstack;
mod options;
mod real;
mod scratch;
mod signals;
mod stage;

use std::env;
use std::ffi::OsString;
use std::path::Path;

use rustix::process::Pid;

use self::command::Variable;
pub use self::options::{Asked, Options};
use self::scratch::Scratch;
use self::signals::Signals;
use self::stage::{Room, Stage};
use crate::fake::Ca;

/// The beginnings of variables that lead to a real cloud, or let it be trusted.
const CLOUDS: [&str; 6] = ["AWS_", "OS_", "AZURE_", "ARM_", "GOOGLE_", "SSL_CERT_DIR"];

/// Where TLS libraries look for authorities: OpenSSL and rustls, the AWS command line, Python's requests, curl.
const TRUST: [&str; 4] = ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Makes the world, runs the command in it, and removes everything; tells the command's exit code.
///
/// # Errors
/// What is wrong with the configuration, or what could not be started.
pub fn run(options: &Options) -> Result<u8, String> {
    let signals = Signals::catch()?;
    descendants::adopt()?;
    let config = config::read(&options.config)?;
    let scratch = Scratch::make(&options.config, &config)?;
    let ca = Ca::generate();
    let authority = scratch.write("ca.pem", &ca.pem())?;
    let (real, signals) = (options.real, &signals);
    let room = Room { config: &config, ca: &ca, authority: &authority, scratch: &scratch, real, signals };
    let world = World::start(&room)?;
    let code = command::run(&options.command, &scratch.site(), &world.environment, signals);
    // The real servers are descendants too: the command's come first.
    descendants::end_all(&world.processes());
    drop(world);
    descendants::end_all(&[]);
    code
}

/// The fakes, and the variables that lead to them.
struct World {
    environment: Vec<Variable>,
    stages: Vec<Box<dyn Stage>>,
}

impl World {
    fn start(room: &Room<'_>) -> Result<Self, String> {
        let stages = stage::all(room)?;
        let mut environment = neutral();
        environment.extend(TRUST.map(|name| (name.into(), Some(room.authority.into()))));
        for stage in &stages {
            eprintln!("sandbox: {}", stage.describe());
            environment.extend(stage.environment().into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
        }
        Ok(Self { environment, stages })
    }

    fn processes(&self) -> Vec<Pid> {
        self.stages.iter().filter_map(|stage| stage.process()).collect()
    }
}

/// What no command in here may know, and what it needs besides the fakes; nothing: the variable is removed.
fn neutral() -> Vec<Variable> {
    let leads = |name: &OsString| CLOUDS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
    let mut variables: Vec<Variable> =
        env::vars_os().map(|(name, _)| name).filter(leads).map(|name| (name, None)).collect();
    let here = "127.0.0.1,localhost";
    for name in ["no_proxy", "NO_PROXY"] {
        let known = env::var(name).ok().filter(|known| !known.is_empty());
        let value = known.map_or_else(|| here.to_owned(), |known| format!("{here},{known}"));
        variables.push((name.into(), Some(value.into())));
    }
    variables.push(("PATH".into(), Some(path())));
    variables
}

/// The path, and after it the folder of this program: `publish` is built beside it.
fn path() -> OsString {
    let known = env::var_os("PATH").unwrap_or_default();
    let own = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let all = env::split_paths(&known).chain(own);
    env::join_paths(all).unwrap_or(known)
}
