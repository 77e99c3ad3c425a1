//! [`OpenStack`], one target, and what its verbs share. Each verb's work is in the module of its name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Place;
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::{Owner, Provider, Region, TargetName};
use cloud_publish_core::publisher::{
    Context, Deletion, Expected, Finding, ImageAt, ImageSpec, Listing, ListingRequest, PointRequest, PreflightRequest,
    Proof, ProveRequest, Publisher, RegisterRequest, Registered, ReplicateRequest, Staged, SurveyRequest, TagRequest,
    TargetInfo, UploadRequest, Usage, VisibilityRequest,
};
use cloud_publish_core::survey::{FoundStaged, Survey};

use crate::client::{Client, Https};
use crate::clouds::Cloud;
use crate::config::{Interface, OpenStackConfig};
use crate::error::{WireError, classify};
use crate::glance::Glance;
use crate::keystone::{Keystone, Token};
use crate::{
    discard, image_record, info, point, preflight, prove, register, replicate, retention, survey, tag, upload, usage,
    visibility,
};

/// What a target is made of: its part of `publish.toml` and its entry of `clouds.yaml`.
#[derive(Clone, Debug)]
pub struct OpenStackSettings {
    /// The name of `[target.NAME]`.
    pub target: TargetName,
    /// Who publishes.
    pub owner: Owner,
    /// Where the cloud is and as whom to go there.
    pub cloud: Cloud,
    /// The target's own keys.
    pub config: OpenStackConfig,
    /// The regions that must have the images; `None`: those that the entry of `clouds.yaml` names, else all.
    pub regions: Option<Regions>,
    /// Regions wanted too, whose failure is only a warning.
    pub best_effort: Vec<Region>,
    /// Regions left out of `all`.
    pub deny: Vec<Region>,
}

/// One project of one OpenStack cloud, in all its regions.
#[derive(Debug)]
pub struct OpenStack {
    pub(crate) settings: OpenStackSettings,
    pub(crate) provider: Provider,
    pub(crate) keystone: Keystone,
    cloud: Arc<Cloud>,
    https: Https,
    clients: Mutex<BTreeMap<Region, Arc<Client>>>,
}

/// One region of the target, for the time of one verb.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    client: Arc<Client>,
    pub(crate) place: Place,
}

impl Here {
    pub(crate) fn region(&self) -> &Region {
        self.client.region()
    }

    pub(crate) fn glance<'a>(&'a self, context: &'a Context) -> Glance<'a> {
        Glance::new(&self.client, context)
    }
}

impl OpenStack {
    /// Makes a target.
    ///
    /// # Behaviour
    /// Reads the certificate file that the entry of `clouds.yaml` names; asks no server. Signing in is the first verb's
    /// matter.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the certificate file cannot be used, or one endpoint is given for several regions.
    pub fn new(settings: OpenStackSettings) -> Result<Self> {
        let cloud = Arc::new(settings.cloud.clone());
        let https = Https::new(&cloud)?;
        let keystone = Keystone::new(https.calls.clone(), cloud.clone());
        let provider = Provider::new("openstack")?;
        let clients = Mutex::default();
        Ok(Self { settings, provider, keystone, cloud, https, clients })
    }

    /// Which endpoints of the catalogue count.
    pub(crate) fn interface(&self) -> Interface {
        self.settings.config.interface.unwrap_or(self.cloud.interface)
    }

    /// Signs in, if that has not happened yet.
    pub(crate) async fn token(&self, context: &Context) -> Result<Arc<Token>> {
        let token = context.or_cancelled(self.keystone.token(context)).await?;
        token.map_err(|error| {
            let unreached = matches!(error, WireError::Transport { .. });
            let error = classify(error, "sign in").with("cloud", &self.cloud.name);
            if !unreached || error.advice().is_some() {
                return error;
            }
            let cloud = &self.cloud.name;
            error.hint(format!("is `auth_url` of {cloud} in clouds.yaml right, and can this machine reach it?"))
        })
    }

    pub(crate) async fn place(&self, context: &Context) -> Result<Place> {
        let account = self.token(context).await?.project.parse()?;
        Ok(Place { provider: self.provider.clone(), account })
    }

    pub(crate) async fn here(&self, context: &Context, region: &Region) -> Result<Here> {
        let place = self.place(context).await?;
        Ok(Here { client: self.client(region), place })
    }

    fn client(&self, region: &Region) -> Arc<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let at = (self.cloud.clone(), self.interface());
            Arc::new(Client::new(region.clone(), self.https.clone(), self.keystone.clone(), at))
        };
        clients.entry(region.clone()).or_insert_with(make).clone()
    }
}

fn not_here(what: &'static str) -> Error {
    Error::new(Kind::Unsupported, format!("OpenStack has no {what}"))
}

#[async_trait]
impl Publisher for OpenStack {
    async fn info(&self, context: &Context) -> Result<TargetInfo> {
        info::info(self, context).await
    }

    fn expect(&self, image: &ImageSpec, _region: &Region) -> Result<Expected> {
        let pointers = point::stable_name(&self.settings, image)?.into_iter().collect();
        Ok(Expected { pointers, ..image_record::expected(image, &self.settings.config)? })
    }

    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
        preflight::preflight(self, context, request).await
    }

    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey> {
        survey::survey(self, context, request).await
    }

    async fn usage(&self, _context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
        Ok(usage::usage(images))
    }

    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged> {
        let here = self.here(context, &request.region).await?;
        upload::upload(&here, (context, &self.settings), request)
            .await
            .map_err(|error| error.with("region", &request.region).with("image", &request.image.name))
    }

    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered> {
        let here = self.here(context, &request.staged.region).await?;
        register::register(&here, context, request)
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
        visibility::set_visibility(&here, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()> {
        let here = self.here(context, &request.at.region).await?;
        tag::tag(&here, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()> {
        if self.settings.config.stable_name.is_none() {
            return Err(not_here("pointers without `stable_name`"));
        }
        let here = self.here(context, &request.at.region).await?;
        point::point(&here, context, request).await.map_err(|error| named(error, &request.at))
    }

    async fn list_in_marketplace(&self, _context: &Context, _request: &ListingRequest) -> Result<Listing> {
        Err(not_here("marketplace"))
    }

    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::hide(&here, context, image).await.map_err(|error| named(error, image))
    }

    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::retire(&here, context, image).await.map_err(|error| named(error, image))
    }

    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let here = self.here(context, &image.region).await?;
        retention::restore(&here, context, image).await.map_err(|error| named(error, image))
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
