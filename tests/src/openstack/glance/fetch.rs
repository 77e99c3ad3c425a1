//! What `web-download` downloads: plain HTTP, nothing else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use super::content::{Collector, Content};

/// Downloads a URL; nothing if that fails in any way.
pub(super) async fn get(url: &str) -> Option<Arc<Content>> {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || download(&url)).await.ok()?
}

fn download(url: &str) -> Option<Arc<Content>> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut socket = TcpStream::connect(address).ok()?;
    // In HTTP/1.0 nothing is chunked, and the connection ends with the body.
    write!(socket, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    if line.split_whitespace().nth(1) != Some("200") {
        return None;
    }
    let mut length: Option<u64> = None;
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        length = header.and_then(|(_, value)| value.trim().parse().ok()).or(length);
    }
    let mut collector = Collector::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut buffer).ok()? {
            0 => break,
            count => collector.push(buffer.get(..count)?),
        }
    }
    let content = collector.finish();
    length.is_none_or(|length| length == content.size).then_some(content)
}
