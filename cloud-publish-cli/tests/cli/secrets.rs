//! Passwords stay where they are, however much is logged and whatever goes wrong.

#![cfg(feature = "openstack")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::place::{Place, RELEASE, Ran};

const CANARY: &str = "canary-5up3r-s3cr3t";

fn place(address: SocketAddr) -> Place {
    let place = Place::new();
    let clouds = format!(
        "clouds:\n  mycloud:\n    auth:\n      auth_url: http://{address}/v3\n      username: me\n      \
         password: {CANARY}\n      project_name: p\n    region_name: RegionOne\n"
    );
    place.write("clouds.yaml", &clouds);
    place.configure("[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n");
    place
}

fn assert_kept(place: &Place, ran: &Ran) {
    assert!(!ran.out.contains(CANARY), "{}", ran.out);
    assert!(!ran.err.contains(CANARY), "{}", ran.err);
    let state = place.path("state");
    let written = std::process::Command::new("grep").args(["-r", CANARY]).arg(&state).output().unwrap();
    assert_eq!(written.stdout, b"");
}

#[test]
fn a_password_is_not_shown_when_the_cloud_cannot_be_reached() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = refusing.local_addr().unwrap();
    drop(refusing);
    let place = place(address);
    for line in ["--all-targets", "--all-targets --json", "--all-targets --keep-going --json"] {
        let ran = place.run(&format!("--release {RELEASE} {line} -vvv"));
        assert!(ran.code == 2 || (ran.code == 1 && line.contains("keep")), "{} {}", ran.code, ran.err);
        assert!(ran.err.contains("error: openstack: "), "{}", ran.err);
        assert!(!ran.err.contains("  openstack: nothing to do"), "{}", ran.err);
        assert_kept(&place, &ran);
    }
    let plan = place.run(&format!("plan --release {RELEASE} --to openstack -vvv"));
    assert!(plan.code == 2 && !plan.err.contains("nothing to do"), "{} {}", plan.code, plan.err);
    assert_kept(&place, &plan);
    assert_kept(&place, &place.run(&format!("verify --release {RELEASE} -vvv")));
}

#[test]
fn a_password_is_not_shown_when_the_cloud_refuses_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = place(listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&request).contains(CANARY) {
            let read = connection.read(&mut part).unwrap();
            assert!(read > 0, "the request ended without the password");
            request.extend(part.iter().take(read));
        }
        let body = r#"{"error": {"code": 401, "message": "The request you have made requires authentication."}}"#;
        let head = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    let ran = place.run(&format!("status --release {RELEASE} --to openstack -vvv"));
    server.join().unwrap();
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_kept(&place, &ran);
}

#[test]
fn a_clouds_yaml_that_cannot_be_read_is_not_quoted() {
    let place = place("127.0.0.1:1".parse().unwrap());
    place.replace("clouds.yaml", "    auth:", "    auth: [");
    let ran = place.run(&format!("--release {RELEASE} --to openstack -vvv"));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_kept(&place, &ran);
}
