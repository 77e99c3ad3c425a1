//! A region of which Keystone's catalogue speaks and whose Glance does not answer.
//!
//! The servers are shared, so none of them is stopped: a relay in front of Keystone gives out a closed port as the
//! endpoint of the second region.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use cloud_publish_tests::servers::{OpenStack, REGIONS};
use serde_json::json;

use crate::disturbed::UNDISTURBED;
use crate::world::World;

const REQUIRED: &str = r#"regions = ["RegionOne", "RegionTwo"]"#;
const BEST_EFFORT: &str = "regions = [\"RegionOne\"]\nbest_effort = [\"RegionTwo\"]";

/// What stands between `//` and the path of a URL.
fn authority(url: &str) -> &str {
    url.split('/').nth(2).unwrap()
}

/// Answers one request like Keystone, but for one endpoint. Both are of the same length.
fn relay(client: TcpStream, keystone: &str, (from, to): (&str, &str)) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "connection" => continue,
            _ if line == "\r\n" => head.push_str("Connection: close\r\n"),
            _ => {}
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut server = TcpStream::connect(keystone)?;
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).unwrap().replace(from, to);
    (&client).write_all(answer.as_bytes())
}

/// Makes the world see the second region with nobody behind its endpoint.
fn cut_off(world: &mut World) {
    let servers = OpenStack::from_env();
    let keystone = authority(&servers.keystone).to_owned();
    let endpoint = authority(&servers.glance[1]).to_owned();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(closed.len(), endpoint.len(), "{closed} instead of {endpoint} would change the answers' length");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clouds = fs::read_to_string(&servers.clouds_file).unwrap();
    let own = clouds.replace(&keystone, &listener.local_addr().unwrap().to_string());
    world.clouds = Some(world.site.path("clouds.yaml"));
    fs::write(world.site.path("clouds.yaml"), own).unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            relay(client.unwrap(), &keystone, (&endpoint, &closed)).unwrap();
        }
    });
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_required_region_that_is_down_refuses_the_run() {
    let mut world = World::new("down");
    cut_off(&mut world);
    let summary = world.publish().expect(2).summary();
    assert_eq!(summary["outcome"], "refused", "{summary}");
    let failures = summary["failures"].as_array().unwrap();
    assert!(failures.iter().all(|failure| failure["region"] == REGIONS[1]), "{summary}");
    assert!(failures[0]["hint"].as_str().unwrap().contains("best_effort"), "{summary}");
    assert_eq!(world.seen(), []);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_best_effort_region_that_is_down_is_a_warning_and_filled_when_it_is_back() {
    let mut world = World::with("down", &[(REQUIRED, BEST_EFFORT)]);
    cut_off(&mut world);
    let ran = world.publish().expect(0);
    assert!(ran.err.contains(REGIONS[1]), "{}", ran.err);
    assert_eq!(ran.summary()["outcome"], json!("complete"));
    let wanted: Vec<_> = UNDISTURBED.seen.iter().filter(|image| image.region == REGIONS[0]).cloned().collect();
    assert_eq!(world.seen(), wanted);

    world.clouds = None;
    world.publish().expect(0);
    assert_eq!(world.seen(), UNDISTURBED.seen);
    world.wipe();
}
