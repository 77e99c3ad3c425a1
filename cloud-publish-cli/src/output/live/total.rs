//! The line about all of it: how many steps ended, how many bytes are through.

use std::time::Duration;

use super::fit::Line;
use super::task::{Far, bytes};
use crate::output::rate::Rate;

/// What there is to do, and what was done of it.
#[derive(Debug, Default)]
pub(super) struct Total {
    steps: u64,
    uploads: u64,
    ended: u64,
    failed: u64,
    /// Bytes of the uploads that ended, and how many these were.
    sent: (u64, u64),
    rate: Rate,
}

impl Total {
    /// Nothing of it is done yet.
    pub(super) fn new(steps: u64, uploads: u64) -> Self {
        Self { steps, uploads, ..Self::default() }
    }

    /// A step came to its end; an upload says how much it sent.
    pub(super) fn end(&mut self, sent: Option<u64>) {
        self.ended += 1;
        if let Some(sent) = sent {
            self.sent = (self.sent.0 + sent, self.sent.1 + 1);
        }
    }

    /// A step failed.
    pub(super) fn fail(&mut self) {
        self.failed += 1;
    }

    /// The uploads under way have so many bytes through.
    pub(super) fn moved(&mut self, now: Duration, done: u64) {
        self.rate.saw(now, self.sent.0 + done);
    }

    /// The line, given what is done and to do of each upload under way.
    pub(super) fn line(&mut self, now: Duration, uploads: impl Iterator<Item = (u64, u64)>) -> Line {
        let (mut done, mut all, mut known) = (self.sent.0, self.sent.0, self.sent.1);
        for (sent, total) in uploads {
            (done, all, known) = (done + sent, all + total, known + 1);
        }
        // Uploads that did not begin are taken to be like the others.
        all += all.checked_div(known).unwrap_or(0).saturating_mul(self.uploads.saturating_sub(known));
        let rate = self.rate.per_second(now);
        let far = if done < all { bytes(done, all, rate) } else { Far::Words(String::new()) };
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let what = format!("{} of {} steps{failed}", self.ended, self.steps);
        Line { verb: "total".to_owned(), what, place: String::new(), far }
    }
}
