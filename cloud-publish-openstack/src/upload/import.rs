//! Imports: staged or fetched data that the cloud brings into its stores by itself.
//!
//! Clouds offer imports that fail, after which Glance puts the record back to `queued` without a word, and imports that
//! hang. Both end in a `PUT` of the same bytes, said so.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Note, Staged};
use serde_json::{Value, json};

use super::Upload;
use super::found::stuck;
use super::way::{import_method, import_request, put};
use crate::config::{OpenStackConfig, UploadWay};
use crate::error::{WireError, classify};
use crate::glance::{Image, Status};

/// How often a record may refuse staged data while nobody is at work: an import that failed may have left some behind.
const REFUSALS: u32 = 3;

/// In a note: the record whose import this step has asked for.
const NOTE: &str = "import_of";

/// In a note: the record whose import did not work.
const GIVEN_UP: &str = "import_given_up";

const EARLIER: &str = "it was given up before";

/// States that an import of ours may leave a record in.
const UNFINISHED: [Status; 3] = [Status::Queued, Status::Uploading, Status::Importing];

/// How an import ended.
enum Ended {
    /// There is an image.
    Image(Box<Image>),
    /// The record is gone.
    Gone,
    /// It failed, for this reason.
    Failed(String),
}

impl Upload<'_> {
    /// Sends the data to the staging area; the next look asks for their import.
    pub(super) async fn stage(&mut self, image: &Image, fresh: bool) -> Result<Option<Staged>> {
        let Err(error) = self.glance().stage(&image.id, self.disk()).await else {
            self.filled = Some(image.id.clone());
            self.sent = self.request.disk.file_size();
            return Ok(None);
        };
        match error.status() {
            Some(400 | 403 | 404 | 405 | 410 | 413 | 501) => self.fall_back(image, &error.to_string()).await,
            Some(409) if self.refusals >= REFUSALS => self.fall_back(image, &error.to_string()).await,
            Some(409) => {
                self.refusals = self.refusals.saturating_add(1);
                self.not_taken(image, fresh, error).await
            }
            _ => self.not_taken(image, fresh, error).await,
        }
    }

    /// Has data imported that are staged whole, by this call or by one that died.
    pub(super) async fn import_staged(&mut self, image: &Image) -> Result<Option<Staged>> {
        if self.gave_up_import(Some(image)) {
            return self.fall_back(image, EARLIER).await;
        }
        self.import(image, json!({"name": import_method(UploadWay::Import)}), false).await
    }

    /// Has the cloud fetch the data.
    pub(super) async fn download(&mut self, image: &Image, url: &str) -> Result<Option<Staged>> {
        self.import(image, json!({"name": import_method(UploadWay::WebDownload), "uri": url}), true).await
    }

    /// Asks for an import; `fills`: it brings the data itself, and so they are this call's.
    async fn import(&mut self, image: &Image, method: Value, fills: bool) -> Result<Option<Staged>> {
        self.context.note(Note::Acknowledged { value: json!({NOTE: image.id}) }).await?;
        let body = import_request(&self.settings.config, method);
        match self.glance().start_import(&image.id, &body).await {
            Ok(()) => {
                if fills {
                    self.filled = Some(image.id.clone());
                }
                self.follow_ours(image).await
            }
            Err(error) if error.status() == Some(409) => self.conflict(image, &error).await,
            Err(error) if matches!(error.status(), Some(400 | 403 | 404 | 405 | 410 | 413 | 501)) => {
                self.fall_back(image, &error.to_string()).await
            }
            Err(error) => Err(classify(error, "import image")),
        }
    }

    /// Another run was quicker, or Glance will not have it.
    async fn conflict(&mut self, image: &Image, error: &WireError) -> Result<Option<Staged>> {
        let now = self.glance().find(&image.id).await.map_err(|error| classify(error, "look at record"))?;
        match now {
            Some(now) if now.status == image.status && !now.is_importing() => {
                self.fall_back(image, &error.to_string()).await
            }
            _ => Ok(None),
        }
    }

    /// Waits for an import that somebody has asked for: this run, one that died, or another one.
    pub(super) async fn follow(&mut self, image: &Image) -> Result<Option<Staged>> {
        if self.gave_up_import(Some(image)) {
            return self.fall_back(image, EARLIER).await;
        }
        let ours = json!({NOTE: image.id});
        let notes = self.context.earlier_notes();
        if notes.into_iter().any(|note| note == Note::Acknowledged { value: ours.clone() }) || self.has_filled(image) {
            return self.follow_ours(image).await;
        }
        self.says(image, "the cloud is importing it");
        match self.ended(image).await.map_err(|error| stuck(error, image))? {
            Ended::Image(image) => self.adopt(&image).await.map(Some),
            Ended::Gone | Ended::Failed(_) => Ok(None),
        }
    }

    /// A record that an import of ours fills.
    async fn follow_ours(&mut self, image: &Image) -> Result<Option<Staged>> {
        self.says(image, "the cloud is importing it");
        match self.ended(image).await {
            Ok(Ended::Image(image)) if self.has_filled(&image) => self.accept(&image).await.map(Some),
            Ok(Ended::Image(image)) => self.adopt(&image).await.map(Some),
            Ok(Ended::Gone) => Ok(None),
            Ok(Ended::Failed(why)) => self.fall_back(image, &why).await,
            Err(error) if error.kind() == Kind::TimedOut => self.fall_back(image, error.message()).await,
            Err(error) => Err(error),
        }
    }

    async fn ended(&self, image: &Image) -> Result<Ended> {
        let pace = Pace {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(10),
            deadline: Duration::from_secs(self.settings.config.import_timeout.into()),
        };
        poll_until(self.context, "the cloud's import", pace, || self.ask(&image.id)).await
    }

    async fn ask(&self, id: &str) -> Result<Option<Ended>> {
        let failed = |error| classify(error, "look at import");
        let Some(now) = self.glance().find(id).await.map_err(failed)? else { return Ok(Some(Ended::Gone)) };
        match now.status {
            Status::Active | Status::Deactivated => return Ok(Some(Ended::Image(Box::new(now)))),
            status if status.is_dead() => return Ok(Some(Ended::Gone)),
            _ if now.is_importing() => return Ok(None),
            _ => {}
        }
        // No import holds it any more. Clouds before Victoria never say so: there only a failed task counts.
        let tasks = self.glance().tasks(id).await.map_err(failed)?;
        let message = tasks.into_iter().rfind(|task| task.status == "failure").map(|task| task.message);
        Ok(match (now.status, message) {
            (_, Some(message)) => Some(Ended::Failed(message.unwrap_or_else(|| "it gave no reason".to_owned()))),
            (Status::Queued, None) => Some(Ended::Failed("the record is queued again".to_owned())),
            _ => None,
        })
    }

    /// Whether an earlier try or run has found that imports do not work here, at this record if one is given: none waits
    /// for that again until somebody configures the upload otherwise.
    pub(super) fn gave_up_import(&self, image: Option<&Image>) -> bool {
        let is_one = |note: &Note| {
            let Note::Acknowledged { value } = note else { return false };
            let of = value.get(GIVEN_UP).and_then(Value::as_str);
            of.is_some_and(|id| image.is_none_or(|image| image.id == id) && *value == self.given_up(id))
        };
        self.context.earlier_notes().iter().any(is_one)
    }

    /// The note of an import that did not work, with all that was configured about it.
    fn given_up(&self, id: &str) -> Value {
        let OpenStackConfig { upload, stores, import_timeout, web_download_url, .. } = &self.settings.config;
        json!({GIVEN_UP: id, "upload": upload, "stores": stores, "import_timeout": import_timeout,
            "web_download_url": web_download_url})
    }

    /// The import did not work: the same bytes go by `PUT`, in every further try too. A record that can take none any
    /// more is removed.
    async fn fall_back(&mut self, image: &Image, why: &str) -> Result<Option<Staged>> {
        if !self.gave_up_import(Some(image)) {
            self.context.note(Note::Acknowledged { value: self.given_up(&image.id) }).await?;
        }
        self.way = Some(put(&self.settings.config));
        self.filled = None;
        let where_to = match self.settings.config.stores {
            Some(_) => ", into one store",
            None => "",
        };
        let message =
            format!("the import of record {} did not work ({why}): sending the bytes by PUT{where_to}", image.id);
        self.context.progress().says(&message);
        tracing::warn!(region = %self.here.region(), "{message}");
        let now = self.glance().find(&image.id).await.map_err(|error| classify(error, "look at record"))?;
        match now {
            Some(now) if now.status != Status::Queued || now.is_importing() => {
                let reason = "the cloud's import did not end";
                match self.remove_if_still(&now.id, &UNFINISHED, reason).await {
                    Ok(_) => Ok(None),
                    Err(error) if error.kind() == Kind::Conflict => Err(left(error, &now)),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(None),
        }
    }
}

fn left(error: Error, image: &Image) -> Error {
    error.hint(format!(
        "the cloud does not let go of an import: `openstack image delete {}`, then run the same command again",
        image.id
    ))
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
