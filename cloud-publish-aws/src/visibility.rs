//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::config::AwsConfig;
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, VisibilityRequest};
pub(crate) async fn set_visibility(here: &Here, at: (&Context, &AwsConfig), request: &VisibilityRequest) -> Result<()> {
    todo!()
}
