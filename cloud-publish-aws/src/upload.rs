//! Brings the disk to AWS as a snapshot: finds one that is there, goes on with one that was begun, or starts one.
//!
//! Every turn looks again, so whatever another run does in between is seen. Two publishers at once use the same token and
//! so write the same blocks into the same snapshot; either may complete it.

mod acknowledged;
mod blocks;
mod concurrency;
mod finish;
mod pending;
mod ranges;
mod send;
mod start;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, Staged, UploadRequest};

use crate::config::{AwsConfig, Upload as Way};
use crate::import;
use crate::publisher::Here;
use crate::snapshot::{find, is_completed, of_image};

/// More dead generations than this are no accident.
const GENERATIONS: u32 = 16;

/// Turns in which something changed under our hands.
const TURNS: u32 = 64;

/// One upload: what is to be there, and which generation is next.
struct Upload<'a> {
    here: &'a Here,
    context: &'a Context,
    request: &'a UploadRequest,
    generation: u32,
}

pub(crate) async fn upload(here: &Here, at: (&Context, &AwsConfig), request: &UploadRequest) -> Result<Staged> {
    let (context, config) = at;
    match config.upload {
        Way::EbsDirect => by_blocks(here, context, request).await,
        Way::S3Import => import::upload(here, at, request).await,
    }
}

async fn by_blocks(here: &Here, context: &Context, request: &UploadRequest) -> Result<Staged> {
    start::gibibytes(request.image.virtual_size)?;
    let generation = context.first_generation();
    let last = generation.saturating_add(GENERATIONS);
    let mut upload = Upload { here, context, request, generation };
    for _ in 0..TURNS {
        context.check()?;
        if upload.generation >= last {
            break;
        }
        if let Some(staged) = upload.turn().await? {
            return Ok(staged);
        }
    }
    Err(Error::new(Kind::Conflict, "every snapshot that was started is gone again")
        .during("upload")
        .hint("somebody deletes or breaks these snapshots again and again: look at the account's snapshots"))
}

impl Upload<'_> {
    /// Looks, and does what is next; `None` means: look again.
    ///
    /// Images come first: of several snapshots the one that an image was made of is it.
    async fn turn(&mut self) -> Result<Option<Staged>> {
        if let Some(snapshot) = of_image(self.here, self.context, &self.request.image.tags).await? {
            return self.adopt(&snapshot, 0).map(Some);
        }
        match find(self.here, self.context, &self.request.image.tags).await? {
            Some(snapshot) if is_completed(&snapshot) => self.adopt(&snapshot, 0).map(Some),
            Some(snapshot) => {
                let pending = self.found(&snapshot);
                self.carry_on(&pending).await
            }
            None => self.start().await,
        }
    }
}
