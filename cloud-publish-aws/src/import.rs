//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::config::AwsConfig;
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Staged, UploadRequest};
use cloud_publish_core::survey::FoundStaged;
pub(crate) async fn upload(here: &Here, at: (&Context, &AwsConfig), request: &UploadRequest) -> Result<Staged> {
    todo!()
}
pub(crate) async fn survey(
    here: &Here,
    at: (&Context, &AwsConfig),
    owner: &cloud_publish_core::names::Owner,
) -> Result<Vec<FoundStaged>> {
    todo!()
}
pub(crate) async fn discard(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    todo!()
}
