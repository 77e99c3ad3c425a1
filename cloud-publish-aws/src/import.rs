//! `upload = "s3-import"`: the disk goes into a bucket of the home region, and `ImportSnapshot` makes a snapshot of it.
//!
//! For accounts that may not write blocks. It costs more than that way: every byte is sent, zeros too, because S3 has no
//! sparse objects; the bucket holds the whole disk until the import is over; and AWS takes minutes to an hour. Needs a
//! service role that can read the bucket:
//! <https://docs.aws.amazon.com/vm-import/latest/userguide/vmimport-import-snapshot.html>.
//!
//! Every turn looks again: for a snapshot of our key, for an import task with our tags, for a staged object of the
//! content's name, for an unfinished multipart upload of it. `ImportSnapshot` tags the task alone; the snapshot gets its
//! tags when it is there.

mod leftovers;
mod multipart;
mod object;
mod parts;
mod task;

use aws_sdk_ec2::types::Snapshot;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, Note, Staged, UploadRequest};

pub(crate) use self::leftovers::{discard, survey};
use self::object::Bucket;
use self::task::{Ended, Found, Tasks};
use crate::config::{AwsConfig, Import as Keys};
use crate::error::classify;
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::snapshot::{find, id_of, is_completed, of_image, tags_of, wait_completed};
use crate::tags::{self, SIZE, list};

/// More dead generations than this are no accident.
const GENERATIONS: u32 = 16;

/// Turns in which something changed under our hands.
const TURNS: u32 = 64;

const GIB: u64 = 1 << 30;

/// One import: what is to be there, and what has been sent for it.
struct Import<'a> {
    here: &'a Here,
    context: &'a Context,
    request: &'a UploadRequest,
    keys: &'a Keys,
    bucket: Bucket<'a>,
    tasks: Tasks<'a>,
    generation: u32,
    sent: u64,
}

pub(crate) async fn upload(here: &Here, at: (&Context, &AwsConfig), request: &UploadRequest) -> Result<Staged> {
    let (context, config) = at;
    let keys = keys(config)?;
    let bucket = Bucket::new(here, context, (keys, &request.image.tags.owner));
    let tasks = Tasks { here, context };
    let generation = context.first_generation();
    let last = generation.saturating_add(GENERATIONS);
    let mut import = Import { here, context, request, keys, bucket, tasks, generation, sent: 0 };
    for _ in 0..TURNS {
        context.check()?;
        if import.generation >= last {
            break;
        }
        if let Some(snapshot) = import.turn().await? {
            import.check_size(&snapshot)?;
            import.clear().await?;
            return Ok(Staged { region: here.region.clone(), id: id_of(&snapshot).to_owned(), sent: import.sent });
        }
    }
    Err(Error::new(Kind::Conflict, "every import that was started is gone again")
        .during("upload")
        .hint("somebody cancels these imports or deletes their snapshots: look at the account's import tasks"))
}

/// Where and as whom to stage.
fn keys(config: &AwsConfig) -> Result<&Keys> {
    config.import.as_ref().ok_or_else(|| {
        Error::new(Kind::InvalidInput, "`upload = \"s3-import\"` needs a bucket")
            .hint("add a table `import` with `bucket = \"...\"`, in the home region")
    })
}

