//! Refusals, and how each service writes one: Keystone JSON, Glance a page of HTML.

use bytes::Bytes;
use serde_json::json;

use super::call::Service;
use crate::fake::Reply;

/// What a service answers.
pub(crate) type Outcome = Result<Reply, Refused>;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    message: String,
    retry_after: Option<u32>,
}

impl Refused {
    /// A refusal with this status.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    /// 400
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 401
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "The request you have made requires authentication.")
    }

    /// 403
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    /// 404
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 409
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, message)
    }

    /// 413
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, message)
    }

    /// As proxies in front of the services say it.
    pub(crate) fn throttled() -> Self {
        Self { retry_after: Some(1), ..Self::new(429, "This request was rate-limited.") }
    }

    /// As the service says it, or the proxy in front of it.
    pub(crate) fn failed(status: u16) -> Self {
        Self::new(status, "The server has either erred or is incapable of performing the requested operation.")
    }

    /// Writes it as the service does.
    pub(crate) fn render(&self, service: Service) -> Reply {
        let title = title(self.status);
        // Tokens are refused by what stands in front of Glance, which speaks JSON.
        let reply = if service == Service::Identity || self.status == 401 {
            let body = json!({"error": {"code": self.status, "message": self.message, "title": title}});
            Reply::bytes(Bytes::from(body.to_string())).header("content-type", "application/json")
        } else {
            let message = escaped(&self.message);
            let page = format!(
                "<html>\n <head>\n  <title>{0} {title}</title>\n </head>\n <body>\n  <h1>{0} {title}</h1>\n  \
                 {message}<br /><br />\n\n\n\n </body>\n</html>",
                self.status
            );
            Reply::bytes(Bytes::from(page)).header("content-type", "text/html; charset=UTF-8")
        };
        let reply = match self.status {
            401 => reply.header("www-authenticate", "Keystone uri=\"identity\""),
            _ => reply,
        };
        let reply = match self.retry_after {
            Some(seconds) => reply.header("retry-after", seconds.to_string()),
            None => reply,
        };
        reply.status(self.status)
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
}

#[cfg(test)]
mod tests {
    use super::{Refused, Service};

    #[test]
    fn glance_writes_html_and_keystone_json() {
        let refused = Refused::forbidden("Image a's is <protected>.");
        let page = refused.render(Service::Image);
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(page.contains("<h1>403 Forbidden</h1>\n  Image a&#x27;s is &lt;protected&gt;.<br />"), "{page}");
        let json = refused.render(Service::Identity).body;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["error"]["title"], "Forbidden");
    }
}
