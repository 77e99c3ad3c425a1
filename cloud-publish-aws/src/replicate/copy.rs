//! One copy into one region, whoever started it.
//!
//! Every turn looks by tags first, so a copy that an earlier run or another publisher has started is waited for. A token
//! whose copy is failed, deregistered or was never shown is noted as dead before the next is tried.

use std::time::Duration;

use aws_sdk_ec2::types::{Image, ResourceType};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, ImageSpec, Note};

use super::queue::{Place, Queue};
use crate::available::{COPIED, Outcome, id_of, settled};
use crate::error::{classify, code};
use crate::guard::find;
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::tags::{all, specification};

/// Copies that died one after the other: more are no accident.
const TURNS: u32 = 16;

/// How long to wait for others' copies to end before ours may start.
const QUEUED: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(7200) };

/// What AWS answers when too many copies are under way into a region.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
const FULL: [&str; 5] = [
    "ResourceLimitExceeded",
    "ConcurrentCopyLimitExceeded",
    "ConcurrentCopySnapshotLimitExceeded",
    "ConcurrentSnapshotLimitExceeded",
    "PendingSnapshotLimitExceeded",
];

/// What AWS answers to a token that it knows from another request.
const OTHER_REQUEST: &str = "IdempotentParameterMismatch";

/// What is to be copied where.
pub(super) struct Copying<'a> {
    pub(super) here: &'a Here,
    pub(super) context: &'a Context,
    pub(super) spec: &'a ImageSpec,
    pub(super) source: &'a Image,
    pub(super) from: &'a Region,
    pub(super) queue: &'a Queue,
}

/// What a token that AWS has taken stands for.
enum Taken {
    /// A copy of ours, just started or known.
    Copy(String),
    /// Another request.
    Otherwise,
}

impl Copying<'_> {
    /// The image in this region, available.
    pub(super) async fn run(&self) -> Result<Image> {
        let mut generation = self.context.first_generation();
        for _ in 0..TURNS {
            let (outcome, is_its) = match find(self.here, self.context, &self.spec.tags).await? {
                Some(image) => (self.wait(id_of(&image)?).await?, false),
                None => (self.copied(generation).await?, true),
            };
            match outcome {
                Outcome::Available(image) => return Ok(*image),
                Outcome::Dead(why) if is_its => {
                    self.bury(generation, why).await?;
                    generation = generation.saturating_add(1);
                }
                // Under which token it was started is not known: the next turn asks with ours.
                Outcome::Dead(why) => tracing::debug!(why, "a copy that was under way is dead"),
            }
        }
        Err(Error::new(Kind::Conflict, "every copy that was tried has died")
            .hint("somebody deregisters these images, or AWS cannot copy them: look at the region's image list"))
    }

    /// Copies under the token of one generation and waits for the end.
    async fn copied(&self, generation: u32) -> Result<Outcome> {
        let (taken, place) = self.in_turn(generation).await?;
        let outcome = match taken {
            Taken::Copy(id) => self.wait(&id).await?,
            Taken::Otherwise => self.of_other_request().await?,
        };
        place.ended();
        Ok(outcome)
    }

    async fn wait(&self, id: &str) -> Result<Outcome> {
        settled(self.here, self.context, id, COPIED).await
    }

    /// Starts the copy as soon as the region takes one more.
    async fn in_turn(&self, generation: u32) -> Result<(Taken, Place<'_>)> {
        let what = format!("a place among the copies into {}", self.here.region);
        poll_until(self.context, &what, QUEUED, || async {
            let mut place = match self.queue.try_place() {
                Some(place) => place,
                None => {
                    self.context.progress().says(&format!("waiting for {what}"));
                    self.context.or_cancelled(self.queue.place()).await?
                }
            };
            let Some(taken) = self.start(generation).await? else {
                place.refused();
                self.context.progress().says(&format!("waiting for {what}"));
                return Ok(None);
            };
            place.accepted();
            Ok(Some((taken, place)))
        })
        .await
    }

    /// Calls `CopyImage`; `None` when too many copies are under way.
    async fn start(&self, generation: u32) -> Result<Option<Taken>> {
        let (here, spec) = (self.here, self.spec);
        let tags = all(spec, here);
        let call = here
            .clients
            .ec2
            .copy_image()
            .name(spec.name.as_str())
            .set_description(Some(spec.description.clone()).filter(|text| !text.is_empty()))
            .source_image_id(id_of(self.source)?)
            .source_region(self.from.as_str())
            .client_token(spec.tags.token(&here.place, &here.region, generation))
            .tag_specifications(specification(ResourceType::Image, &tags))
            .tag_specifications(specification(ResourceType::Snapshot, &tags));
        match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => match answer.image_id {
                Some(id) => Ok(Some(Taken::Copy(id))),
                None => Err(Error::new(Kind::Unexpected, "AWS copies to an image without an id").during("CopyImage")),
            },
            Err(error) => match code(&error) {
                Some(code) if FULL.contains(&code) => Ok(None),
                Some(OTHER_REQUEST) => Ok(Some(Taken::Otherwise)),
                _ => Err(classify(&error, "CopyImage")),
            },
        }
    }

    /// The copy of another request under our token, started by a publisher with another description, say: it may not be
    /// shown yet. One that stays away is dead.
    async fn of_other_request(&self) -> Result<Outcome> {
        let what = format!("the copy that has our token in {}", self.here.region);
        let found = poll_until(self.context, &what, SEEN, || find(self.here, self.context, &self.spec.tags)).await;
        match found {
            Ok(image) => self.wait(id_of(&image)?).await,
            Err(error) if error.kind() == Kind::TimedOut => {
                Ok(Outcome::Dead("its token belongs to another request, of which there is no image".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Notes that this generation is dead.
    async fn bury(&self, generation: u32, reason: String) -> Result<()> {
        tracing::debug!(generation, reason, region = %self.here.region, "a dead generation");
        self.context.note(Note::DeadGeneration { generation, reason }).await
    }
}
