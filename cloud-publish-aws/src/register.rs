//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::config::AwsConfig;
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, RegisterRequest, Registered};
pub(crate) async fn register(here: &Here, at: (&Context, &AwsConfig), request: &RegisterRequest) -> Result<Registered> {
    todo!()
}
