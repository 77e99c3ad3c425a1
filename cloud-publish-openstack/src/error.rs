//! What Keystone and Glance answer when something fails, and the one place where that becomes a [`cloud_publish_core`]
//! error. Decided by HTTP status alone: Glance's texts differ between versions and languages.

use std::error::Error as _;
use std::io;
use std::iter::successors;
use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Retry};
use cloud_publish_core::secret::Secret;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The service that signs in.
pub(crate) const KEYSTONE: &str = "Keystone";

/// The longest part of a server's message that is worth showing.
const LONGEST_MESSAGE: usize = 400;

/// The longest pause that a server may ask for. A larger number is a mistake of its own or a proxy's, and would stop the
/// run for as long as it says.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// What went wrong on the wire.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The service answered with an error.
    #[error("{service} answered {status}{}{message}", if message.is_empty() { "" } else { ": " })]
    Status { service: &'static str, status: StatusCode, message: String, retry_after: Option<Duration> },
    /// No whole answer came: the connection failed or broke, or a time-out passed.
    #[error("{service} could not be reached")]
    Transport { service: &'static str, source: reqwest::Error },
    /// An upload did not move on.
    #[error("{service} took no more data for {} s", after.as_secs())]
    Stalled { service: &'static str, after: Duration },
    /// The endpoint could not be found or did not answer to version discovery.
    #[error("the image service's endpoint could not be found")]
    Endpoint(#[source] osauth::Error),
    /// The answer is not what the API's documentation says.
    #[error("{service} answered something unreadable: {problem}")]
    Unreadable { service: &'static str, problem: String },
    /// Not the wire's fault: the run was cancelled, or something of ours failed.
    #[error(transparent)]
    Own(#[from] Error),
}

impl WireError {
    /// The HTTP status, if the service answered.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(status.as_u16()),
            _ => None,
        }
    }

    /// Whether the token was not accepted.
    pub(crate) fn is_unauthorized(&self) -> bool {
        match self {
            Self::Endpoint(error) => error.kind() == osauth::ErrorKind::AuthenticationFailed,
            _ => self.status() == Some(401),
        }
    }

    /// Whether the same read may work in a moment, and after which pause where the service named one.
    ///
    /// A time-out counts only when it was the connection's: whoever has waited two minutes for an answer is not made to
    /// wait for two more.
    pub(crate) fn passing(&self) -> Retry {
        let passes = match self {
            Self::Transport { source, .. } if source.is_timeout() => source.is_connect(),
            // `osauth` tells a 429 from no other 4xx, and hides the status.
            Self::Endpoint(source) if source.kind() == osauth::ErrorKind::InvalidInput => true,
            _ => matches!(self.kind(), Kind::Throttled | Kind::Unavailable),
        };
        if passes { Retry::After(self.retry_after()) } else { Retry::Never }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Own(own) => own.kind(),
            // Keystone's answer to a token or application credential that it does not know.
            Self::Status { service: KEYSTONE, status, .. } if *status == StatusCode::NOT_FOUND => Kind::Unauthenticated,
            Self::Status { status, .. } => kind_of(*status),
            // The body of an upload comes from our own disk.
            Self::Transport { source, .. } => own_cause(source).unwrap_or_else(|| kind_of_transport(source)),
            Self::Stalled { .. } => Kind::TimedOut,
            Self::Endpoint(source) => kind_of_session(source.kind()),
            Self::Unreadable { .. } => Kind::Unexpected,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Reads an answer that is not a success. `secret` is what it was asked with: servers quote what they were sent.
    pub(crate) async fn from_response(service: &'static str, response: reqwest::Response, secret: &Secret) -> Self {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = response.text().await.unwrap_or_default();
        Self::Status { service, status, message: message(&body, secret), retry_after }
    }
}

/// Turns what the wire said into what a caller can decide on.
pub(crate) fn classify(error: WireError, operation: &'static str) -> Error {
    let (kind, retry_after) = (error.kind(), error.retry_after());
    let untrusted = matches!(&error, WireError::Transport { source, .. } if is_untrusted(source));
    let own = match error {
        WireError::Own(own) => return own.during(operation),
        wire => Error::new(kind, "the cloud did not do it").during(operation).caused_by(wire),
    };
    let own = match retry_after {
        Some(after) if matches!(kind, Kind::Throttled | Kind::Unavailable) => own.retryable(Some(after)),
        _ => own,
    };
    match hint(kind) {
        _ if untrusted => {
            own.hint("if the cloud has an authority of its own, name its certificate with `cacert` in clouds.yaml")
        }
        Some(hint) => own.hint(hint),
        None => own,
    }
}

fn own_cause(error: &reqwest::Error) -> Option<Kind> {
    let mut causes = successors(error.source(), |&cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref::<Error>().map(Error::kind))
}

/// <https://docs.openstack.org/api-ref/image/v2/>, "HTTP response status codes".
fn kind_of(status: StatusCode) -> Kind {
    match status.as_u16() {
        400 | 415 | 422 => Kind::InvalidInput,
        401 => Kind::Unauthenticated,
        403 => Kind::PermissionDenied,
        404 | 410 => Kind::NotFound,
        409 => Kind::Conflict,
        413 => Kind::QuotaExceeded,
        429 => Kind::Throttled,
        408 | 500 | 502 | 503 | 504 => Kind::Unavailable,
        _ => Kind::Unexpected,
    }
}

fn kind_of_transport(error: &reqwest::Error) -> Kind {
    match error {
        _ if is_untrusted(error) => Kind::InvalidInput,
        _ if error.is_timeout() => Kind::TimedOut,
        _ if error.is_builder() => Kind::InvalidInput,
        _ => Kind::Unavailable,
    }
}

/// Whether TLS came to no connection, as it does with a certificate that nobody trusts. `rustls` says so by this kind:
/// <https://docs.rs/tokio-rustls/latest/tokio_rustls/struct.Connect.html>.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let invalid = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref().is_some_and(is_invalid_data);
    error.is_connect() && successors(error.source(), |&cause| cause.source()).any(invalid)
}

/// One error may be wrapped in another of the same type, which `source` passes over.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = || error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner().is_some_and(is_invalid_data)
}

fn kind_of_session(kind: osauth::ErrorKind) -> Kind {
    match kind {
        osauth::ErrorKind::AuthenticationFailed => Kind::Unauthenticated,
        osauth::ErrorKind::AccessDenied => Kind::PermissionDenied,
        osauth::ErrorKind::OperationTimedOut => Kind::TimedOut,
        osauth::ErrorKind::EndpointNotFound
        | osauth::ErrorKind::ResourceNotFound
        | osauth::ErrorKind::InvalidInput
        | osauth::ErrorKind::InvalidConfig => Kind::InvalidInput,
        osauth::ErrorKind::ProtocolError | osauth::ErrorKind::InternalServerError => Kind::Unavailable,
        _ => Kind::Unexpected,
    }
}

fn hint(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Unauthenticated => Some(
            "check how clouds.yaml signs in to this cloud: auth_url, user, password or credential, project and domains; a \
             token may have ended",
        ),
        Kind::PermissionDenied => Some("ask the cloud's operator for a role that may do this"),
        Kind::QuotaExceeded => Some("delete images of this project, or ask the cloud's operator for a larger quota"),
        _ => None,
    }
}

/// Seconds, up to [`LONGEST_PAUSE`]; the other form, a date, would need the server's clock and is left to the executor's
/// own pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// The sentence inside an error's body: Keystone answers JSON, Glance HTML, a proxy whatever it likes.
///
/// The secret goes first, as it was sent and as JSON or HTML may have written it: once the text is folded and cut, a part
/// of it could stay.
fn message(body: &str, secret: &Secret) -> String {
    let body = without(body, secret);
    let text = json_message(&body).unwrap_or_else(|| html_text(&body));
    let text = without(&text, secret);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect()
}

/// The text with three stars in the secret's place.
pub(crate) fn without(text: &str, secret: &Secret) -> String {
    match secret.reveal() {
        "" => text.to_owned(),
        secret => text.replace(secret, "***"),
    }
}

fn json_message(body: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    let inner = value.get("error").unwrap_or(&value);
    let text = inner.get("message").or_else(|| inner.get("title"))?.as_str()?;
    Some(text.to_owned())
}

fn html_text(body: &str) -> String {
    let lower = body.to_ascii_lowercase();
    let after_title = lower.find("</h1>").and_then(|at| body.get(at + "</h1>".len()..)).unwrap_or(body);
    let mut text = String::new();
    let mut inside_tag = false;
    for c in after_title.chars() {
        match c {
            '<' => inside_tag = true,
            '>' if inside_tag => {
                inside_tag = false;
                text.push(' ');
            }
            _ if inside_tag => {}
            _ => text.push(c),
        }
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text, |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud_publish_core::error::{Kind, Retry};
    use cloud_publish_core::secret::Secret;
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{KEYSTONE, WireError, classify, message, retry_after};

    fn answered(status: u16, retry_after: Option<Duration>) -> WireError {
        let status = StatusCode::from_u16(status).unwrap();
        WireError::Status { service: "Glance", status, message: "because".into(), retry_after }
    }

    #[test]
    fn every_status_has_its_kind() {
        let table = [
            (300, Kind::Unexpected),
            (400, Kind::InvalidInput),
            (401, Kind::Unauthenticated),
            (403, Kind::PermissionDenied),
            (404, Kind::NotFound),
            (408, Kind::Unavailable),
            (409, Kind::Conflict),
            (410, Kind::NotFound),
            (413, Kind::QuotaExceeded),
            (415, Kind::InvalidInput),
            (422, Kind::InvalidInput),
            (429, Kind::Throttled),
            (500, Kind::Unavailable),
            (501, Kind::Unexpected),
            (502, Kind::Unavailable),
            (503, Kind::Unavailable),
            (504, Kind::Unavailable),
        ];
        for (status, kind) in table {
            assert_eq!(classify(answered(status, None), "list").kind(), kind, "{status}");
        }
    }

    #[test]
    fn a_credential_that_keystone_does_not_know_is_a_wrong_one() {
        let message = "Could not find Application Credential: x.".to_owned();
        let status = StatusCode::NOT_FOUND;
        let unknown = WireError::Status { service: KEYSTONE, status, message, retry_after: None };
        assert_eq!(classify(unknown, "sign in").kind(), Kind::Unauthenticated);
    }

    #[test]
    fn an_answer_is_named_with_its_cause_and_a_next_step() {
        let error = classify(answered(413, None), "upload");
        assert_eq!(
            error.chain(),
            ["the cloud did not do it (upload)", "Glance answered 413 Payload Too Large: because"]
        );
        assert!(error.advice().unwrap().contains("quota"));
    }

    #[test]
    fn the_cloud_s_own_pause_is_kept_and_makes_nothing_else_retryable() {
        let pause = Some(Duration::from_secs(7));
        for status in [429, 503] {
            assert_eq!(classify(answered(status, pause), "list").retry(), Retry::After(pause), "{status}");
        }
        assert_eq!(classify(answered(413, pause), "upload").retry(), Retry::Never);
    }

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        let headers = |value| HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        assert_eq!(retry_after(&headers("12")), Some(Duration::from_secs(12)));
        assert_eq!(retry_after(&headers("Fri, 31 Dec 1999 23:59:59 GMT")), None);
    }

    #[test]
    fn nobody_is_made_to_wait_longer_than_ten_minutes() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("86400"))]);
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(600)));
    }

    #[test]
    fn messages_are_found_in_html_json_and_plain_text() {
        let html = "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\n  \
                    Image a&#x27;s is &lt;protected&gt;.<br /><br />\n\n\n </body>\n</html>";
        let message = |body: &str| message(body, &Secret::new(""));
        assert_eq!(message(html), "Image a's is <protected>.");
        assert_eq!(message(r#"{"error": {"code": 401, "message": "No.", "title": "Unauthorized"}}"#), "No.");
        assert_eq!(message("upstream\n  is down"), "upstream is down");
        assert_eq!(message(&"x".repeat(9000)).len(), 400);
    }

    #[test]
    fn no_part_of_a_secret_stays_however_a_server_quotes_it() {
        let secret = Secret::new("can  a\"ry<7>");
        let cut = format!("{}{}", "x".repeat(398), secret.reveal());
        let json = serde_json::json!({"error": {"message": format!("wrong: {}", secret.reveal())}}).to_string();
        let html = "<h1>401</h1> wrong: can  a&quot;ry&lt;7&gt; ";
        for body in [secret.reveal(), &cut, &json, html] {
            let shown = message(body, &secret);
            assert!(shown.ends_with("**") && !shown.contains("ca") && !shown.contains("ry"), "{shown}");
        }
    }
}
