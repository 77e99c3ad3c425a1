//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::config::AwsConfig;
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Staged, UploadRequest};
pub(crate) async fn upload(here: &Here, at: (&Context, &AwsConfig), request: &UploadRequest) -> Result<Staged> {
    todo!()
}
