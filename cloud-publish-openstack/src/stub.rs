//! A Keystone and a Glance on a loopback socket, for answers that the real ones do not give when asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::clouds::{Auth, Cloud, Domain, Named};
use crate::publisher::{OpenStack, OpenStackSettings};
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::Region;
use cloud_publish_core::secret::Secret;

pub(crate) const PASSWORD: &str = "canary-password";
pub(crate) const TOKEN: &str = "canary-token";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) token: String,
    pub(crate) body: String,
}

/// What to answer: status, further header lines, body.
pub(crate) type Answer = (u16, String, String);

/// The servers; they answer as long as this lives.
pub(crate) struct Stub {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    failures: Arc<Mutex<Vec<u16>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stub {
    /// Answers each request to Glance with `glance`; Keystone gives tokens that live for `life` seconds, the n-th
    /// with n at its end.
    pub(crate) async fn start(life: u32, glance: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let failures: Arc<Mutex<Vec<u16>>> = Arc::default();
        let (base, log, failing) = (url.clone(), seen.clone(), failures.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                let failure = failing.lock().unwrap().pop();
                let answer = match (failure, request.line.as_str()) {
                    (Some(status), _) => (status, String::new(), String::new()),
                    (None, "POST /v3/auth/tokens") => sign_in(&base, life, sign_ins(&log.lock().unwrap())),
                    (None, "GET /") => (300, String::new(), versions(&base)),
                    _ => glance(&request),
                };
                log.lock().unwrap().push(request);
                write(&mut stream, answer).await;
            }
        });
        Self { url, seen, failures, task }
    }

    /// Answers the next requests, whatever they are, with these statuses, the last one first.
    pub(crate) fn fail(&self, statuses: &[u16]) {
        *self.failures.lock().unwrap() = statuses.to_vec();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn sign_ins(&self) -> usize {
        sign_ins(&self.seen())
    }

    pub(crate) fn target(&self) -> OpenStack {
        let _ = rustls::crypto::ring::default_provider().install_default();
        OpenStack::new(self.settings()).unwrap()
    }

    pub(crate) fn settings(&self) -> OpenStackSettings {
        OpenStackSettings {
            target: "openstack".parse().unwrap(),
            owner: "debian".parse().unwrap(),
            cloud: Cloud {
                name: "stub".to_owned(),
                auth_url: self.url.parse().unwrap(),
                auth: Auth::Password {
                    user: Named::Name { name: "joe".to_owned(), domain: Domain::Id("default".to_owned()) },
                    password: Secret::new(PASSWORD),
                    project: Named::Id("p1".to_owned()),
                },
                regions: Vec::new(),
                interface: crate::config::Interface::Public,
                image_endpoint: None,
                image_endpoints: BTreeMap::new(),
                cacert: None,
                client: None,
                verify: true,
            },
            config: serde_json::from_str(r#"{"cloud": "stub"}"#).unwrap(),
            regions: Some(Regions::These(vec![region()])),
            best_effort: Vec::new(),
            deny: Vec::new(),
        }
    }
}

pub(crate) fn region() -> Region {
    "One".parse().unwrap()
}

fn sign_ins(seen: &[Seen]) -> usize {
    seen.iter().filter(|request| request.line == "POST /v3/auth/tokens").count()
}

fn sign_in(base: &str, life: u32, before: usize) -> Answer {
    let end = format!("2026-01-01T{:02}:{:02}:{:02}Z", life / 3600, life / 60 % 60, life % 60);
    let body = format!(
        r#"{{"token": {{"project": {{"id": "p1"}}, "issued_at": "2026-01-01T00:00:00Z", "expires_at": "{end}",
        "catalog": [{{"type": "image", "endpoints": [{{"region_id": "One", "interface": "public", "url": "{base}"}}]}}]}}}}"#
    );
    (201, format!("x-subject-token: {TOKEN}-{}\r\n", before + 1), body)
}

fn versions(base: &str) -> String {
    format!(
        r#"{{"versions": [{{"id": "v2.9", "status": "CURRENT", "links": [{{"rel": "self", "href": "{base}/v2/"}}]}}]}}"#
    )
}

async fn read(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            let length = header("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                return Seen { line, token: header("x-auth-token").unwrap_or_default(), body: body.to_owned() };
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return Seen { line: String::new(), token: String::new(), body: String::new() };
        }
    }
}

async fn write(stream: &mut TcpStream, (status, headers, body): Answer) {
    let text = format!(
        "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
