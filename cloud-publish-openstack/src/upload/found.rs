//! What to do about a record, by its status: <https://docs.openstack.org/glance/latest/user/statuses.html>.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::Staged;

use super::{Upload, Way};
use crate::error::{WireError, classify};
use crate::glance::{Image, Status};

/// How long to wait for somebody else's upload. A record whose client died is `queued` again within a minute.
const BUSY: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(3600) };

/// How long Glance may take from the last byte to `active`.
const SETTLE: Pace =
    Pace { first: Duration::from_millis(200), longest: Duration::from_secs(5), deadline: Duration::from_secs(600) };

/// How long Glance may take to put a record back after it has answered 500: it does so before it answers.
const RESTORE: Pace =
    Pace { first: Duration::from_millis(500), longest: Duration::from_secs(3), deadline: Duration::from_secs(15) };

/// The states in which a record has no data and nobody sends any.
const NOBODY_SENDS: [Status; 2] = [Status::Queued, Status::Killed];

impl Upload<'_> {
    /// Brings a record of ours further; `None` means: look again.
    pub(super) async fn carry_on(&mut self, image: &Image, fresh: bool) -> Result<Option<Staged>> {
        match image.status {
            Status::Active | Status::Deactivated if self.has_filled(image) => self.accept(image).await.map(Some),
            Status::Active | Status::Deactivated => self.adopt(image).await.map(Some),
            _ if image.is_importing() => self.follow(image).await,
            Status::Uploading if image.size == Some(self.request.disk.file_size()) => self.import_staged(image).await,
            Status::Queued => self.send(image, fresh).await,
            Status::Saving | Status::Uploading => {
                self.says(
                    image,
                    "somebody is uploading it, or Glance has not noticed yet that an upload was cut off (a minute)",
                );
                self.settled(image, BUSY).await.map_err(|error| stuck(error, image))?;
                Ok(None)
            }
            status if status.is_dead() => {
                self.remove_if_still(&image.id, &NOBODY_SENDS, "the record is dead").await?;
                Ok(None)
            }
            status => Err(Error::new(Kind::Unexpected, format!("record {} is {status}", image.id))),
        }
    }

    /// Whether this call has staged its data, or has had them fetched.
    pub(super) fn has_filled(&self, image: &Image) -> bool {
        self.filled.as_ref() == Some(&image.id)
    }

    async fn send(&mut self, image: &Image, fresh: bool) -> Result<Option<Staged>> {
        match self.way().await? {
            Way::Put(store) => self.put(image, fresh, store).await,
            Way::Import => self.stage(image, fresh).await,
            Way::WebDownload(url) => self.download(image, &url).await,
        }
    }

    async fn put(&mut self, image: &Image, fresh: bool, store: Option<String>) -> Result<Option<Staged>> {
        let Err(error) = self.glance().put_file(&image.id, self.disk(), store.as_deref()).await else {
            self.sent = self.request.disk.file_size();
            return match self.settled(image, SETTLE).await? {
                Some(image) if matches!(image.status, Status::Active | Status::Deactivated) => {
                    self.accept(&image).await.map(Some)
                }
                // Gone, or back in `queued`: Glance refused the data after it had taken it.
                _ => Ok(None),
            };
        };
        self.not_taken(image, fresh, error).await
    }

    /// The data were not taken: what that means for the record.
    pub(super) async fn not_taken(&mut self, image: &Image, fresh: bool, error: WireError) -> Result<Option<Staged>> {
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

    /// Glance itself failed, at our data or before it looked at them.
    ///
    /// A record in `saving` may then be another run's, whose upload goes on: looking again waits for it.
    async fn failed_inside(&mut self, image: &Image, fresh: bool, error: WireError) -> Result<Option<Staged>> {
        self.says(image, "Glance failed and is putting the record back");
        match self.settled(image, RESTORE).await {
            Ok(Some(now)) if now.status == Status::Queued && fresh => Err(classify(error, "send image")),
            // It may have data of an earlier try that Glance cannot replace.
            Ok(Some(now)) if NOBODY_SENDS.contains(&now.status) => {
                self.remove_if_still(&image.id, &NOBODY_SENDS, "Glance cannot take data for this record").await?;
                Ok(None)
            }
            Ok(_) => Ok(None),
            Err(late) if late.kind() == Kind::TimedOut => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn refused(&mut self, image: &Image, error: WireError) -> Error {
        let error = classify(error, "send image");
        match self.remove_if_still(&image.id, &NOBODY_SENDS, "Glance refused its data").await {
            Ok(true) => error,
            Ok(false) => error.with("left behind", format!("record {}", image.id)),
            Err(left) => error.with("left behind", format!("record {}: {left}", image.id)),
        }
    }

    pub(super) fn says(&self, image: &Image, why: &str) {
        self.context.progress().says(&format!("waiting for record {}: {why}", image.id));
    }

    /// Waits until nobody sends data any more; `None` when the record is gone.
    async fn settled(&self, image: &Image, pace: Pace) -> Result<Option<Image>> {
        let what = format!("record {}", image.id);
        poll_until(self.context, &what, pace, || async {
            let found = self.glance().find(&image.id).await.map_err(|error| classify(error, "look at record"))?;
            Ok(match found {
                Some(image) if image.is_busy() => None,
                other => Some(other),
            })
        })
        .await
    }
}

/// A record whose upload Glance has lost, its database failing at the end and again at putting the record back, stays
/// `saving` for ever, and only a person can tell that from an upload that is slow.
pub(super) fn stuck(error: Error, image: &Image) -> Error {
    if error.kind() != Kind::TimedOut {
        return error;
    }
    error.permanent().hint(format!(
        "if nobody is uploading, the cloud has lost that upload: `openstack image delete {}`, then run the same command \
         again",
        image.id
    ))
}
