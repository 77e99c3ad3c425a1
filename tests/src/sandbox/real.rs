//! The real Keystone and Glance that `tests/run` uses, started for one sandbox.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::{Map, json};

use super::openstack;
use super::signals::Signals;
use super::stage::{Room, Stage};
use crate::openstack::{PASSWORD, REGIONS, write_clouds};
use crate::paths;

/// They are installed first, if they are not.
const PATIENCE: Duration = Duration::from_secs(900);

/// Who may make images public there.
const USER: &str = "publisher-admin";
const PROJECT: &str = "publisher";

#[derive(Debug)]
pub(super) struct Real {
    servers: Servers,
    clouds: PathBuf,
    cloud: String,
}

/// The servers; they end with this value.
#[derive(Debug)]
struct Servers(Child);

/// Starts them.
pub(super) fn start(room: &Room<'_>) -> Result<Real, String> {
    let mut clouds = openstack::regions(room)?.into_iter();
    let (Some((cloud, regions)), None) = (clouds.next(), clouds.next()) else {
        return Err("the real servers are one cloud, and the configuration names several\n\
                    hint: leave --real out, or try a copy of the configuration with one of them"
            .to_owned());
    };
    let there = BTreeSet::from(REGIONS.map(str::to_owned));
    if !regions.is_subset(&there) {
        return Err(format!(
            "the real servers have the regions {}, and the configuration wants others\n\
             hint: leave --real out, or try a copy of the configuration with these",
            REGIONS.join(" and ")
        ));
    }
    let folder = room.scratch.path("openstack");
    eprintln!("sandbox: starting a real Keystone and Glance (installing them takes a minute or two, once)");
    let servers = Servers::start(&folder, room)?;
    let keystone = servers.keystone(&folder, room.signals)?;
    let entry = json!({
        "auth_type": "password", "interface": "public", "identity_api_version": 3, "regions": REGIONS,
        "auth": {"auth_url": keystone, "username": USER, "password": PASSWORD, "project_name": PROJECT,
                 "user_domain_name": "Default", "project_domain_name": "Default"},
    });
    let file = room.scratch.path("clouds.yaml");
    write_clouds(&file, Map::from_iter([(cloud.clone(), entry)]));
    Ok(Real { servers, clouds: file, cloud })
}

impl Servers {
    fn start(folder: &Path, room: &Room<'_>) -> Result<Self, String> {
        let script = paths::of_tests("servers/openstack/openstack.sh");
        let log = room.scratch.write("openstack.log", "")?;
        let log = fs::File::create(log).map_err(|error| error.to_string())?;
        // They go when this process goes, however that happens.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(script).arg("run").arg(folder).stdin(Stdio::null()).stderr(log);
        // Ctrl-C is for the command.
        let child = command.process_group(0).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|error| format!("cannot start the real servers: {error}"))
    }

    /// Waits until they answer; tells Keystone's address.
    fn keystone(&self, folder: &Path, signals: &Signals) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(folder.join("env")) {
                let found = text.lines().find_map(|line| line.strip_prefix("export OPENSTACK_TEST_KEYSTONE='"));
                let found = found.and_then(|rest| rest.strip_suffix('\''));
                return found.map(str::to_owned).ok_or_else(|| "the real servers do not tell their address".to_owned());
            }
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let ended = waitid(WaitId::Pid(Pid::from_child(&self.0)), look);
            if matches!(ended, Ok(Some(_))) || begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(folder.with_extension("log")).unwrap_or_default();
                return Err(format!("the real servers did not start\n{log}"));
            }
            if signals.next(Duration::from_millis(100)).is_some() {
                return Err("interrupted".to_owned());
            }
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Their script stops what it started.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        drop(self.0.wait());
    }
}

impl Stage for Real {
    fn describe(&self) -> String {
        format!("a real Keystone and two real Glances as the cloud {}, process {}", self.cloud, self.servers.0.id())
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("OS_CLIENT_CONFIG_FILE".to_owned(), self.clouds.display().to_string())]
    }
    fn process(&self) -> Option<Pid> {
        Some(Pid::from_child(&self.servers.0))
    }
}
