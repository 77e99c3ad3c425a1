//! An import task: what was asked, and how far it is at a moment.

use jiff::Timestamp;

use super::source::Source;
use crate::aws::query::Tags;
use crate::aws::xml::Xml;

/// Account and region.
pub(super) type Place = (String, String);

/// One task. The snapshot is made at once and comes to light at the end.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) description: String,
    pub(super) source: Source,
    pub(super) tags: Tags,
    /// Bytes of the object.
    pub(super) size: u64,
    pub(super) started: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) fate: Fate,
}

/// What becomes of a task.
#[derive(Debug)]
pub(super) enum Fate {
    /// This snapshot, at the end.
    Snapshot(String),
    /// Nothing, for this reason, at the end.
    Fails(String),
    /// Nothing: it was cancelled, for this reason.
    Cancelled(String),
}

impl Task {
    /// `active`, `completed` or `deleted`.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match &self.fate {
            Fate::Cancelled(_) => "deleted",
            _ if now < self.ends => "active",
            Fate::Snapshot(_) => "completed",
            Fate::Fails(_) => "deleted",
        }
    }

    /// Percent, while it is active.
    fn progress(&self, now: Timestamp) -> Option<i64> {
        let [whole, done] = [self.ends, now].map(|upto| upto.as_millisecond() - self.started.as_millisecond());
        (self.status(now) == "active").then(|| (done * 100 / whole.max(1)).clamp(0, 99))
    }

    /// What it is doing, or why it ended early.
    pub(super) fn message(&self, now: Timestamp) -> Option<String> {
        match (&self.fate, self.progress(now)) {
            (Fate::Cancelled(reason), _) => Some(reason.clone()),
            (_, Some(0..20)) => Some("pending".to_owned()),
            (_, Some(20..80)) => Some("downloading/converting".to_owned()),
            (_, Some(_)) => Some("preparing snapshot".to_owned()),
            (Fate::Fails(reason), None) => Some(reason.clone()),
            (Fate::Snapshot(_), None) => None,
        }
    }

    /// The snapshot, once it is there.
    pub(super) fn snapshot(&self, now: Timestamp) -> Option<&str> {
        match &self.fate {
            Fate::Snapshot(id) if now >= self.ends => Some(id),
            _ => None,
        }
    }

    /// Writes it as both operations answer.
    pub(super) fn write(&self, xml: &mut Xml, id: &str, now: Timestamp) {
        xml.text("importTaskId", id).text("description", &self.description);
        xml.node("snapshotTaskDetail", |xml| {
            xml.text("description", &self.source.description);
            xml.text("diskImageSize", format!("{:.1}", self.size as f64));
            xml.text("encrypted", self.source.encrypted).text("format", &self.source.format);
            xml.optional("progress", self.progress(now)).optional("snapshotId", self.snapshot(now));
            xml.text("status", self.status(now)).optional("statusMessage", self.message(now));
            xml.node("userBucket", |xml| {
                xml.text("s3Bucket", &self.source.bucket).text("s3Key", &self.source.key);
            });
        });
        xml.tags(&self.tags);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Fate, Source, Task};

    fn task(fate: Fate) -> Task {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let (description, source, tags) = (String::new(), Source::default(), Default::default());
        Task { description, source, tags, size: 1, started: at(1000), ends: at(2000), fate }
    }

    #[test]
    fn a_snapshot_comes_to_light_only_at_the_end() {
        let task = task(Fate::Snapshot("snap-1".to_owned()));
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let seen = |ms| (task.status(at(ms)), task.progress(at(ms)), task.snapshot(at(ms)));
        assert_eq!(seen(1000), ("active", Some(0), None));
        assert_eq!(seen(1999), ("active", Some(99), None));
        assert_eq!(seen(2000), ("completed", None, Some("snap-1")));
    }

    #[test]
    fn a_failure_shows_late_and_a_cancellation_at_once() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let failing = task(Fate::Fails("ClientError".to_owned()));
        assert_eq!((failing.status(at(1500)), failing.status(at(2000))), ("active", "deleted"));
        assert_eq!(failing.message(at(2000)).as_deref(), Some("ClientError"));
        assert_eq!(task(Fate::Cancelled(String::new())).status(at(1500)), "deleted");
    }
}
