//! A world that answers on a socket, and the variables that lead clients there.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

use super::answer::answer;
use super::settings::{ACCOUNT, REGION, Settings};
use super::world::Shared;
use crate::fake::{Ca, Server};

/// The folder where worlds leave their logs, if it is set.
const LOGS: &str = "CLOUD_PUBLISH_TEST_AWS_LOGS";

/// A running world; it ends with this value.
pub struct FakeAws {
    /// Where it answers, for `AWS_ENDPOINT_URL`.
    pub url: String,
    /// What it knows.
    pub world: Arc<Shared>,
    leaves_log: bool,
    _server: Server,
}

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
        Self::start_with(settings, port, None)
    }

    /// Starts a world on a free loopback port with TLS; its certificate is by this authority.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start_with_tls(settings: Settings, ca: &Ca) -> Self {
        Self::start_with(settings, 0, Some(ca.server()))
    }

    fn start_with(settings: Settings, port: u16, tls: Option<Arc<ServerConfig>>) -> Self {
        let world = Arc::new(Shared::new(settings));
        let served = Arc::clone(&world);
        let server = Server::start(port, tls, move |received| {
            let shared = Arc::clone(&served);
            async move { answer(&shared, received.whole().await?).await }
        });
        Self { url: server.url.clone(), world, leaves_log: true, _server: server }
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
    }
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
