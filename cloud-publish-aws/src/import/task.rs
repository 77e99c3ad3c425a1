//! Import tasks: found by their tags, started once, waited for.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportSnapshot.html>. AWS remembers a task for a while
//! after its end, and names no time.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types::{ImportSnapshotTask, ResourceType, SnapshotDiskContainer, SnapshotTaskDetail, UserBucket};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, ImageSpec};

use crate::config::Import as Keys;
use crate::error::{classify, code};
use crate::publisher::Here;
use crate::snapshot::{self, APPEARING};
use crate::tags::{KEY, decode, map, specification};

/// AWS takes minutes for small disks and more than an hour for large ones.
const IMPORTED: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(4 * 3600) };

/// What AWS answers to the id of a task that it does not know, or not yet.
const UNKNOWN: &str = "InvalidConversionTaskId";

/// Which try a task is.
const GENERATION: &str = "cloud-publish-generation";

/// The import tasks of a region.
pub(super) struct Tasks<'a> {
    pub(super) here: &'a Here,
    pub(super) context: &'a Context,
}

/// A task of ours, as its tags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) generation: u32,
    pub(super) tags: BTreeMap<String, String>,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// At work, with what it says of itself.
    Active(String),
    /// It has made this snapshot, which may have been deleted since.
    Made(String),
    /// It failed or was cancelled, for this reason.
    Dead(String),
}

/// The task of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// At work, or done.
    Living(Task),
    /// None; the first generation that was not tried.
    None { next: u32 },
}

/// How a task ended.
pub(super) enum Ended {
    Snapshot(String),
    Failed(String),
}

impl Tasks<'_> {
    /// The one task of an image that is at work or has made a snapshot that is there.
    ///
    /// # Errors
    /// [`Kind::Conflict`] naming them, when there are several, or one is of our key and other content.
    pub(super) async fn of(&self, tags: &ImageTags) -> Result<Found> {
        let key = tags.key(&self.here.place, &self.here.region);
        let mut all = self.all().await?;
        all.retain(|task| task.tags.get(KEY).map(String::as_str) == Some(key.as_str()));
        let next = all.iter().map(|task| task.generation.saturating_add(1)).max().unwrap_or(0);
        let mut living = Vec::new();
        for task in all {
            if self.is_living(&task).await? {
                living.push(task);
            }
        }
        if living.len() > 1 {
            let ids: Vec<&str> = living.iter().map(|task| task.id.as_str()).collect();
            return Err(Error::new(Kind::Conflict, format!("several imports have one key: {}", ids.join(", ")))
                .hint("cancel all but one with `aws ec2 cancel-import-task`, or delete their snapshots"));
        }
        let Some(task) = living.pop() else { return Ok(Found::None { next }) };
        match decode(&task.tags, &self.here.place, &self.here.region).tags {
            Ok(found) if found == *tags => Ok(Found::Living(task)),
            _ => Err(Error::new(Kind::Conflict, format!("{} has our key but other tags", task.id))
                .hint("a published version never changes: give the new build a new version")),
        }
    }

    /// Whether a snapshot is or will be there.
    async fn is_living(&self, task: &Task) -> Result<bool> {
        match &task.state {
            State::Active(_) => Ok(true),
            State::Dead(_) => Ok(false),
            State::Made(id) => {
                let found = snapshot::by_id(self.here, self.context, id).await?;
                Ok(found.is_some_and(|found| !snapshot::is_dead(&found)))
            }
        }
    }

    /// Every task that AWS remembers, of whomever.
    pub(super) async fn all(&self) -> Result<Vec<Task>> {
        Ok(self.described().await?.iter().filter_map(Task::read).collect())
    }

    async fn described(&self) -> Result<Vec<ImportSnapshotTask>> {
        let call = self.here.clients.ec2.describe_import_snapshot_tasks();
        let mut pages = call.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(task) = self.context.or_cancelled(pages.next()).await? {
            all.push(task.map_err(|error| classify(&error, "DescribeImportSnapshotTasks"))?);
        }
        Ok(all)
    }

    /// Whether a task at work reads an object.
    pub(super) async fn is_read(&self, bucket: &str, key: &str) -> Result<bool> {
        let reads = |task: &ImportSnapshotTask| {
            let source = task.snapshot_task_detail().and_then(SnapshotTaskDetail::user_bucket);
            let here = source.is_some_and(|it| it.s3_bucket() == Some(bucket) && it.s3_key() == Some(key));
            here && matches!(Task::read(task), Some(Task { state: State::Active(_), .. }))
        };
        Ok(self.described().await?.iter().any(reads))
    }

    /// Starts the task of a generation, or gets the one that its token has made; `None`: the token belongs to another
    /// request.
    pub(super) async fn start(
        &self,
        image: &ImageSpec,
        (keys, key): (&Keys, &str),
        generation: u32,
    ) -> Result<Option<String>> {
        let mut tags = image.tags.to_map(&self.here.place, &self.here.region);
        tags.insert(GENERATION.to_owned(), generation.to_string());
        let source = UserBucket::builder().s3_bucket(&keys.bucket).s3_key(key).build();
        let disk = SnapshotDiskContainer::builder().format("RAW").user_bucket(source).build();
        let call = self.here.clients.ec2.import_snapshot().disk_container(disk).role_name(&keys.role);
        let call = call.client_token(image.tags.token(&self.here.place, &self.here.region, generation));
        let call = call.description(image.name.as_str());
        let call = call.tag_specifications(specification(ResourceType::ImportSnapshotTask, &tags));
        match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => answer
                .import_task_id
                .map(Some)
                .ok_or_else(|| Error::new(Kind::Unexpected, "AWS started an import without an id")),
            Err(error) if code(&error) == Some("IdempotentParameterMismatch") => Ok(None),
            Err(error) => {
                let error = classify(&error, "ImportSnapshot").with("bucket", &keys.bucket).with("role", &keys.role);
                Err(if error.kind() == Kind::InvalidInput { error.hint(ROLE) } else { error })
            }
        }
    }

    /// Waits for the end of a task, telling how far it is.
    pub(super) async fn ended(&self, id: &str, size: u64) -> Result<Ended> {
        self.context.progress().says(&format!("AWS imports {} MiB as {id}: minutes to an hour", size >> 20));
        let start = self.context.clock().elapsed();
        poll_until(self.context, &format!("import {id}"), IMPORTED, || async {
            let call = self.here.clients.ec2.describe_import_snapshot_tasks().import_task_ids(id);
            let answer = match self.context.or_cancelled(call.send()).await? {
                Ok(answer) => answer,
                Err(error) if code(&error) == Some(UNKNOWN) => {
                    let late = self.context.clock().elapsed().saturating_sub(start) >= APPEARING;
                    return Ok(late.then(|| Ended::Failed("AWS does not know the task".to_owned())));
                }
                Err(error) => return Err(classify(&error, "DescribeImportSnapshotTasks")),
            };
            let found = answer.import_snapshot_tasks().iter().filter_map(Task::read).find(|task| task.id == id);
            Ok(match found.map(|task| task.state) {
                Some(State::Made(snapshot)) => Some(Ended::Snapshot(snapshot)),
                Some(State::Dead(reason)) => Some(Ended::Failed(reason)),
                Some(State::Active(how_far)) => {
                    self.context.progress().says(&format!("{id}: {how_far}"));
                    None
                }
                None => None,
            })
        })
        .await
    }
}

