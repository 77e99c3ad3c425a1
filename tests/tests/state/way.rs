//! The way to a server, which can be cut and mended.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How every request of HTTP/1.1 begins to end its first line.
const REQUEST: &[u8] = b" HTTP/1.1\r\n";

/// A port that leads to another one, until it is cut.
pub(crate) struct Way {
    at: SocketAddr,
    /// Requests that still get through.
    left: Arc<AtomicUsize>,
}

impl Way {
    /// An open way to a port of this machine. It is there as long as the test's process.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self { at: listener.local_addr().unwrap(), left: Arc::new(AtomicUsize::new(usize::MAX)) };
        let left = Arc::clone(&way.left);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let left = Arc::clone(&left);
                thread::spawn(move || lead(&client, port, &left));
            }
        });
        way
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Lets so many more requests through, then none.
    pub(crate) fn cut_after(&self, requests: usize) {
        self.left.store(requests, Ordering::SeqCst);
    }

    /// Lets everything through again.
    pub(crate) fn mend(&self) {
        self.cut_after(usize::MAX);
    }
}

/// Leads one connection; closes it when the way is cut.
fn lead(client: &TcpStream, port: u16, left: &AtomicUsize) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    thread::scope(|both| {
        both.spawn(|| copy(&server, client, |_| true));
        copy(client, &server, |bytes| {
            let begun = bytes.windows(REQUEST.len()).filter(|window| *window == REQUEST).count();
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(begun)).is_ok()
        });
    });
}

/// Copies until the end, or until something may not pass; then nothing comes back either.
fn copy(mut from: &TcpStream, mut to: &TcpStream, may_pass: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 64 << 10];
    let mut once = || -> io::Result<bool> {
        let length = from.read(&mut buffer)?;
        let bytes = &buffer[..length];
        if bytes.is_empty() || !may_pass(bytes) {
            return Ok(false);
        }
        to.write_all(bytes)?;
        Ok(true)
    };
    while once().unwrap_or(false) {}
    for end in [from, to] {
        // The other side may have closed it already.
        drop(end.shutdown(Shutdown::Both));
    }
}
