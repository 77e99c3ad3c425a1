//! What the test cloud contains and gives out, told by OpenStack's own clients and not by the code under test.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::paths;
use crate::servers::OpenStack;

/// An image as Glance has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlanceImage {
    /// The UUID.
    pub id: String,
    /// The name, if it has one; it need not be unique.
    pub name: Option<String>,
    /// The region, one of [`crate::servers::REGIONS`].
    pub region: String,
    /// `queued`, `saving`, `active`, `deactivated`, ...
    pub status: String,
    /// `private`, `shared`, `community` or `public`.
    pub visibility: String,
    /// When it was last changed, as Glance writes it: `2024-01-01T00:00:00Z`.
    pub updated_at: String,
    /// Whether listings leave it out.
    pub os_hidden: bool,
    /// Whether deletion is refused.
    pub protected: bool,
    /// The id of the project.
    pub owner: String,
    /// The stored bytes; nothing before the upload.
    pub size: Option<u64>,
    /// `sha512`, after the upload.
    pub os_hash_algo: Option<String>,
    /// The digest of the stored bytes in hex, after the upload.
    pub os_hash_value: Option<String>,
    /// `raw`, `qcow2`, ...
    pub disk_format: Option<String>,
    /// `bare`.
    pub container_format: Option<String>,
    /// The disk that a machine needs, in GiB.
    pub min_disk: u64,
    /// The memory that a machine needs, in MiB.
    pub min_ram: u64,
    /// The tags, sorted.
    pub tags: Vec<String>,
    /// Every property that is not one of Glance's own.
    pub properties: BTreeMap<String, String>,
    /// With whom it is shared, sorted by project; empty unless the visibility is `shared`.
    pub members: Vec<Member>,
}

/// A project that an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The id of the project.
    pub project: String,
    /// `pending`, `accepted` or `rejected`.
    pub status: String,
}

/// Lists the images of project publisher whose property `cloud-publish-owner` is `owner`, in any state, hidden ones
/// too, in both regions; sorted by region, name and id.
///
/// # Panics
/// If the servers are not there or do not answer.
pub fn glance_state(owner: &str) -> Vec<GlanceImage> {
    run_glance_state(&["--owner", owner])
}

/// Lists like [`glance_state`] the images of another entry's project.
///
/// # Panics
/// Like [`glance_state`].
pub fn glance_state_of(cloud: &str, owner: &str) -> Vec<GlanceImage> {
    run_glance_state(&["--cloud", cloud, "--owner", owner])
}

/// Lists all images of project publisher, those of other tests too.
///
/// # Panics
/// Like [`glance_state`].
pub fn whole_glance_state() -> Vec<GlanceImage> {
    run_glance_state(&[])
}

/// Deletes the images of project publisher whose property `cloud-publish-owner` is `owner`, protected ones too.
///
/// # Panics
/// Like [`glance_state`], and if an image is still there afterwards.
pub fn wipe(owner: &str) {
    assert_eq!(run_glance_state(&["--owner", owner, "--wipe"]), [], "wiping left images behind");
}

/// Deletes like [`wipe`] the images of another entry's project.
///
/// # Panics
/// Like [`wipe`].
pub fn wipe_of(cloud: &str, owner: &str) {
    assert_eq!(run_glance_state(&["--cloud", cloud, "--owner", owner, "--wipe"]), [], "wiping left images behind");
}

/// Runs `openstack ARGUMENTS` of python-openstackclient as an entry of clouds.yaml in a region; returns its stdout.
///
/// # Panics
/// If it fails, showing what it printed.
pub fn openstack_cli<A: AsRef<OsStr>>(cloud: &str, region: &str, arguments: &[A]) -> String {
    stdout(&mut client(cloud, region, arguments))
}

/// Runs `openstack ARGUMENTS`, expecting it to be refused; returns its stderr.
///
/// # Panics
/// If it succeeds.
pub fn openstack_cli_refused<A: AsRef<OsStr>>(cloud: &str, region: &str, arguments: &[A]) -> String {
    let mut command = client(cloud, region, arguments);
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(!output.status.success(), "{command:?} was not refused: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Downloads an image's bytes to a file with python-openstackclient, as an entry of clouds.yaml.
///
/// # Panics
/// If that entry may not download it.
pub fn download(cloud: &str, region: &str, id: &str, file: &Path) {
    let arguments = [OsStr::new("image"), OsStr::new("save"), OsStr::new("--file"), file.as_os_str(), OsStr::new(id)];
    openstack_cli(cloud, region, &arguments);
}

/// Computes the SHA-512 of a file with `sha512sum`, in hex.
///
/// # Panics
/// If the file cannot be read.
pub fn sha512(file: &Path) -> String {
    let line = stdout(Command::new("sha512sum").arg("--").arg(file));
    line.split_whitespace().next().expect("sha512sum prints a digest").to_owned()
}

/// Prepares `openstack ARGUMENTS`, to be run or measured.
pub fn client<A: AsRef<OsStr>>(cloud: &str, region: &str, arguments: &[A]) -> Command {
    let servers = OpenStack::from_env();
    let mut command = Command::new(&servers.client);
    command.args(["--os-cloud", cloud, "--os-region-name", region]).args(arguments);
    command.env("OS_CLIENT_CONFIG_FILE", &servers.clouds_file).stdin(Stdio::null());
    command
}

fn run_glance_state(arguments: &[&str]) -> Vec<GlanceImage> {
    let servers = OpenStack::from_env();
    let mut command = Command::new(&servers.python);
    command.arg(paths::of_tests("servers/openstack/glance_state.py")).args(arguments);
    command.env("OS_CLIENT_CONFIG_FILE", &servers.clouds_file).stdin(Stdio::null());
    let json = stdout(&mut command);
    serde_json::from_str(&json)
        .unwrap_or_else(|error| panic!("glance_state.py printed something else: {error}\n{json}"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the program prints UTF-8")
}
