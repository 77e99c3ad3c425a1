//! An answer as it goes over the wire.

use bytes::Bytes;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// What follows the body, piece by piece.
    pub(crate) tail: Vec<Bytes>,
}

impl Reply {
    /// Raw bytes, not copied.
    pub(crate) fn bytes(body: Bytes) -> Self {
        Self { status: 200, headers: Vec::new(), body, tail: Vec::new() }
    }

    /// No body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::bytes(Bytes::new()).status(status)
    }

    /// With another status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header more.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
