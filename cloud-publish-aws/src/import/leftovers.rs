//! What an import leaves when a run dies: a staged object, an unfinished upload, a task, a snapshot without tags.
//!
//! Ids: `s3://BUCKET/KEY`, `s3://BUCKET/KEY?uploadId=ID`, `import-snap-...`.

use aws_sdk_ec2::types::Snapshot;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::{ImageTags, claims_owner};
use cloud_publish_core::names::Owner;
use cloud_publish_core::publisher::Context;
use cloud_publish_core::survey::FoundStaged;
use jiff::{SignedDuration, Timestamp};

use super::object::{Bucket, about};
use super::task::{State, Task, Tasks};
use crate::config::AwsConfig;
use crate::error::classify;
use crate::publisher::Here;
use crate::snapshot::{self, images_of};
use crate::tags::{OWNER, decode};

/// An upload to which nothing was added for so long is abandoned.
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// Before the id of an upload.
const UPLOAD: &str = "?uploadId=";

/// Everything that this owner's imports have left in the bucket and among the tasks.
pub(crate) async fn survey(here: &Here, at: (&Context, &AwsConfig), owner: &Owner) -> Result<Vec<FoundStaged>> {
    let (context, config) = at;
    let bucket = Bucket::new(here, context, (super::keys(config)?, owner));
    let tasks = Tasks { here, context };
    let mut found = objects(here, &bucket, &tasks).await?;
    found.extend(uploads(here, &bucket).await?);
    found.extend(unfinished(here, &tasks, owner).await?);
    Ok(found)
}

async fn objects(here: &Here, bucket: &Bucket<'_>, tasks: &Tasks<'_>) -> Result<Vec<FoundStaged>> {
    let call = bucket.client.list_objects_v2().bucket(bucket.name()).prefix(bucket.prefix());
    let mut pages = call.expected_bucket_owner(bucket.account).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = bucket.context.or_cancelled(pages.next()).await? {
        let page = page.map_err(|error| bucket.named(classify(&error, "ListObjectsV2")))?;
        for key in page.contents().iter().filter_map(|object| object.key()) {
            let Some(head) = bucket.head(key).await? else { continue };
            found.push(FoundStaged {
                region: here.region.clone(),
                id: format!("s3://{}/{key}", bucket.name()),
                tags: ImageTags::from_map(&about(head.metadata()), &here.place, &here.region).ok(),
                created: head.last_modified().and_then(|time| Timestamp::from_second(time.secs()).ok()),
                busy: tasks.is_read(bucket.name(), key).await?,
            });
        }
    }
    Ok(found)
}

async fn uploads(here: &Here, bucket: &Bucket<'_>) -> Result<Vec<FoundStaged>> {
    let mut found = Vec::new();
    for pending in bucket.uploads(&bucket.prefix()).await? {
        let Some(busy) = is_busy(bucket, &pending.key, (&pending.id, pending.begun)).await? else { continue };
        found.push(FoundStaged {
            region: here.region.clone(),
            id: format!("s3://{}/{}{UPLOAD}{}", bucket.name(), pending.key, pending.id),
            tags: None,
            created: Timestamp::from_second(pending.begun).ok(),
            busy,
        });
    }
    Ok(found)
}

/// Whether somebody may be sending parts; `None` when the upload is gone.
async fn is_busy(bucket: &Bucket<'_>, key: &str, (id, begun): (&str, i64)) -> Result<Option<bool>> {
    let Some(arrived) = bucket.arrived(key, id).await? else { return Ok(None) };
    let last = arrived.values().map(|part| part.at).max().unwrap_or(begun).max(begun);
    let quiet = bucket.context.clock().now().as_second().saturating_sub(last);
    Ok(Some(quiet < QUIET.as_secs()))
}

/// Tasks at work, and those whose snapshot has not got its tags.
async fn unfinished(here: &Here, tasks: &Tasks<'_>, owner: &Owner) -> Result<Vec<FoundStaged>> {
    let mut found = Vec::new();
    for task in tasks.all().await?.into_iter().filter(|task| claims_owner(&task.tags, owner)) {
        let (busy, created) = match &task.state {
            State::Active(_) => (true, None),
            State::Dead(_) => continue,
            State::Made(id) => match untagged(here, tasks.context, id).await? {
                Some(snapshot) => (false, snapshot.start_time().map(|time| time.secs())),
                None => continue,
            },
        };
        let tags = decode(&task.tags, &here.place, &here.region).tags.ok();
        let created = created.and_then(|seconds| Timestamp::from_second(seconds).ok());
        found.push(FoundStaged { region: here.region.clone(), id: task.id, tags, created, busy });
    }
    Ok(found)
}

