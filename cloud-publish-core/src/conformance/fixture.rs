//! What a check cannot make up by itself.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::clock::{Clock, SystemClock};
use crate::conformance::Sample;
use crate::error::Result;
use crate::identity::ImageTags;
use crate::manifest::{Boot, Visibility};
use crate::names::{Class, ImageName, Owner, ReleaseName, Version};
use crate::publisher::{Context, ImageAt, ImageSpec, Publisher, TargetInfo, VisibilityKind};

/// Makes a new client of the same place: "another machine".
pub type Fresh = Box<dyn Fn() -> BoxFuture<'static, Result<Box<dyn Publisher>>> + Send + Sync>;

/// Puts an object into the cloud behind the publisher's back.
pub type Plant = Box<dyn Fn(Arc<ImageSpec>, ImageAt) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Supplies checks with disks, names, time and a second client. Made by [`Fixture::new`], completed by its `with_`
/// functions.
pub struct Fixture {
    owner: Owner,
    run: String,
    samples: [Sample; 2],
    fresh: Fresh,
    clock: Arc<dyn Clock>,
    limit: Duration,
    visibilities: Vec<Visibility>,
    listing: Option<String>,
    twins: Option<Plant>,
    squatters: Option<Plant>,
    shortfalls: BTreeMap<String, String>,
    specs: AtomicU64,
}

impl Fixture {
    /// A fixture for one owner.
    ///
    /// `run` is a word of lower-case letters and digits that no other run at this place has: releases and image names
    /// carry it. Disks are written into `folder`, which must outlive the fixture.
    ///
    /// # Errors
    /// [`crate::error::Kind::Storage`] when the folder cannot be written to.
    pub fn new(
        owner: Owner,
        run: &str,
        folder: &Path,
        fresh: impl Fn() -> BoxFuture<'static, Result<Box<dyn Publisher>>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let peer = Visibility::SharedWith(vec!["conformance-peer".to_owned()]);
        Ok(Self {
            owner,
            run: run.to_owned(),
            samples: [Sample::write(folder, "first.raw", 1)?, Sample::write(folder, "second.raw", 2)?],
            fresh: Box::new(fresh),
            clock: Arc::new(SystemClock::new()),
            limit: Duration::from_secs(600),
            visibilities: vec![Visibility::Public, Visibility::Community, peer],
            listing: None,
            twins: None,
            squatters: None,
            shortfalls: BTreeMap::new(),
            specs: AtomicU64::new(0),
        })
    }

    /// Uses this clock in every context.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Gives each check at most this long, on the machine's clock (default: ten minutes).
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Tries these visibilities instead of public, community and shared with `conformance-peer`; those that the target
    /// does not have are left out.
    #[must_use]
    pub fn with_visibilities(mut self, visibilities: Vec<Visibility>) -> Self {
        self.visibilities = visibilities;
        self
    }

    /// Names a marketplace listing that may be changed.
    #[must_use]
    pub fn with_listing(mut self, listing: impl Into<String>) -> Self {
        self.listing = Some(listing.into());
        self
    }

    /// Can make a second image with the same tags as one that exists, in the same region under another id.
    #[must_use]
    pub fn with_twins(
        mut self,
        plant: impl Fn(Arc<ImageSpec>, ImageAt) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.twins = Some(Box::new(plant));
        self
    }

    /// Can make an image without any tag of ours under the spec's name, in the region of the given place; its id and
    /// tags are to be ignored. Only where names are unique.
    #[must_use]
    pub fn with_squatters(
        mut self,
        plant: impl Fn(Arc<ImageSpec>, ImageAt) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.squatters = Some(Box::new(plant));
        self
    }

    /// Says that a check fails here, and why: with a link, or a reason.
    #[must_use]
    pub fn with_shortfall(mut self, check: impl Into<String>, reason: impl Into<String>) -> Self {
        self.shortfalls.insert(check.into(), reason.into());
        self
    }

    /// A context of its own.
    pub fn context(&self) -> Context {
        Context::with_clock(Arc::clone(&self.clock))
    }

    /// Whose images the suite makes.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The disk that checks publish.
    pub fn first(&self) -> &Sample {
        let [first, _] = &self.samples;
        first
    }

    /// A disk of the same size with other content.
    pub fn second(&self) -> &Sample {
        let [_, second] = &self.samples;
        second
    }

    /// A new client of the same place.
    ///
    /// # Errors
    /// Whatever keeps it from connecting.
    pub async fn fresh(&self) -> Result<Box<dyn Publisher>> {
        (self.fresh)().await
    }

    /// An image of a release that no other call returns, of the first disk.
    ///
    /// # Errors
    /// [`crate::error::Kind::InvalidInput`] when the fixture's words cannot be used in names.
    pub fn spec(&self, info: &TargetInfo) -> Result<Arc<ImageSpec>> {
        let number = self.specs.fetch_add(1, Ordering::Relaxed);
        let version = Version::new(format!("20240101-{number:04}"))?;
        let date = Timestamp::from_second(1_704_067_200 + i64::try_from(number).unwrap_or_default() * 3600);
        let date = date.unwrap_or(Timestamp::UNIX_EPOCH);
        let rendition = match info.renditions.first() {
            Some(first) => first.clone(),
            None => "as-is".parse()?,
        };
        let sample = self.first();
        Ok(Arc::new(ImageSpec {
            tags: ImageTags {
                owner: self.owner.clone(),
                release: ReleaseName::new(format!("{}{number:04}", self.release_prefix()))?,
                suite: "bookworm".parse()?,
                version: version.clone(),
                class: Class::Release,
                variant: "genericcloud".parse()?,
                arch: "amd64".parse()?,
                rendition,
                date,
                digest: sample.digest,
            },
            name: ImageName::new(format!("debian-12-genericcloud-amd64-{version}-{}", self.run))?,
            family: format!("debian-12-genericcloud-amd64-{}", self.run),
            description: "made by the conformance suite".to_owned(),
            suite_id: "12".to_owned(),
            boot: Boot::UefiPreferred,
            format: sample.disk.format(),
            file_size: sample.disk.file_size(),
            virtual_size: sample.disk.virtual_size(),
            file_sha512: Some(sample.sha512.clone()),
            given: None,
            build_job: None,
            extra_tags: BTreeMap::from([("made-by".to_owned(), "conformance".to_owned())]),
            properties: BTreeMap::new(),
            visibility: self.visibilities(info).into_iter().next().unwrap_or_default(),
            build_manifest: None,
            outside_suite: None,
        }))
    }

    /// The visibilities to try that this target has; private is not among them.
    pub fn visibilities(&self, info: &TargetInfo) -> Vec<Visibility> {
        let here = |it: &&Visibility| info.capability.visibilities.contains(&VisibilityKind::from(*it));
        self.visibilities.iter().filter(here).filter(|it| **it != Visibility::Private).cloned().collect()
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    pub(super) fn listing(&self) -> Option<&str> {
        self.listing.as_deref()
    }

    pub(super) fn twins(&self) -> Option<&Plant> {
        self.twins.as_ref()
    }

    pub(super) fn squatters(&self) -> Option<&Plant> {
        self.squatters.as_ref()
    }

    pub(super) fn shortfall(&self, check: &str) -> Option<&str> {
        self.shortfalls.get(check).map(String::as_str)
    }

    /// What the names of all releases of this fixture begin with.
    pub(super) fn release_prefix(&self) -> String {
        format!("bookworm-{}-", self.run)
    }
}

impl Debug for Fixture {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("owner", &self.owner).field("run", &self.run).finish_non_exhaustive()
    }
}
