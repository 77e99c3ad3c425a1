//! Gates that are commands: `[target.NAME.gate]` of publish.toml, run for each image that is to be published.
//!
//! # What a command gets
//! - The question on standard input as one JSON object ([`Question`]), and in these variables; of the rest of the
//!   environment it inherits everything. It need not read its input. It starts in the folder of publish.toml.
//!
//! | variable | |
//! |---|---|
//! | `CLOUD_PUBLISH_OWNER`, `_RELEASE`, `_TARGET`, `_PROVIDER`, `_ACCOUNT` | what is published, and where |
//! | `CLOUD_PUBLISH_VARIANT`, `_ARCH`, `_SUITE`, `_VERSION`, `_CLASS` | the artifact |
//! | `CLOUD_PUBLISH_DIGEST` | `sha256:` and the hex digits of the disk's raw content |
//! | `CLOUD_PUBLISH_NAME` | the name that the image is registered under |
//! | `CLOUD_PUBLISH_REGIONS` | the regions of the images, separated by blanks, the home region first |
//! | `CLOUD_PUBLISH_IMAGE_ID` | the cloud's id in the first of these regions |
//! | `CLOUD_PUBLISH_IMAGE_ID_REGION` | the id in each region: its name in capitals, whatever is no letter or digit as `_`. Regions that would meet there have none; the JSON has them all |
//!
//! # What it answers
//! Exit code 0: the image may become public. 75 (`EX_TEMPFAIL` of `sysexits.h`): not yet, ask again in the next run.
//! Anything else, a signal or a time-out: it stays private. What it prints, on both streams, is kept.
//!
//! # How it ends
//! It leads a process group of its own. At the time limit, and when the run is asked to stop, the group gets SIGTERM and
//! ten seconds later SIGKILL; what it leaves running when it ends is killed too. A second process, `sh`, waits beside it
//! for the end of this one, however that comes (SIGKILL, a crash), and then does the same. What leaves the group by
//! itself (`setsid`) is out of reach.

mod group;
mod output;
mod runner;
mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::execute::{Answered, Gate, Question};
use crate::manifest::{Config, GateConfig};
use crate::names::TargetName;
use crate::plan::GateTerms;
use crate::publisher::Context;

/// The gates of a configuration.
#[derive(Clone, Debug)]
pub struct CommandGate {
    gates: BTreeMap<TargetName, GateConfig>,
    folder: PathBuf,
    search: Option<OsString>,
}

impl CommandGate {
    /// The gates of all targets that have one.
    pub fn new(config: &Config) -> Self {
        let gates = config.targets.values().filter_map(|target| Some((target.name.clone(), target.gate.clone()?)));
        let here = Path::new(".");
        let folder = if config.folder.as_os_str().is_empty() { here } else { config.folder.as_path() };
        Self { gates: gates.collect(), folder: folder.to_owned(), search: None }
    }

    /// Looks for programs without a slash in these folders before anything begins: the value of `PATH` that the program
    /// has, and so its gates. Without it they are found missing when they are asked.
    pub fn searching(self, path: Option<OsString>) -> Self {
        Self { search: path, ..self }
    }

    /// What a gate's program is wrong for.
    fn wrong_with(&self, gate: &GateConfig) -> Option<(&'static str, Option<io::Error>)> {
        if gate.names_a_file() {
            return judge(&gate.program).err();
        }
        let search = self.search.as_ref()?;
        // Like execvp(3): what cannot be run is passed over, and relative folders are seen from where the gate starts.
        let found = || std::env::split_paths(search).map(|folder| judge(&self.folder.join(folder).join(&gate.program)));
        if found().any(|judged| judged.is_ok()) {
            return None;
        }
        let blocked = found().find_map(|judged| judged.err().filter(|(_, cause)| cause.is_none()));
        blocked.or(Some(("cannot be found by PATH", None)))
    }
}

#[async_trait]
impl Gate for CommandGate {
    fn terms(&self, target: &TargetName) -> Option<GateTerms> {
        let gate = self.gates.get(target)?;
        Some(GateTerms { identity: gate.identity(), regions: gate.regions, concurrency: gate.concurrency })
    }

    fn obstacle(&self, target: &TargetName) -> Option<Error> {
        let gate = self.gates.get(target)?;
        let (why, cause) = self.wrong_with(gate)?;
        let error = Error::new(Kind::InvalidInput, format!("the gate's command {why}"))
            .with("program", gate.program.display())
            .hint("`gate.command` names a program; with a slash it is found from the folder of publish.toml, else by PATH");
        Some(match cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        })
    }

    async fn ask(&self, context: &Context, question: &Question) -> Result<Answered> {
        let gate = self
            .gates
            .get(&question.target)
            .ok_or_else(|| Error::new(Kind::Unexpected, "the target has no gate").with("target", &question.target))?;
        runner::run(context, (gate, &self.folder), question).await
    }
}

/// What is wrong with a file as a program, and with finding it.
fn judge(program: &Path) -> std::result::Result<(), (&'static str, Option<io::Error>)> {
    match std::fs::metadata(program) {
        Err(error) => Err(("cannot be found", Some(error))),
        Ok(about) if !about.is_file() => Err(("is no file", None)),
        Ok(about) if about.permissions().mode() & 0o111 == 0 => Err(("is not executable", None)),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
