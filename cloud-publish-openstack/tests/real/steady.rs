//! Repeats what may be repeated, as the executor does.
//!
//! Glance on SQLite answers 500 ("database is locked") when two requests write at once.

use std::future::Future;
use std::time::Duration;

use cloud_publish_core::error::{Result, Retry};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{
    Context, Deletion, Expected, Finding, ImageAt, ImageSpec, PointRequest, PreflightRequest, Proof, ProveRequest,
    Publisher as _, RegisterRequest, Registered, ReplicateRequest, Staged, SurveyRequest, TagRequest, TargetInfo,
    UploadRequest, VisibilityRequest,
};
use cloud_publish_core::survey::{FoundStaged, Survey};
use cloud_publish_openstack::OpenStack;

const TRIES: usize = 8;

/// A target whose verbs are tried again while their error says so.
#[derive(Debug)]
pub(crate) struct Steady(pub(crate) OpenStack);

async fn steady<T, F: Future<Output = Result<T>>>(verb: impl Fn() -> F) -> Result<T> {
    for _ in 1..TRIES {
        match verb().await {
            Err(error) if error.retry() != Retry::Never => tokio::time::sleep(Duration::from_millis(300)).await,
            other => return other,
        }
    }
    verb().await
}

macro_rules! verbs {
    ($($verb:ident($request:ty) -> $reply:ty;)*) => {
        impl Steady {
            $(pub(crate) async fn $verb(&self, context: &Context, request: &$request) -> Result<$reply> {
                steady(|| self.0.$verb(context, request)).await
            })*
        }
    };
}

verbs! {
    preflight(PreflightRequest) -> Vec<Finding>;
    survey(SurveyRequest) -> Survey;
    upload(UploadRequest) -> Staged;
    register(RegisterRequest) -> Registered;
    replicate(ReplicateRequest) -> Vec<(Region, Result<Registered>)>;
    set_visibility(VisibilityRequest) -> ();
    tag(TagRequest) -> ();
    point(PointRequest) -> ();
    hide(ImageAt) -> ();
    retire(ImageAt) -> ();
    restore(ImageAt) -> ();
    delete(ImageAt) -> Deletion;
    discard(FoundStaged) -> ();
    prove(ProveRequest) -> Proof;
}

impl Steady {
    pub(crate) async fn info(&self, context: &Context) -> Result<TargetInfo> {
        steady(|| self.0.info(context)).await
    }

    pub(crate) fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected> {
        self.0.expect(image, region)
    }
}
