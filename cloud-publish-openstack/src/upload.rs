//! Creates a record under an id of our choice and sends its data; finds, continues or waits for what is there already.
//!
//! The bytes go by `PUT`, or by an import of the cloud's (the module `import`), whichever the configuration wants and the
//! cloud has. Every turn looks again, so whatever another run does in between is seen. A record that can never have data is noted
//! as a dead generation before the next id is tried.

mod arrived;
mod found;
mod import;
#[cfg(test)]
mod tests;
mod way;

use std::sync::Arc;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, Note, Staged, UploadRequest};
use uuid::Uuid;

use self::way::Way;
pub(crate) use self::way::{download_url, import_method};
use crate::error::{WireError, classify};
use crate::glance::{Glance, Image};
use crate::guard::{confirm, find_by_key};
use crate::image_record;
use crate::publisher::{Here, OpenStackSettings};

/// More dead generations than this are no accident.
const GENERATIONS: u32 = 16;

/// Turns in which something changed under our hands.
const TURNS: u32 = 64;

/// One upload: what is to be there, and which generation is next.
pub(super) struct Upload<'a> {
    here: &'a Here,
    context: &'a Context,
    settings: &'a OpenStackSettings,
    request: &'a UploadRequest,
    generation: u32,
    /// How the bytes go there; `None` until they must.
    way: Option<Way>,
    /// The record whose data this very call has staged, or has had fetched.
    filled: Option<String>,
    /// Bytes that this call has sent.
    sent: u64,
    /// Times that a record took no staged data although nobody was at work.
    refusals: u32,
}

/// What a look or a creating call came to.
enum Turn {
    /// There is a record, just made by us or found.
    Record { image: Box<Image>, fresh: bool },
    /// Something has changed: look again.
    Again,
}

pub(crate) async fn upload(
    here: &Here,
    with: (&Context, &OpenStackSettings),
    request: &UploadRequest,
) -> Result<Staged> {
    let (context, settings) = with;
    let generation = context.first_generation();
    let mut upload =
        Upload { here, context, settings, request, generation, way: None, filled: None, sent: 0, refusals: 0 };
    let last = generation.saturating_add(GENERATIONS);
    for _ in 0..TURNS {
        context.check()?;
        let turn = match find_by_key(here, context, &request.image.tags).await? {
            Some(image) => Turn::Record { image: Box::new(image), fresh: false },
            None if upload.generation >= last => break,
            None => upload.create().await?,
        };
        if let Turn::Record { image, fresh } = turn
            && let Some(staged) = upload.carry_on(&image, fresh).await?
        {
            return Ok(staged);
        }
    }
    Err(Error::new(Kind::Conflict, "every id that was tried is used up")
        .during("upload")
        .hint("somebody deletes or breaks these images again and again: look at the project's image list"))
}

impl Upload<'_> {
    fn glance(&self) -> Glance<'_> {
        self.here.glance(self.context)
    }

    fn id(&self) -> Uuid {
        self.request.image.tags.uuid(&self.here.place, self.here.region(), self.generation)
    }

    fn disk(&self) -> Arc<cloud_publish_core::disk::Disk> {
        self.request.disk.clone()
    }

    /// Makes the record of this generation.
    async fn create(&mut self) -> Result<Turn> {
        if self.refuse_taken_name().await? == Name::Ours {
            return Ok(Turn::Again);
        }
        let at = (&self.here.place, self.here.region());
        let body = image_record::body(&self.request.image, &self.settings.config, at, self.id())?;
        match self.glance().create(&body).await {
            Ok(image) => Ok(Turn::Record { image: Box::new(image), fresh: true }),
            Err(error) if error.status() == Some(409) => self.look_at_own_id().await,
            Err(error) => Err(classify(error, "create image record")),
        }
    }

    /// The id is taken: by our own record, or for good.
    async fn look_at_own_id(&mut self) -> Result<Turn> {
        let found = self.glance().find(&self.id().to_string()).await;
        match found.map_err(|error| classify(error, "look at record"))? {
            None => self.bury("the id is taken and nothing is there: it was deleted").await?,
            Some(image) if image.status.is_dead() => {
                self.bury(&format!("the record is {}", image.status)).await?;
            }
            Some(image) => match confirm(self.here, &image, &self.request.image.tags) {
                Ok(()) => return Ok(Turn::Record { image: Box::new(image), fresh: false }),
                Err(error) => self.bury(&format!("the id is taken: {}", error.message())).await?,
            },
        }
        Ok(Turn::Again)
    }

    /// Notes that this generation is dead, and goes on to the next.
    async fn bury(&mut self, reason: &str) -> Result<()> {
        self.context.note(Note::DeadGeneration { generation: self.generation, reason: reason.to_owned() }).await?;
        tracing::debug!(generation = self.generation, reason, "a dead generation");
        self.generation = self.generation.saturating_add(1);
        Ok(())
    }

    async fn refuse_taken_name(&self) -> Result<Name> {
        let name = self.request.image.name.as_str();
        let taken =
            same_name(self.glance(), self.here, name).await.map_err(|error| classify(error, "look for name"))?;
        let (ours, foreign): (Vec<Image>, Vec<Image>) =
            taken.into_iter().partition(|image| confirm(self.here, image, &self.request.image.tags).is_ok());
        match foreign.first() {
            Some(image) => {
                Err(Error::new(Kind::NameTaken, format!("image {} has the name `{name}` already", image.id))
                    .hint("rename or delete it, or change `naming.image`"))
            }
            None if ours.is_empty() => Ok(Name::Free),
            None => Ok(Name::Ours),
        }
    }
}

/// Whose a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Free,
    /// Another run has made the same image since we looked for it.
    Ours,
}

/// The project's living images of this name: a dead record holds none.
pub(crate) async fn same_name(glance: Glance<'_>, here: &Here, name: &str) -> Result<Vec<Image>, WireError> {
    let found = glance.list(here.place.account.as_str(), &[("name", name)]).await?;
    // A filter such as `in:a,b` is an operator, not a name.
    let holds = |image: &Image| !image.status.is_dead() && image.name.as_deref() == Some(name);
    Ok(found.into_iter().filter(holds).collect())
}
