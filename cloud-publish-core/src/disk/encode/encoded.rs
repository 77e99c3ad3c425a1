//! The stream of bytes that an encoder makes.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt};

use crate::error::Result;

/// Some bytes, and how many of the disk's they account for.
pub(super) struct Part {
    pub(super) content: u64,
    pub(super) bytes: Bytes,
}

/// What an encoder makes of a disk: a stream of chunks of at most about 1 MiB, none of them empty.
///
/// # Errors
/// Items fail as [`Disk::read_at`](crate::disk::Disk::read_at) does; the first failure is the last item.
pub struct Encoded {
    length: Option<u64>,
    work: u64,
    done: u64,
    failed: bool,
    parts: BoxStream<'static, Result<Part>>,
}

impl Encoded {
    pub(super) fn new(
        length: Option<u64>,
        work: u64,
        parts: impl Stream<Item = Result<Part>> + Send + 'static,
    ) -> Self {
        Self { length, work, done: 0, failed: false, parts: parts.boxed() }
    }

    /// How many bytes will come in all, where that is known before they are made.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// How far it is, in bytes of the disk, without what it is padded with: done, and in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.done, self.work)
    }
}

impl Stream for Encoded {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let next = ready!(self.parts.poll_next_unpin(context));
        self.failed = matches!(next, Some(Err(_)));
        Poll::Ready(next.map(|part| {
            part.map(|Part { content, bytes }| {
                self.done = self.work.min(self.done + content);
                bytes
            })
        }))
    }
}

impl Debug for Encoded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { length, work, done, .. } = self;
        f.debug_struct("Encoded").field("length", length).field("work", work).field("done", done).finish()
    }
}