const ROLE: &str = "the service role must exist, trust vmie.amazonaws.com and be able to read the bucket: \
                    https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html";

impl Task {
    /// Reads a task; one without id is none.
    fn read(task: &ImportSnapshotTask) -> Option<Self> {
        let id = task.import_task_id()?.to_owned();
        let tags = map(task.tags());
        let generation = tags.get(GENERATION).and_then(|text| text.parse().ok()).unwrap_or(0);
        let detail = task.snapshot_task_detail();
        let message = detail.and_then(SnapshotTaskDetail::status_message).unwrap_or("AWS does not say why");
        let state = match detail.and_then(SnapshotTaskDetail::status) {
            Some("completed") => match detail.and_then(SnapshotTaskDetail::snapshot_id) {
                Some(snapshot) => State::Made(snapshot.to_owned()),
                None => State::Active("done, its snapshot not named yet".to_owned()),
            },
            Some("deleted" | "deleting") => State::Dead(message.to_owned()),
            _ => {
                let progress = detail.and_then(SnapshotTaskDetail::progress).unwrap_or("0");
                let doing = detail.and_then(SnapshotTaskDetail::status_message).unwrap_or("at work");
                State::Active(format!("{progress} %, {doing}"))
            }
        };
        Some(Self { id, state, generation, tags })
    }
}

/// What a task's failure means. Its message begins with whose fault it is.
pub(super) fn failed(reason: &str) -> Error {
    let kind = if reason.starts_with("ServerError") { Kind::Unavailable } else { Kind::InvalidInput };
    Error::new(kind, format!("AWS could not import the disk: {reason}")).during("ImportSnapshot").hint(ROLE)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{ImportSnapshotTask, SnapshotTaskDetail, Tag};
    use cloud_publish_core::error::{Kind, Retry};

    use super::{GENERATION, State, Task, failed};

    fn state(status: &str, snapshot: Option<&str>) -> State {
        let detail = SnapshotTaskDetail::builder().status(status).set_snapshot_id(snapshot.map(str::to_owned));
        let detail = detail.progress("42").status_message("because").build();
        let tag = Tag::builder().key(GENERATION).value("3").build();
        let task = ImportSnapshotTask::builder().import_task_id("import-snap-1").snapshot_task_detail(detail).tags(tag);
        let task = Task::read(&task.build()).unwrap();
        assert_eq!(task.generation, 3);
        task.state
    }

    #[test]
    fn a_task_is_at_work_done_or_dead() {
        assert_eq!(state("active", None), State::Active("42 %, because".to_owned()));
        assert_eq!(state("completed", Some("snap-1")), State::Made("snap-1".to_owned()));
        assert!(matches!(state("completed", None), State::Active(_)));
        assert_eq!(state("deleted", None), State::Dead("because".to_owned()));
    }

    #[test]
    fn only_a_failure_of_aws_itself_is_tried_again() {
        assert_ne!(failed("ServerError: an internal error").retry(), Retry::Never);
        let ours = failed("ClientError: Disk validation failed");
        assert_eq!((ours.kind(), ours.retry()), (Kind::InvalidInput, Retry::Never));
    }
}
