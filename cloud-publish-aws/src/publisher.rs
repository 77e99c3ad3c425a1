//! [`Aws`], one target, and what its verbs share. Each verb's work is in the module of its name.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::identity::Place;
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::{Owner, Region, TargetName};
use cloud_publish_core::publisher::{
    Context, Deletion, Expected, Finding, ImageAt, ImageSpec, Listing, ListingRequest, PointRequest, PreflightRequest,
    Proof, ProveRequest, Publisher, RegisterRequest, Registered, ReplicateRequest, Staged, SurveyRequest, TagRequest,
    TargetInfo, UploadRequest, Usage, VisibilityRequest,
};
use cloud_publish_core::survey::{FoundStaged, Survey};
use tokio::sync::OnceCell;

use crate::client::{Clients, RegionClients};
use crate::config::AwsConfig;
use crate::info::Whereabouts;
use crate::replicate::Queues;
use crate::{
    discard, expect, info, marketplace, point, preflight, prove, register, replicate, retention, survey, tag, upload,
    usage, visibility,
};

/// What a target is made of: its part of `publish.toml`.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// The name of `[target.NAME]`.
    pub target: TargetName,
    /// Who publishes.
    pub owner: Owner,
    /// The target's own keys.
    pub config: AwsConfig,
    /// The regions that must have the images; `None`: the home region alone.
    pub regions: Option<Regions>,
    /// Regions wanted too, whose failure is only a warning.
    pub best_effort: Vec<Region>,
    /// Regions left out of `all`.
    pub deny: Vec<Region>,
    /// Credentials, HTTP client and endpoints of a program of your own; `None`: what the SDK finds in environment and
    /// files. The target's roles are assumed on top of either.
    pub sdk: Option<SdkConfig>,
}

/// One AWS account, in all its regions.
#[derive(Debug)]
pub struct Aws {
    pub(crate) settings: AwsSettings,
    pub(crate) clients: Clients,
    /// Who and where we are, once asked.
    pub(crate) whereabouts: OnceCell<Whereabouts>,
    /// How many copies run into each region, of all images.
    pub(crate) copies: Queues,
}

/// One region of the target, for the time of one verb.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) place: Place,
    pub(crate) region: Region,
    pub(crate) clients: Arc<RegionClients>,
}

impl Aws {
    /// Makes a target; asks no server.
    pub fn new(settings: AwsSettings) -> Self {
        let clients = Clients::new(settings.config.clone(), settings.sdk.clone());
        Self { settings, clients, whereabouts: OnceCell::new(), copies: Queues::default() }
    }

    pub(crate) fn config(&self) -> &AwsConfig {
        &self.settings.config
    }

    pub(crate) fn home(&self) -> &Region {
        &self.settings.config.home_region
    }

    pub(crate) async fn here(&self, context: &Context, region: &Region) -> Result<Here> {
        let place = self.whereabouts(context).await?.place.clone();
        Ok(Here { place, region: region.clone(), clients: self.clients.region(region).await })
    }
}

#[async_trait]
impl Publisher for Aws {
    async fn info(&self, context: &Context) -> Result<TargetInfo> {
        info::info(self, context).await
    }

    fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected> {
        expect::expect(self, image, region)
    }

    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
        preflight::preflight(self, context, request).await
    }

    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey> {
        survey::survey(self, context, request).await
    }

    async fn usage(&self, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
        usage::usage(self, context, images).await
    }

    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged> {
        let here = self.here(context, &request.region).await?;
        upload::upload(&here, (context, self.config()), request)
            .await
            .map_err(|error| error.with("region", &request.region).with("image", &request.image.name))
    }

    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered> {
        let here = self.here(context, &request.staged.region).await?;
        register::register(&here, (context, self.config()), request)
            .await
            .map_err(|error| error.with("region", &request.staged.region).with("id", &request.staged.id))
    }

    async fn replicate(
        &self,
        context: &Context,
        request: &ReplicateRequest,
    ) -> Result<Vec<(Region, Result<Registered>)>> {
        replicate::replicate(self, context, request).await
    }

    async fn set_visibility(&self, context: &Context, request: &VisibilityRequest) -> Result<()> {
        let here = self.here(context, &request.at.region).await?;
        visibility::set_visibility(&here, (context, self.config()), request)
            .await
            .map_err(|error| named(error, &request.at))
    }

    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()> {
        let here = self.here(context, &request.at.region).await?;
        tag::tag(&here, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()> {
        let here = self.here(context, &request.at.region).await?;
        point::point(&here, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn list_in_marketplace(&self, context: &Context, request: &ListingRequest) -> Result<Listing> {
        marketplace::list(self, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::hide(&here, context, image).await.map_err(|error| named(error, image))
    }

    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::retire(&here, (context, self.config()), image).await.map_err(|error| named(error, image))
    }

    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::restore(&here, (context, self.config()), image).await.map_err(|error| named(error, image))
    }

    async fn delete(&self, context: &Context, image: &ImageAt) -> Result<Deletion> {
        let here = self.here(context, &image.region).await?;
        retention::delete(&here, context, image).await.map_err(|error| named(error, image))
    }

    async fn discard(&self, context: &Context, staged: &FoundStaged) -> Result<()> {
        let here = self.here(context, &staged.region).await?;
        discard::discard(&here, context, staged)
            .await
            .map_err(|error| error.with("region", &staged.region).with("id", &staged.id))
    }

    async fn prove(&self, context: &Context, request: &ProveRequest) -> Result<Proof> {
        let here = self.here(context, &request.at.region).await?;
        prove::prove(&here, context, request).await.map_err(|error| named(error, &request.at))
    }
}

fn named(error: Error, at: &ImageAt) -> Error {
    error.with("region", &at.region).with("id", &at.id)
}
