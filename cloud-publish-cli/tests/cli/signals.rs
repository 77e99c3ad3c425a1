//! What a signal does to a run that waits for a cloud.

#![cfg(feature = "openstack")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::place::{Place, RELEASE};

#[test]
fn a_signal_stops_the_run_and_the_same_command_continues() {
    let place = Place::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    place.write(
        "clouds.yaml",
        &format!(
            "clouds:\n  mycloud:\n    auth:\n      auth_url: http://{address}/v3\n      username: me\n      \
             password: secret\n      project_id: 0123\n    region_name: RegionOne\n"
        ),
    );
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n");
    let mut child = place
        .command(&format!("--release {RELEASE} --all-targets --json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has begun to talk to a server that never answers.
    let connection = silent.accept().unwrap();
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{err}");
    assert!(err.contains("stopping: "), "{err}");
    let summary: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(summary.get("outcome").unwrap(), "incomplete");
    drop(connection);
    place.publish();
}
