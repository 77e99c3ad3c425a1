//! A step becomes a call: which verb, with which request.

use std::sync::Arc;

use super::journal::Made;
use crate::disk::Disk;
use crate::error::{Error, Kind, Result, Retry};
use crate::event::Trouble;
use crate::identity::{ImageTags, Place};
use crate::manifest::ManifestFile;
use crate::names::{ImageId, Region};
use crate::plan::{Action, Step};
use crate::publisher::{
    Context, ImageAt, ImageSpec, ListingRequest, Marking, PointRequest, Publisher, RegisterRequest, Registered,
    ReplicateRequest, Staged, TagRequest, UploadRequest, VisibilityRequest,
};

/// One step with everything its call needs, taken from the plan and from the steps before it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) step: Step,
    pub(super) place: Place,
    pub(super) publisher: Arc<dyn Publisher>,
    pub(super) spec: Arc<ImageSpec>,
    pub(super) disk: Option<Arc<Disk>>,
    pub(super) manifest: Option<ManifestFile>,
    pub(super) staged: Option<Staged>,
    pub(super) id: Option<ImageId>,
    /// The images that a gate is asked about.
    pub(super) images: Vec<(Region, ImageId)>,
    /// What may become public in the same step as this image.
    pub(super) along: Vec<ImageTags>,
}

/// Whether a failure in passing would be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chance {
    More,
    Last,
}

/// Makes the call.
pub(super) async fn perform(job: &Job, context: &Context, chance: Chance) -> Result<Made> {
    let publisher = job.publisher.as_ref();
    match &job.step.action {
        Action::Barrier => Ok(Made::Change),
        Action::Gate { .. } | Action::Approve { .. } => {
            Err(Error::new(Kind::Unexpected, "a gate or a person's approval is no call to a cloud")
                .with("step", &job.step.id)
                .hint("nothing was published; please report this"))
        }
        Action::Upload => send(job, context).await,
        Action::Register { .. } => {
            let request = RegisterRequest { image: job.spec.clone(), staged: job.staged()?.clone() };
            let image = publisher.register(context, &request).await?;
            Ok(Made::Images { images: vec![image], failed: Vec::new() })
        }
        Action::Replicate { home_region, regions, required, .. } => {
            let home = job.at(home_region)?;
            let request = ReplicateRequest { image: job.spec.clone(), home, regions: regions.clone() };
            collect(publisher.replicate(context, &request).await?, required, chance)
        }
        Action::SetVisibility { visibility, .. } => {
            let (at, along) = (job.at(job.region()?)?, job.along.clone());
            let request = VisibilityRequest { at, wanted: visibility.clone(), along };
            publisher.set_visibility(context, &request).await.map(|()| Made::Change)
        }
        Action::MarkPublished { .. } => {
            let published = context.clock().now();
            tag(job, context, Marking::Publish(published)).await?;
            Ok(Made::Mark { published })
        }
        Action::Tag { .. } => tag(job, context, Marking::Keep).await.map(|()| Made::Change),
        Action::Point { pointer, .. } => {
            let request = PointRequest { pointer: pointer.clone(), at: job.at(job.region()?)? };
            publisher.point(context, &request).await.map(|()| Made::Change)
        }
        Action::List { listing, .. } => {
            let request =
                ListingRequest { image: job.spec.clone(), at: job.at(job.region()?)?, listing: listing.clone() };
            let listing = publisher.list_in_marketplace(context, &request).await?;
            Ok(Made::Listing { listing })
        }
    }
}

/// Sends a disk, then looks whether it and the manifest still are what was verified.
async fn send(job: &Job, context: &Context) -> Result<Made> {
    let request = UploadRequest { image: job.spec.clone(), region: job.region()?.clone(), disk: job.disk()?.clone() };
    let sent = job.publisher.upload(context, &request).await;
    if let Err(error) = &sent
        && error.kind() == Kind::Cancelled
    {
        return sent.map(|staged| Made::Staged { staged });
    }
    // Also when it failed: a file that was changed explains what the cloud says.
    match (unchanged(request.disk, job.manifest.clone()).await, sent) {
        (Ok(()), sent) => sent.map(|staged| Made::Staged { staged }),
        (Err(changed), Ok(_)) => Err(changed),
        (Err(changed), Err(error)) => Err(changed.caused_by(error)),
    }
}

/// Refuses what was sent when the files that it came from are not what was verified any more.
async fn unchanged(disk: Arc<Disk>, manifest: Option<ManifestFile>) -> Result<()> {
    let look = move || {
        disk.check_unchanged()?;
        manifest.map_or(Ok(()), |manifest| manifest.check_unchanged())
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked
        .map_err(|error| Error::new(Kind::Unexpected, "looking at the release's files broke down").caused_by(error))?
}

async fn tag(job: &Job, context: &Context, marks: Marking) -> Result<()> {
    let request = TagRequest { at: job.at(job.region()?)?, marks, extra: Some(job.spec.extra_tags.clone()) };
    job.publisher.tag(context, &request).await
}

/// Splits the regions of a replication into those that have the image and those that failed.
///
/// The step fails when a required region did, when none has the image, or when trying again may help another region.
fn collect(results: Vec<(Region, Result<Registered>)>, required: &[Region], chance: Chance) -> Result<Made> {
    let mut images = Vec::new();
    let mut failed = Vec::new();
    for (region, result) in results {
        match result {
            Ok(image) => images.push(image),
            Err(error) => failed.push((required.contains(&region), error.with("region", &region), region)),
        }
    }
    let nothing = images.is_empty();
    let is_fatal = |(required, error, _): &(bool, Error, Region)| {
        *required || nothing || (chance == Chance::More && error.retry() != Retry::Never)
    };
    // A passing failure first: trying again may leave only the lasting ones, or none.
    failed.sort_by_key(|(required, error, _)| (error.retry() == Retry::Never, !required));
    if let Some(first) = failed.iter().position(is_fatal) {
        return Err(failed.swap_remove(first).1);
    }
    let failed = failed.into_iter().map(|(_, error, region)| (region, Trouble::from(&error))).collect();
    Ok(Made::Images { images, failed })
}

impl Job {
    fn region(&self) -> Result<&Region> {
        self.step.region.as_ref().ok_or_else(|| self.incomplete("region"))
    }

    fn disk(&self) -> Result<&Arc<Disk>> {
        self.disk.as_ref().ok_or_else(|| self.incomplete("disk"))
    }

    fn staged(&self) -> Result<&Staged> {
        self.staged.as_ref().ok_or_else(|| self.incomplete("staged object"))
    }

    fn at(&self, region: &Region) -> Result<ImageAt> {
        let id = self.id.clone().ok_or_else(|| self.incomplete("image"))?;
        Ok(ImageAt { region: region.clone(), id, tags: self.spec.tags.clone() })
    }

    fn incomplete(&self, what: &str) -> Error {
        Error::new(Kind::NotFound, format!("an earlier step made no {what} for this one")).with("step", &self.step.id)
    }
}
