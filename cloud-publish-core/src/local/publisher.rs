//! [`Local`] as a [`Publisher`]: each verb hands its request to the file of that name, on a thread that may block.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::config::{FormatChoice, check_formats};
use super::expect::expect;
use super::layout::Layout;
use super::site::{Site, blocking};
use super::{mark, preflight, prove, register, retire, survey, upload, visibility};
use crate::error::{Error, Kind, Result};
use crate::manifest::Together;
use crate::names::{Owner, Region, TargetName};
use crate::publisher::{
    Capability, Context, Deletion, Expected, Finding, ImageAt, ImageSpec, Listing, ListingRequest, PointRequest,
    PreflightRequest, Proof, ProveRequest, Publisher, ReadBack, RegisterRequest, Registered, ReplicateRequest,
    Replication, Staged, SurveyRequest, TagRequest, TargetInfo, UploadRequest, Usage, VisibilityKind,
    VisibilityRequest, WantedRegion,
};
use crate::survey::{FoundStaged, Survey};

/// What a local target is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSettings {
    /// Its name in the configuration.
    pub target: TargetName,
    /// Who publishes.
    pub owner: Owner,
    /// The directory to be mirrored, absolute; it and `<path>.work` are made when they are first written to.
    pub path: PathBuf,
    /// In which formats each disk is offered.
    pub formats: Vec<FormatChoice>,
    /// The address under which the directory is mirrored, for links.
    pub base_url: Option<String>,
}

/// A directory in Debian's public layout: a target without a cloud.
///
/// The layout and what happens to files are told by the [module](super). Several processes may publish to one directory
/// at once: each change is made under a lock that the system frees when its holder dies.
///
/// ```
/// use cloud_publish_core::local::{FormatChoice, Local, LocalSettings};
/// # fn main() -> cloud_publish_core::error::Result<()> {
/// let local = Local::new(LocalSettings {
///     target: "local".parse()?,
///     owner: "debian".parse()?,
///     path: "/srv/images/public".into(),
///     formats: vec![FormatChoice::AsIs],
///     base_url: Some("https://images.example.org/".into()),
/// })?;
/// # let _ = local;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Local {
    site: Arc<Site>,
}

impl Local {
    /// Resolves the path; neither it nor anything else is made.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the path is not absolute, is no text, or leads through a broken link; when there is
    /// no format, or one twice.
    pub fn new(settings: LocalSettings) -> Result<Self> {
        let LocalSettings { target, owner, path, formats, base_url } = settings;
        check_formats(&formats)?;
        let base_url = base_url.map(|url| url.trim_end_matches('/').to_owned());
        let layout = Layout::new(&path)?;
        Ok(Self { site: Arc::new(Site { target, owner, layout, formats, base_url }) })
    }
}

#[async_trait]
impl Publisher for Local {
    async fn info(&self, context: &Context) -> Result<TargetInfo> {
        context.check()?;
        let region = self.site.layout.region.clone();
        Ok(TargetInfo {
            target: self.site.target.clone(),
            place: self.site.layout.place.clone(),
            home: region.clone(),
            regions: vec![WantedRegion { region, required: true }],
            skipped: Vec::new(),
            renditions: self.site.renditions()?,
            capability: Capability {
                replication: Replication::None,
                stages_apart: true,
                replicas_are_visible: false,
                visibilities: BTreeSet::from([VisibilityKind::Private, VisibilityKind::Public]),
                together: Some(Together::Target),
                pointers: true,
                marketplace: false,
                read_back: ReadBack::Content,
                file_sha512: self.site.formats.contains(&FormatChoice::AsIs),
                keeps_renditions: true,
            },
        })
    }

    fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected> {
        expect(&self.site, image, region)
    }

    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
        let request = request.clone();
        blocking(&self.site, context, move |site| Ok(preflight::preflight(site, &request))).await
    }

    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey> {
        let request = request.clone();
        // Reading changes nothing: whoever stops need not wait for its end.
        context.or_cancelled(blocking(&self.site, context, move |site| survey::survey(site, &request))).await?
    }

    async fn usage(&self, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
        context.check()?;
        let unknown = |image: &ImageAt| Usage {
            id: image.id.clone(),
            region: image.region.clone(),
            in_use: None,
            last_used: None,
        };
        Ok(images.iter().map(unknown).collect())
    }

    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged> {
        upload::upload(&self.site, context, request).await
    }

    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered> {
        let request = request.clone();
        blocking(&self.site, context, move |site| register::register(site, &request)).await
    }

    async fn replicate(
        &self,
        context: &Context,
        request: &ReplicateRequest,
    ) -> Result<Vec<(Region, Result<Registered>)>> {
        let (home, regions) = (request.home.clone(), request.regions.clone());
        blocking(&self.site, context, move |site| {
            let find = |region: &Region| {
                site.check_region(region).and_then(|()| site.own(&home))?;
                Ok(Registered::new(region.clone(), home.id.clone()))
            };
            Ok(regions.into_iter().map(|region| (region.clone(), find(&region))).collect())
        })
        .await
    }

    async fn set_visibility(&self, context: &Context, request: &VisibilityRequest) -> Result<()> {
        let request = request.clone();
        blocking(&self.site, context, move |site| visibility::set(site, &request)).await
    }

    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()> {
        let request = request.clone();
        blocking(&self.site, context, move |site| mark::tag(site, &request)).await
    }

    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()> {
        let request = request.clone();
        blocking(&self.site, context, move |site| mark::point(site, &request)).await
    }

    async fn list_in_marketplace(&self, context: &Context, _request: &ListingRequest) -> Result<Listing> {
        context.check()?;
        Err(Error::new(Kind::Unsupported, "a directory has no marketplace").hint("remove the listing of this target"))
    }

    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let image = image.clone();
        blocking(&self.site, context, move |site| retire::hide(site, &image)).await
    }

    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let (image, now) = (image.clone(), context.clock().now());
        blocking(&self.site, context, move |site| retire::retire(site, &image, now)).await
    }

    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()> {
        let image = image.clone();
        blocking(&self.site, context, move |site| retire::restore(site, &image)).await
    }

    async fn delete(&self, context: &Context, image: &ImageAt) -> Result<Deletion> {
        let (image, now) = (image.clone(), context.clock().now());
        blocking(&self.site, context, move |site| retire::delete(site, &image, now)).await
    }

    async fn discard(&self, context: &Context, staged: &FoundStaged) -> Result<()> {
        let staged = staged.clone();
        blocking(&self.site, context, move |site| register::discard(site, &staged)).await
    }

    async fn prove(&self, context: &Context, request: &ProveRequest) -> Result<Proof> {
        prove::prove(&self.site, context, request).await
    }
}
