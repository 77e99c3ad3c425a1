//! The socket: reads requests, asks the service, answers, and does the damage that faults order.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::answer::{Received, answer};
use super::settings::{ACCOUNT, REGION, Settings};
use super::world::Shared;

/// The folder where worlds leave their logs, if it is set.
const LOGS: &str = "CLOUD_PUBLISH_TEST_AWS_LOGS";

/// Room is made at once for a body of at most so many bytes; larger ones are believed as they come.
const LARGEST_EXPECTED: usize = 16 * 1024 * 1024;

/// A running world; it ends with this value.
pub struct FakeAws {
    /// Where it answers, for `AWS_ENDPOINT_URL`.
    pub url: String,
    /// What it knows.
    pub world: Arc<Shared>,
    leaves_log: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl FakeAws {
    /// Starts a world on a free loopback port, on threads of its own.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(settings: Settings) -> Self {
        Self::start_on(settings, 0)
    }

    /// Starts a world on this loopback port.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start_on(settings: Settings, port: u16) -> Self {
        let world = Arc::new(Shared::new(settings));
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel();
        let served = Arc::clone(&world);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
                ready.send(listener.local_addr().expect("an address")).expect("the starter waits");
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let address: SocketAddr = address.recv().unwrap_or_else(|_| panic!("port {port} is not free"));
        Self { url: format!("http://{address}"), world, leaves_log: true, stop: Some(stop), thread: Some(thread) }
    }

    /// Leaves no log behind: its requests are not the project's own.
    #[must_use]
    pub fn for_foreign_clients(mut self) -> Self {
        self.leaves_log = false;
        self
    }

    /// The variables that lead any AWS client here, as the default account.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment_of(ACCOUNT, REGION)
    }

    /// The variables that lead any AWS client here.
    pub fn environment_of(&self, account: &str, region: &str) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", &format!("AKIA{account}TEST")),
            ("AWS_SECRET_ACCESS_KEY", "any"),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeAws").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeAws {
    fn leave_log(&self) {
        let Some(folder) = std::env::var_os(LOGS).filter(|_| self.leaves_log) else { return };
        let port = self.url.rsplit(':').next().unwrap_or_default();
        let file = std::path::Path::new(&folder).join(format!("{}-{port}.json", std::process::id()));
        let log = serde_json::json!({"requests": self.world.all_requests()});
        if let Err(error) = std::fs::write(&file, log.to_string()) {
            eprintln!("{}: {error}", file.display());
        }
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.leave_log();
        if let Some(stop) = self.stop.take() {
            // An error says that it ended before.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Out of descriptors: some close soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        drop(socket.set_nodelay(true));
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&shared), request));
            // A client that went away is no error of ours.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
        });
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = read(body).await?;
    let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str()).to_owned();
    let reply = answer(&shared, Received { method: parts.method.as_str().to_owned(), uri, headers, body }).await?;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(reply.body)).expect("headers of ours"))
}

/// Reads a body into one piece, piece by piece: hyper uses its own buffer again as soon as a piece is copied. Blocks of
/// 512 KiB would otherwise be in memory twice.
async fn read(mut body: Incoming) -> Result<Bytes, Cut> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(LARGEST_EXPECTED);
    let mut whole = BytesMut::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Cut)?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::{FakeAws, Settings};
    use crate::aws::{Rule, What};

    /// The first line of the answer; empty if the connection is cut, nothing if there is none.
    fn ask(address: &str, authorization: &str) -> Option<String> {
        let mut socket = TcpStream::connect(address).ok()?;
        let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n");
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
        write!(socket, "{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        // Reading fails when the connection is cut.
        drop(socket.read_to_string(&mut answer));
        Some(answer.lines().next().unwrap_or_default().to_owned())
    }

    fn signed(account: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential=AKIA{account}TEST/20240101/us-east-1/sts/aws4_request, SignedHeaders=host")
    }

    #[test]
    fn a_world_ends_with_its_value() {
        let fake = FakeAws::start(Settings::default());
        let address = fake.url.trim_start_matches("http://").to_owned();
        assert_eq!(ask(&address, &signed("111111111111")).as_deref(), Some("HTTP/1.1 200 OK"));
        drop(fake);
        assert_eq!(ask(&address, &signed("111111111111")), None);
    }

    #[test]
    fn a_request_is_in_the_log_with_its_fault() {
        let fake = FakeAws::start(Settings::default());
        let rule = serde_json::json!({"operation": "GetCaller*", "what": "reset"});
        fake.world.set_faults(vec![serde_json::from_value::<Rule>(rule).unwrap()]);
        let address = fake.url.trim_start_matches("http://");
        assert_eq!(ask(address, &signed("111111111111")).as_deref(), Some(""));
        let requests = fake.world.requests();
        assert_eq!(requests[0].fault.as_deref(), Some(What::Reset.name()));
        assert_eq!(requests[0].status, None);
    }

    #[test]
    fn who_does_not_sign_or_is_unknown_is_refused() {
        let fake = FakeAws::start(Settings::default());
        let address = fake.url.trim_start_matches("http://");
        assert_eq!(ask(address, "none").as_deref(), Some("HTTP/1.1 403 Forbidden"));
        assert_eq!(ask(address, &signed("999999999999")).as_deref(), Some("HTTP/1.1 403 Forbidden"));
    }
}
