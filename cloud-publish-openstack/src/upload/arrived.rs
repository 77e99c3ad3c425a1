//! Is what is there the file? And the only place from which this verb deletes anything.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Staged;

use super::{Upload, Way};
use crate::content::{difference, unchanged};
use crate::error::classify;
use crate::glance::{Image, Status};
use crate::guard::confirm;
use crate::publisher::Here;
use crate::removal::remove;
use crate::tags::decode;

impl Upload<'_> {
    /// Takes an image that this call has not sent.
    ///
    /// One with our tags but of another file is left alone: the same content may have been compressed differently by
    /// another publisher, who compared it with his own file.
    pub(super) async fn adopt(&self, image: &Image) -> Result<Staged> {
        let found = difference(self.context, image, &self.request.image, &self.request.disk).await;
        let found = found.map_err(|error| error.during("upload").with("id", &image.id))?;
        let Some(difference) = found else { return Ok(self.staged(image, 0)) };
        Err(Error::new(Kind::Conflict, format!("image {} was uploaded from another file: {difference}", image.id))
            .during("upload")
            .with("id", &image.id)
            .hint(format!(
                "publish the file that it was made of, or, if nobody uses it, `openstack image delete {}` and run the \
                 same command again",
                image.id
            )))
    }

    /// Takes an image that this very call has sent; what is not the verified file is deleted again.
    pub(super) async fn accept(&mut self, image: &Image) -> Result<Staged> {
        let Err(error) = self.arrived(image).await else {
            return Ok(self.staged(image, self.sent));
        };
        let error = error.during("upload").with("id", &image.id);
        if !matches!(error.kind(), Kind::Corrupt | Kind::InvalidInput) {
            return Err(error);
        }
        let look = format!("look at image {} before you delete it: it holds other data than the file", image.id);
        Err(match self.remove_if_still(&image.id, &[Status::Active], "what arrived was not what was sent").await {
            Ok(true) => error,
            Ok(false) => error.with("left behind", &image.id).hint(look),
            Err(left) => error.with("left behind", left).hint(look),
        })
    }

    async fn arrived(&self, image: &Image) -> Result<()> {
        unchanged(&self.request.disk).await?;
        match difference(self.context, image, &self.request.image, &self.request.disk).await? {
            None => Ok(()),
            Some(difference) => {
                let hint = match self.way {
                    Some(Way::WebDownload(_)) => "put the file itself under `web_download_url`; or leave `upload` out",
                    Some(Way::Import) => "the cloud may convert what it imports: leave `upload` out, then run again",
                    _ => "run the same command again: it uploads the image anew",
                };
                Err(Error::new(Kind::Corrupt, difference).hint(hint))
            }
        }
    }

    fn staged(&self, image: &Image, sent: u64) -> Staged {
        Staged { region: self.here.region().clone(), id: image.id.clone(), sent }
    }

    /// Deletes a record that cannot become an image and buries its id if it is one of ours: if, seen immediately before,
    /// it is in one of these states, ours, private and not published. Says whether it is gone.
    pub(super) async fn remove_if_still(&mut self, id: &str, states: &[Status], reason: &str) -> Result<bool> {
        let found = self.glance().find(id).await.map_err(|error| classify(error, "look at record"))?;
        let Some(image) = found else { return Ok(true) };
        if !states.contains(&image.status) {
            return Ok(false);
        }
        confirm(self.here, &image, &self.request.image.tags)?;
        refuse_published(self.here, &image)?;
        remove(self.glance(), &image).await.map_err(|error| classify(error, "remove broken record"))?;
        if id == self.id().to_string() {
            self.bury(reason).await?;
        }
        Ok(true)
    }
}

/// A mark that cannot be read counts as one of a publication.
fn refuse_published(here: &Here, image: &Image) -> Result<()> {
    let marks = decode(&image.properties(), &here.place, here.region()).marks;
    if image.visibility == "private" && marks.is_ok_and(|marks| marks.published.is_none()) {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, format!("record {} is published", image.id))
        .hint("it was left alone: look at it before you delete it"))
}
