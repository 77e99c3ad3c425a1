//! What to do about a record, by its status: <https://docs.openstack.org/glance/latest/user/statuses.html>.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Staged;

use super::Upload;
use crate::content;
use crate::error::{WireError, classify};
use crate::glance::{Image, Status};
use crate::tags::decode;

/// How long to wait for somebody else's upload. A record whose client died is `queued` again within seconds.
const BUSY: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(3600) };

/// How long Glance may take from the last byte to `active`.
const SETTLE: Pace =
    Pace { first: Duration::from_millis(200), longest: Duration::from_secs(5), deadline: Duration::from_secs(600) };

/// How long Glance may take to put a record back after it has answered 500: it does so before it answers.
const RESTORE: Pace =
    Pace { first: Duration::from_millis(500), longest: Duration::from_secs(3), deadline: Duration::from_secs(15) };

impl Upload<'_> {
    /// Brings a record of ours further; `None` means: look again.
    pub(super) async fn carry_on(&mut self, image: &Image, fresh: bool) -> Result<Option<Staged>> {
        match image.status {
            Status::Active | Status::Deactivated => self.check(image, 0).await.map(Some),
            Status::Queued => self.send(image, fresh).await,
            status if status.is_busy() => {
                self.context.progress().says("somebody else is uploading this image: waiting for it");
                self.settled(image, BUSY).await.map_err(|error| stuck(error, image))?;
                Ok(None)
            }
            status if status.is_dead() => {
                self.remove(image, "the record is dead").await?;
                Ok(None)
            }
            status => Err(Error::new(Kind::Unexpected, format!("record {} is {status}", image.id))),
        }
    }

    async fn send(&mut self, image: &Image, fresh: bool) -> Result<Option<Staged>> {
        let disk = self.disk();
        let size = disk.file_size();
        let Err(error) = self.glance().put_file(&image.id, disk).await else {
            let Some(image) = self.settled(image, SETTLE).await? else { return Ok(None) };
            // Back in `queued`: Glance refused the data after it had taken it.
            return if image.status == Status::Queued { Ok(None) } else { self.check(&image, size).await.map(Some) };
        };
        match error.status() {
            // Another run was quicker, or the record has been deleted: looking again tells.
            Some(404 | 409 | 410) => {
                self.context.sleep(BUSY.first).await?;
                Ok(None)
            }
            // A token that Glance does not take any more is forgotten by the next request.
            Some(401) if fresh => Ok(None),
            Some(500) => self.failed_inside(image, fresh, error).await,
            // Kept, it would hold the quota or fail again.
            Some(413 | 415) => Err(self.refused(image, error).await),
            _ => Err(classify(error, "send image")),
        }
    }

    /// Glance itself failed at our data, so nobody is sending any more, whatever the record says.
    ///
    /// A gateway's 502 or 504 does not come here: behind it Glance may still be writing.
    async fn failed_inside(&mut self, image: &Image, fresh: bool, error: WireError) -> Result<Option<Staged>> {
        let reason = match self.settled(image, RESTORE).await {
            Ok(None) => return Ok(None),
            Ok(Some(now)) if now.status == Status::Active => {
                return self.check(&now, self.disk().file_size()).await.map(Some);
            }
            Ok(Some(now)) if now.status == Status::Queued && fresh => return Err(classify(error, "send image")),
            // It has data of an earlier try that Glance cannot replace.
            Ok(Some(_)) => "Glance cannot take data for this record",
            // Its database failed at the end, and then at putting the record back: it would stay `saving` for ever.
            Err(late) if late.kind() == Kind::TimedOut => "Glance has lost the upload of this record",
            Err(other) => return Err(other),
        };
        self.remove(image, reason).await.map(|()| None)
    }

    async fn refused(&mut self, image: &Image, error: WireError) -> Error {
        let error = classify(error, "send image");
        match self.remove(image, "Glance refused its data").await {
            Ok(()) => error,
            Err(left) => error.with("left behind", format!("record {}: {left}", image.id)),
        }
    }

    /// Waits until nobody sends data any more; `None` when the record is gone.
    async fn settled(&self, image: &Image, pace: Pace) -> Result<Option<Image>> {
        let what = format!("record {}", image.id);
        poll_until(self.context, &what, pace, || async {
            let found = self.glance().find(&image.id).await.map_err(|error| classify(error, "look at record"))?;
            Ok(match found {
                Some(image) if image.status.is_busy() => None,
                other => Some(other),
            })
        })
        .await
    }

    /// Compares what Glance has with the file; what differs is removed unless it was published.
    async fn check(&mut self, image: &Image, sent: u64) -> Result<Staged> {
        let staged = Staged { region: self.here.region().clone(), id: image.id.clone(), sent };
        let request = self.request;
        let Err(error) = content::compare(self.context, image, &request.image, &request.disk).await else {
            return Ok(staged);
        };
        let error = error.during("upload").with("id", &image.id);
        let labels = decode(&image.properties(), &self.here.place, self.here.region());
        let in_use = image.visibility != "private" || !labels.marks.is_ok_and(|marks| marks.published.is_none());
        if error.kind() == Kind::Corrupt {
            if in_use {
                return Err(error.hint("it is published: look at it before you delete it"));
            }
            self.remove(image, "what arrived was not what was sent").await?;
        }
        Err(error)
    }
}

/// A record whose upload another run has lost inside Glance stays `saving` for ever (see [`Upload::failed_inside`]), and
/// only a person can tell that from an upload that is slow.
fn stuck(error: Error, image: &Image) -> Error {
    if error.kind() != Kind::TimedOut {
        return error;
    }
    error.permanent().hint(format!(
        "if nobody is uploading, the cloud has lost that upload: `openstack image delete {}`, then run the same command \
         again",
        image.id
    ))
}
