//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Finding, PreflightRequest};
pub(crate) async fn preflight(target: &Aws, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
    todo!()
}