/// The living snapshot under an id, if it has no tags of ours.
async fn untagged(here: &Here, context: &Context, id: &str) -> Result<Option<Snapshot>> {
    let found = snapshot::by_id(here, context, id).await?;
    let bare = |found: &Snapshot| {
        let tagged = snapshot::tags_of(found).contains_key(OWNER);
        !tagged && !snapshot::is_dead(found) && found.owner_id() == Some(here.place.account.as_str())
    };
    Ok(found.filter(bare))
}

/// Removes one of them; gone already is success.
///
/// # Errors
/// [`Kind::Refused`] when it is not ours, somebody is at it, or an image uses it.
pub(crate) async fn discard(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    if staged.id.starts_with("import-snap-") {
        return discard_task(here, context, staged).await;
    }
    let (url, upload) = match staged.id.rsplit_once(UPLOAD) {
        Some((url, id)) => (url, Some(id)),
        None => (staged.id.as_str(), None),
    };
    let (bucket, key) =
        Bucket::of_url(here, context, url).ok_or_else(|| refused("the id is nothing of ours".to_owned()))?;
    match upload {
        Some(id) => discard_upload(&bucket, (&key, id)).await,
        None => discard_object(here, &bucket, (&key, staged)).await,
    }
}

/// The name alone says that it is ours: S3 shows no metadata before the end.
async fn discard_upload(bucket: &Bucket<'_>, (key, id): (&str, &str)) -> Result<()> {
    let begun = bucket.uploads(key).await?.into_iter().find(|pending| pending.id == id).map(|pending| pending.begun);
    let Some(begun) = begun else { return Ok(()) };
    match is_busy(bucket, key, (id, begun)).await? {
        None => Ok(()),
        Some(true) => Err(refused("somebody may be uploading".to_owned())),
        Some(false) => bucket.abort(key, id).await,
    }
}

async fn discard_object(here: &Here, bucket: &Bucket<'_>, (key, staged): (&str, &FoundStaged)) -> Result<()> {
    let Some(head) = bucket.head(key).await? else { return Ok(()) };
    match ImageTags::from_map(&about(head.metadata()), &here.place, &here.region) {
        Ok(found) if Some(&found) == staged.tags.as_ref() => {}
        Ok(_) => return Err(refused("the object carries other tags".to_owned())),
        Err(trouble) => {
            return Err(refused("the object's metadata cannot be believed".to_owned()).caused_by(trouble));
        }
    }
    if (Tasks { here, context: bucket.context }).is_read(bucket.name(), key).await? {
        return Err(refused("an import reads the object".to_owned()));
    }
    bucket.remove(key).await
}

async fn discard_task(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    let tasks = Tasks { here, context };
    let Some(task) = tasks.all().await?.into_iter().find(|task| task.id == staged.id) else { return Ok(()) };
    confirm(here, &task, staged)?;
    let id = match &task.state {
        State::Dead(_) => return Ok(()),
        State::Active(how_far) => return Err(refused(format!("the import is at work: {how_far}"))),
        State::Made(id) => id,
    };
    if untagged(here, context, id).await?.is_none() {
        return Ok(());
    }
    if !images_of(here, context, id).await?.is_empty() {
        return Err(refused(format!("an image uses {id}")));
    }
    crate::discard::delete(here, context, id).await
}

fn confirm(here: &Here, task: &Task, staged: &FoundStaged) -> Result<()> {
    match decode(&task.tags, &here.place, &here.region).tags {
        Ok(found) if Some(&found) == staged.tags.as_ref() => Ok(()),
        Ok(_) => Err(refused("the import carries other tags".to_owned())),
        Err(trouble) => Err(refused("the import's tags cannot be believed".to_owned()).caused_by(trouble)),
    }
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, message).hint("it was left alone")
}
