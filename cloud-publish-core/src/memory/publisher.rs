//! One target in the memory cloud: the trait, verb by verb, and the small verbs themselves.

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};
use crate::identity::Place;
use crate::memory::client::{Call, Client};
use crate::memory::cloud::MemoryCloud;
use crate::memory::log::Verb;
use crate::memory::settings::MemorySettings;
use crate::memory::{life, pointer, preflight, register, remove, replicate, show, survey, upload};
use crate::names::{PointerName, Region};
use crate::publisher::{
    Context, Deletion, Expected, Finding, ImageAt, ImageSpec, Listing, ListingRequest, PointRequest, PreflightRequest,
    Proof, ProveRequest, Publisher, ReadBack, RegisterRequest, Registered, ReplicateRequest, Staged, SurveyRequest,
    TagRequest, TargetInfo, UploadRequest, Usage, VisibilityRequest,
};
use crate::survey::{FoundStaged, Survey};

/// A publisher to a [`MemoryCloud`]: one program's view of it, with its own connection.
///
/// ```
/// # use cloud_publish_core::memory::{MemoryCloud, MemoryPublisher, MemorySettings};
/// # use cloud_publish_core::publisher::{Context, Publisher, Replication, WantedRegion};
/// # use cloud_publish_core::error::Error;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let regions = vec![WantedRegion { region: "here".parse()?, required: true }];
/// let settings =
///     MemorySettings::new("test".parse()?, "account".parse()?, "debian".parse()?, regions, Replication::None)?;
/// let publisher = MemoryPublisher::new(&MemoryCloud::new(), settings)?;
/// assert_eq!(publisher.info(&Context::detached()).await?.home.as_str(), "here");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryPublisher {
    client: Client,
    settings: MemorySettings,
    place: Place,
    home: Region,
    greeted: OnceCell<()>,
}

impl MemoryPublisher {
    /// Connects to a cloud; nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for settings without a region.
    pub fn new(cloud: &MemoryCloud, settings: MemorySettings) -> Result<Self> {
        let (place, home) = (settings.place()?, settings.home()?.clone());
        Ok(Self { client: Client::new(cloud.clone()), settings, place, home, greeted: OnceCell::new() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn settings(&self) -> &MemorySettings {
        &self.settings
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn home(&self) -> &Region {
        &self.home
    }

    /// Fails for a region that is not one of the target's.
    pub(super) fn known_region(&self, region: &Region) -> Result<()> {
        if self.settings.regions.iter().any(|wanted| wanted.region == *region) {
            return Ok(());
        }
        Err(Error::new(Kind::InvalidInput, format!("`{region}` is not a region of this target"))
            .hint("add it to the target's `regions`"))
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    async fn info(&self, context: &Context) -> Result<TargetInfo> {
        let call = Call::look(Verb::Info, "authenticate", &self.home).anywhere();
        self.greeted.get_or_try_init(|| self.client.send(context, call, |_| Ok(()))).await?;
        self.settings.info()
    }

    fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected> {
        self.known_region(region)?;
        preflight::unfit(self, image)?;
        let mut expected = Expected { attributes: register::attributes(image), ..Expected::default() };
        if self.settings.capability.pointers {
            expected.pointers.push(PointerName::new(format!("{}/latest", image.family))?);
            expected.own_pointers.push(PointerName::new(format!("{}/{}", image.family, image.tags.version))?);
        }
        if self.settings.capability.marketplace && *region == self.home {
            expected.listings.clone_from(&self.settings.listings);
        }
        Ok(expected)
    }

    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
        preflight::preflight(self, context, request).await
    }

    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey> {
        survey::survey(self, context, request).await
    }

    async fn usage(&self, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
        let mut all = Vec::with_capacity(images.len());
        for at in images {
            let call = Call::look(Verb::Usage, "get usage", &at.region);
            let known = self.client.send(context, call, |state| {
                let image = state.seen_image(&self.settings.account, &at.region, &at.id);
                Ok(image.map(|image| (image.in_use, image.last_used)))
            });
            let known = known.await?;
            all.push(Usage {
                id: at.id.clone(),
                region: at.region.clone(),
                in_use: known.map(|(in_use, _)| in_use),
                last_used: known.and_then(|(_, last_used)| last_used),
            });
        }
        Ok(all)
    }

    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged> {
        upload::upload(self, context, request).await
    }

    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered> {
        register::register(self, context, request).await
    }

    async fn replicate(
        &self,
        context: &Context,
        request: &ReplicateRequest,
    ) -> Result<Vec<(Region, Result<Registered>)>> {
        replicate::replicate(self, context, request).await
    }

    async fn set_visibility(&self, context: &Context, request: &VisibilityRequest) -> Result<()> {
        show::set_visibility(self, context, request).await
    }

    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()> {
        show::tag(self, context, request).await
    }

    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()> {
        pointer::point(self, context, request).await
    }

    async fn list_in_marketplace(&self, context: &Context, request: &ListingRequest) -> Result<Listing> {
        pointer::list_in_marketplace(self, context, request).await
    }

    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()> {
        life::hide(self, context, image).await
    }

    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()> {
        life::retire(self, context, image).await
    }

    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()> {
        life::restore(self, context, image).await
    }

    async fn delete(&self, context: &Context, image: &ImageAt) -> Result<Deletion> {
        remove::delete(self, context, image).await
    }

    async fn discard(&self, context: &Context, staged: &FoundStaged) -> Result<()> {
        remove::discard(self, context, staged).await
    }

    async fn prove(&self, context: &Context, request: &ProveRequest) -> Result<Proof> {
        let image = self.guard(context, Verb::Prove, &request.at).await?;
        if self.settings.capability.read_back == ReadBack::Nothing {
            return Ok(Proof::Unreadable { reason: "this cloud shows nothing of an image's content".to_owned() });
        }
        let at = &request.at;
        let call = Call::look(Verb::Prove, "read content", &at.region);
        let read = self.client.send(context, call, |state| {
            let image = state.seen_image(&self.settings.account, &at.region, &at.id);
            image.map(|image| image.digest).ok_or_else(|| show::vanished(at))
        });
        let digest = read.await?;
        Ok(match self.settings.capability.read_back {
            ReadBack::Hash => Proof::Hash {
                algorithm: "sha256".to_owned(),
                shown: digest.hex(),
                expected: self.read_tags(&image).map(|tags| tags.digest.hex()),
            },
            ReadBack::Content | ReadBack::Nothing => Proof::Content { digest },
        })
    }
}