impl Import<'_> {
    /// Looks, and does what is next; `None` means: look again.
    async fn turn(&mut self) -> Result<Option<Snapshot>> {
        if let Some(snapshot) = self.there().await? {
            return Ok(Some(snapshot));
        }
        let image = &self.request.image;
        match self.tasks.of(&image.tags).await? {
            Found::Living(task) => {
                self.generation = self.generation.max(task.generation);
                self.finish(&task.id).await
            }
            Found::None { next } if next > self.generation => {
                self.generation = next;
                Ok(None)
            }
            Found::None { .. } => self.start().await,
        }
    }

    /// The finished snapshot of our key, or of the image that was made of it.
    async fn there(&self) -> Result<Option<Snapshot>> {
        let tags = &self.request.image.tags;
        match find(self.here, self.context, tags).await? {
            Some(snapshot) if is_completed(&snapshot) => return Ok(Some(snapshot)),
            Some(snapshot) => return Err(half_written(id_of(&snapshot))),
            None => {}
        }
        of_image(self.here, self.context, tags).await
    }

    /// Stages the disk and starts the task of this generation.
    async fn start(&mut self) -> Result<Option<Snapshot>> {
        let (image, disk) = (&self.request.image, &self.request.disk);
        let Some(sent) = self.bucket.stage(disk, (image, self.here)).await? else { return Ok(None) };
        self.sent = self.sent.saturating_add(sent);
        let key = self.bucket.key(&image.tags.digest);
        match self.tasks.start(image, (self.keys, &key), self.generation).await? {
            Some(id) => self.finish(&id).await,
            None => {
                self.bury("the token belongs to another request").await?;
                Ok(None)
            }
        }
    }

    /// Waits for a task and for its snapshot, and gives that its tags.
    async fn finish(&mut self, id: &str) -> Result<Option<Snapshot>> {
        let snapshot = match self.tasks.ended(id, self.request.disk.virtual_size()).await? {
            Ended::Snapshot(snapshot) => snapshot,
            Ended::Failed(reason) => {
                self.bury(&reason).await?;
                return Err(task::failed(&reason).with("task", id));
            }
        };
        let found = match wait_completed(self.here, self.context, &snapshot).await {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Unexpected) => {
                self.bury(&format!("{snapshot} of {id} is gone")).await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.label(&found).await.map(Some)
    }

    /// Gives a snapshot that an import of ours has made its tags, and waits until it is found by them.
    async fn label(&self, found: &Snapshot) -> Result<Snapshot> {
        let id = id_of(found);
        if found.owner_id() != Some(self.here.place.account.as_str()) {
            return Err(Error::new(Kind::Refused, format!("{id} belongs to another account")).hint("it was left alone"));
        }
        let wanted = list(&tags::all(&self.request.image, self.here));
        let call = self.here.clients.ec2.create_tags().resources(id).set_tags(Some(wanted));
        let answer = self.context.or_cancelled(call.send()).await?;
        answer.map_err(|error| classify(&error, "CreateTags"))?;
        let (here, context, tags) = (self.here, self.context, &self.request.image.tags);
        poll_until(context, "the snapshot's tags", SEEN, || find(here, context, tags)).await
    }

    /// Notes that this generation is dead, and goes on to the next.
    async fn bury(&mut self, reason: &str) -> Result<()> {
        self.context.note(Note::DeadGeneration { generation: self.generation, reason: reason.to_owned() }).await?;
        tracing::debug!(generation = self.generation, reason, "a dead generation");
        self.generation = self.generation.saturating_add(1);
        Ok(())
    }

    fn check_size(&self, snapshot: &Snapshot) -> Result<()> {
        let size = self.request.image.virtual_size;
        let wanted = i32::try_from(size.div_ceil(GIB)).ok();
        let tagged = tags_of(snapshot).remove(SIZE);
        if snapshot.volume_size() == wanted && tagged.is_none_or(|tagged| tagged == size.to_string()) {
            return Ok(());
        }
        let id = id_of(snapshot);
        Err(Error::new(Kind::Conflict, format!("{id} has our tags but another size"))
            .with("found", format!("{} GiB", snapshot.volume_size().unwrap_or_default()))
            .with("wanted", format!("{size} bytes"))
            .hint(format!("if no image uses it, `aws ec2 delete-snapshot --snapshot-id {id}`, and run again")))
    }

    /// Removes the staged object, unless another import reads it.
    async fn clear(&self) -> Result<()> {
        let key = self.bucket.key(&self.request.image.tags.digest);
        if self.tasks.is_read(self.bucket.name(), &key).await? {
            return Ok(());
        }
        self.bucket.remove(&key).await
    }
}

/// A snapshot gets our tags here only once it is complete.
fn half_written(id: &str) -> Error {
    Error::new(Kind::Conflict, format!("{id} was begun block by block and is not finished"))
        .hint(format!("finish it with `upload = \"ebs-direct\"`, or `aws ec2 delete-snapshot --snapshot-id {id}`"))
}
