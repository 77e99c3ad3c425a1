//! A server that answers like S3, started by the test that needs it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::paths;

/// How long the server may take to answer for the first time.
const START: Duration = Duration::from_secs(60);

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    /// Starts a server on a free loopback port.
    ///
    /// # Panics
    /// If `tests/run` has not installed it, or it does not answer.
    pub fn start() -> Self {
        let program = paths::cache().join("moto/bin/moto_server");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a free port");
        let port = port.port();
        let child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: start the tests with tests/run", program.display()));
        let server = Self { child, port };
        let begun = Instant::now();
        while !server.answers("GET", "/moto-api/") {
            assert!(begun.elapsed() < START, "moto does not answer on port {port}");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of 127.0.0.1 on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn bucket(&self, name: &str) {
        assert!(self.answers("PUT", &format!("/{name}")), "moto made no bucket {name}");
    }

    fn answers(&self, method: &str, path: &str) -> bool {
        let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let host = format!("127.0.0.1:{}", self.port);
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        socket.write_all(request.as_bytes()).is_ok()
            && socket.read_to_string(&mut answer).is_ok()
            && answer.split_whitespace().nth(1) == Some("200")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
