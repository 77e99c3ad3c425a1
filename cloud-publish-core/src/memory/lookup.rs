//! Looking before making: which object is ours, and whether an id still is what the caller takes it for.

use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, TAG_PREFIX};
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::{ImageRecord, StagedRecord};
use crate::names::{ImageId, Region};
use crate::poll::poll_until;
use crate::publisher::{Context, ImageAt, Replication};
use crate::survey::Native;

impl MemoryPublisher {
    /// The region that the keys of images in `region` are made for: home, where one image spans all regions.
    pub(super) fn key_region<'a>(&'a self, region: &'a Region) -> &'a Region {
        match self.settings().capability.replication {
            Replication::Batch => self.home(),
            _ => region,
        }
    }

    /// The tags of an object in `region`, if they are complete and consistent.
    pub(super) fn read_tags(&self, image: &ImageRecord) -> Option<ImageTags> {
        ImageTags::from_map(&image.tags, self.place(), self.key_region(&image.region)).ok()
    }

    /// Finds the one image with the key of these tags.
    ///
    /// # Errors
    /// [`Kind::Conflict`] for two of them, for other content under the key, and for another rendition where only one
    /// is kept.
    pub(super) async fn look_for_image(
        &self,
        context: &Context,
        verb: Verb,
        region: &Region,
        tags: &ImageTags,
    ) -> Result<Option<ImageRecord>> {
        let call = Call::look(verb, "look for image", region);
        let images: Vec<ImageRecord> = self
            .client()
            .send(context, call, |state| {
                Ok(state.seen_images(&self.settings().account, region).into_iter().cloned().collect())
            })
            .await?;
        let ours = images.into_iter().filter(|image| image.native != Native::Failed);
        let ours: Vec<_> = ours.filter_map(|image| Some((self.read_tags(&image)?, image))).collect();
        if !self.settings().capability.keeps_renditions
            && let Some((_, other)) = ours.iter().find(|(found, _)| is_other_rendition(found, tags))
        {
            return Err(conflict("this artifact is here as another rendition", [other.id.as_str()])
                .hint("publish the changed rendition under a new version")
                .with("region", region));
        }
        let key = |tags: &ImageTags| tags.key(self.place(), self.key_region(region));
        let wanted = key(tags);
        let same_key: Vec<_> = ours.into_iter().filter(|(found, _)| key(found) == wanted).collect();
        one(same_key.into_iter().map(|(found, image)| (found.digest, image.id.to_string(), image)), tags, region)
    }

    /// Finds the one record of staged bytes with the key of these tags.
    ///
    /// # Errors
    /// [`Kind::Conflict`] as for images.
    pub(super) async fn look_for_staged(
        &self,
        context: &Context,
        verb: Verb,
        region: &Region,
        tags: &ImageTags,
    ) -> Result<Option<StagedRecord>> {
        let call = Call::look(verb, "look for staged bytes", region);
        let key_region = self.key_region(region);
        let key = tags.key(self.place(), key_region);
        let staged: Vec<StagedRecord> = self
            .client()
            .send(context, call, |state| {
                Ok(state.seen_staged(&self.settings().account, region).into_iter().cloned().collect())
            })
            .await?;
        let ours = staged.into_iter().filter_map(|it| {
            let found = ImageTags::from_map(&it.tags, self.place(), key_region).ok()?;
            (found.key(self.place(), key_region) == key).then(|| (found.digest, it.id.clone(), it))
        });
        one(ours, tags, region)
    }

    /// Looks whether an id still carries the tags that the caller knows.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Refused`] when the tags are other ones or not this publisher's.
    pub(super) async fn guard(&self, context: &Context, verb: Verb, at: &ImageAt) -> Result<ImageRecord> {
        let call = Call::look(verb, "get image", &at.region);
        let found = self
            .client()
            .send(context, call, |state| {
                Ok(state.seen_image(&self.settings().account, &at.region, &at.id).map(|image| image.clone()))
            })
            .await?;
        let named = |error: Error| error.during(verb.as_str()).with("image", &at.id).with("region", &at.region);
        let image = found.ok_or_else(|| {
            named(
                Error::new(Kind::NotFound, "there is no such image").hint("run `publish status` to see what there is"),
            )
        })?;
        if at.tags.owner != self.settings().owner || self.read_tags(&image).as_ref() != Some(&at.tags) {
            return Err(named(
                Error::new(Kind::Refused, "the image under this id has other tags than expected")
                    .hint(format!("look at its {TAG_PREFIX}* tags: somebody has changed or replaced it")),
            ));
        }
        Ok(image)
    }

    /// Waits until an image is seen and made; `None` when the cloud gave up on it.
    pub(super) async fn await_image(
        &self,
        context: &Context,
        verb: Verb,
        region: &Region,
        id: &ImageId,
    ) -> Result<Option<ImageRecord>> {
        let what = format!("making image {id} in {region}");
        poll_until(context, &what, self.settings().pace, || async {
            let call = Call::look(verb, "get image", region);
            let found = self.client().send(context, call, |state| {
                Ok(state.seen_image(&self.settings().account, region, id).map(|image| image.clone()))
            });
            Ok(match found.await? {
                None => None,
                Some(image) => match image.native {
                    Native::Pending => None,
                    Native::Failed => Some(None),
                    Native::Available | Native::Hidden | Native::Retired => Some(Some(image)),
                },
            })
        })
        .await
    }
}

fn is_other_rendition(found: &ImageTags, wanted: &ImageTags) -> bool {
    let artifact =
        |tags: &ImageTags| (tags.owner.clone(), tags.release.clone(), tags.variant.clone(), tags.arch.clone());
    artifact(found) == artifact(wanted) && found.rendition != wanted.rendition
}

/// The only one of these objects, if its digest is the wanted one.
fn one<T>(
    found: impl Iterator<Item = (crate::digest::Digest, String, T)>,
    wanted: &ImageTags,
    region: &Region,
) -> Result<Option<T>> {
    let mut all: Vec<_> = found.collect();
    if all.len() > 1 {
        let ids: Vec<&str> = all.iter().map(|(_, id, _)| id.as_str()).collect();
        return Err(conflict("two objects have the same key", ids)
            .hint("find out which one is right, remove the other by hand, then run the same command again")
            .with("region", region));
    }
    match all.pop() {
        Some((digest, id, _)) if digest != wanted.digest => {
            Err(conflict("other content is here under the same key", [id.as_str()])
                .with("found", digest)
                .with("wanted", wanted.digest)
                .hint("publish changed content under a new version")
                .with("region", region))
        }
        Some((_, _, it)) => Ok(Some(it)),
        None => Ok(None),
    }
}

fn conflict<'a>(message: &'static str, ids: impl IntoIterator<Item = &'a str>) -> Error {
    let ids: Vec<&str> = ids.into_iter().collect();
    Error::new(Kind::Conflict, message).with("images", ids.join(" and "))
}
